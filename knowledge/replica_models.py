"""What a store of points outside PostgreSQL holds, and what it has yet to hear of."""

from django.db import models
from django.db.models import Q

from accounts.models import Dated


class Replica(Dated):
    """A generation of a space's points outside PostgreSQL: being filled, asked, or given up.

    While a space has one that is not given up, the database notes each change of its vectors.
    """

    class State(models.TextChoices):
        FILLING = "filling", "Being filled"
        SERVING = "serving", "Asked by searches"
        RETIRED = "retired", "Given up"

    LIVING_STATES = (State.FILLING, State.SERVING)

    space = models.ForeignKey("EmbeddingSpace", models.CASCADE, related_name="replicas")
    generation = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.FILLING)
    layout = models.CharField(max_length=100)
    # The values of a passage's collection for which there is one of the store's own.
    collections = models.JSONField(default=list, blank=True)
    # How far the filling is, in the order of the passages' ids.
    filled_to = models.UUIDField(null=True, blank=True)
    filled = models.BigIntegerField(default=0)
    served_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True, default="")
    # What comparing it with PostgreSQL came to.
    comparison = models.JSONField(default=dict, blank=True)
    compared_at = models.DateTimeField(null=True, blank=True)
    # What somebody asked for: comparing, or filling another generation.
    reconcile_asked_at = models.DateTimeField(null=True, blank=True)
    rebuild_asked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["space", "generation"], name="one_replica_of_a_generation"
            ),
            models.UniqueConstraint(
                fields=["space", "state"],
                condition=~Q(state="retired"),
                name="one_replica_in_a_state",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.space}, generation {self.generation}"


class VectorChange(models.Model):
    """A passage whose vector came, went or changed, and of which the store has yet to hear.

    Triggers write these rows in the transaction that changes the vector (migration 0012).
    """

    # No foreign keys: the space and the passage may be gone when it is read.
    space_id = models.UUIDField()
    chunk_id = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["space_id", "id"], name="vector_changes_in_order")]

    def __str__(self) -> str:
        return f"{self.chunk_id} in {self.space_id}"
