"""Documents, the chunks they are searched by, and the vectors behind them."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from pgvector.django import HalfVectorField, SparseVectorField

from accounts.models import Dated, User
from accounts.viewers import Viewer
from knowledge.gap_models import KnowledgeGap
from knowledge.golden_models import Evaluation, GoldenQuestion
from knowledge.replica_models import Replica, VectorChange
from projects.models import Project, Source

# Django looks for an app's models here, wherever they are written.
__all__ = ["Evaluation", "GoldenQuestion", "KnowledgeGap", "Replica", "VectorChange"]


class Blob(models.Model):
    """A text, kept once under the hash of its redacted form, whatever points to it."""

    sha = models.CharField(primary_key=True, max_length=64)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    # Whether the index of trigrams has it: that costs too much to wait for in a sync.
    is_settled = models.BooleanField(default=False, db_default=False)

    class Meta:
        indexes = [
            GinIndex(
                fields=["text"],
                opclasses=["gin_trgm_ops"],
                condition=Q(is_settled=True),
                name="blob_trigrams",
            ),
            models.Index(
                fields=["sha"], condition=Q(is_settled=False), name="blobs_without_trigrams"
            ),
        ]

    def __str__(self) -> str:
        return self.sha[:12]


class DocumentQuerySet(models.QuerySet["Document"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))


class Document(Dated):
    """A file of a source as it is indexed now, or a text that a person wrote."""

    class State(models.TextChoices):
        INDEXED = "indexed", "Indexed"
        SKIPPED = "skipped", "Skipped"
        FAILED = "failed", "Failed"

    project = models.ForeignKey(Project, models.CASCADE, related_name="documents")
    source = models.ForeignKey(
        Source, models.CASCADE, null=True, blank=True, related_name="documents"
    )
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="documents")
    path = models.CharField(max_length=4096)
    title = models.CharField(max_length=512, blank=True, default="")
    file_type = models.CharField(max_length=50, blank=True, default="")
    file_size = models.BigIntegerField("size in bytes", default=0)
    language = models.CharField(max_length=50, blank=True, default="")
    layer = models.CharField(max_length=50, blank=True, default="")
    collection = models.CharField(max_length=30, blank=True, default="")
    blob = models.ForeignKey(Blob, models.PROTECT, null=True, blank=True, related_name="documents")
    # The object that git holds at the path: a sync reads only what differs from it.
    git_sha = models.CharField(max_length=64, blank=True, default="")
    commit = models.CharField(max_length=64, blank=True, default="")
    encoding = models.CharField(max_length=30, blank=True, default="")
    # Who changed it last and when; no date until a sync has asked the history.
    author = models.CharField(max_length=255, blank=True, default="", db_default="")
    author_email = models.CharField(max_length=255, blank=True, default="", db_default="")
    changed_at = models.DateTimeField(null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    chunker_version = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State, default=State.INDEXED)
    error = models.CharField("reason", max_length=500, blank=True, default="")
    # How often it was read in vain since it last changed; a sync gives up after a few.
    attempts = models.PositiveSmallIntegerField(default=0)
    notes = models.CharField(max_length=500, blank=True, default="")

    objects = DocumentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "path"], name="one_document_at_a_path"),
            models.CheckConstraint(
                condition=Q(source__isnull=False) | Q(user__isnull=False),
                name="document_has_a_source_or_a_person",
            ),
            models.CheckConstraint(
                condition=~Q(state="indexed") | Q(blob__isnull=False),
                name="indexed_document_has_text",
            ),
        ]
        indexes = [
            models.Index(fields=["source", "state"], name="documents_by_state"),
            models.Index(fields=["created_at"], name="documents_by_age"),
        ]

    def __str__(self) -> str:
        return self.title or self.path

    @property
    def content(self) -> str:
        return self.blob.text if self.blob else ""


class Upload(Dated):
    """A file that a person gave, as it came; a sync reads it like a file of a repository."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="uploads")
    path = models.CharField(max_length=1024)
    content = models.BinaryField()
    git_sha = models.CharField(max_length=64)
    size = models.PositiveIntegerField("size in bytes")
    # Who gave it; who wrote it, where it is a document that was written here.
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="+")
    title = models.CharField(max_length=512, blank=True, default="")
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "path"], name="one_upload_at_a_path"),
        ]

    def __str__(self) -> str:
        return self.path


class DocumentVersion(models.Model):
    """What stood at a path at a commit, so that a citation opens for ever."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="versions")
    path = models.CharField(max_length=4096)
    commit = models.CharField(max_length=64)
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="versions")
    language = models.CharField(max_length=50, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "path", "commit"], name="one_version_at_a_commit"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.path} at {self.commit[:8]}"


class ChunkQuerySet(models.QuerySet["Chunk"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))


class Chunk(Dated):
    """A passage of a document: what is searched, quoted and cited."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    # Found by the index of its constraint.
    document = models.ForeignKey(Document, models.CASCADE, related_name="chunks", db_index=False)
    chunk_index = models.PositiveIntegerField()
    chunk_text = models.TextField()
    start_line = models.PositiveIntegerField()
    end_line = models.PositiveIntegerField()
    header = models.TextField(blank=True, default="")
    header_anchor = models.CharField(max_length=512, blank=True, default="")
    symbol = models.CharField(max_length=512, blank=True, default="")
    kind = models.CharField(max_length=30, blank=True, default="")
    definitions = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    language = models.CharField(max_length=50, blank=True, default="")
    layer = models.CharField(max_length=50, blank=True, default="")
    collection = models.CharField(max_length=30, blank=True, default="")
    metadata = models.JSONField(default=dict, blank=True)
    # Words for ranking: each term's saturated frequency, under the term's number; the same
    # terms, numbered within the project, for finding candidates (knowledge.words).
    weights = SparseVectorField()
    terms = ArrayField(models.BigIntegerField(), default=list)
    body_hash = models.BinaryField(max_length=32)
    header_hash = models.BinaryField(max_length=32)

    objects = ChunkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document", "chunk_index"], name="one_chunk_at_an_index"
            ),
            models.CheckConstraint(
                condition=Q(start_line__gte=1, end_line__gte=models.F("start_line")),
                name="chunk_lines_are_in_order",
            ),
        ]
        indexes = [
            # Its list of pending entries is sorted in at the end of each sync.
            GinIndex(fields=["terms"], name="chunk_terms", fastupdate=True),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} {self.start_line}-{self.end_line}"


class TermCount(models.Model):
    """In how many chunks of a project a term occurs; term 0 counts the chunks themselves."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    term = models.BigIntegerField()
    chunks = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "term"], name="one_count_of_a_term"),
        ]

    def __str__(self) -> str:
        return f"{self.term}: {self.chunks}"


class EmbeddingSpace(Dated):
    """A model's own space of vectors: only what one model made can be compared.

    A space is built beside the active one, which answers until the new one takes its place; the
    one before is kept, so that the change can be undone.
    """

    class State(models.TextChoices):
        BUILDING = "building", "Being built"
        ACTIVE = "active", "Active"
        KEPT = "kept", "Kept for going back"
        RETIRED = "retired", "Retired"

    FILLED_STATES = (State.ACTIVE, State.BUILDING, State.KEPT)

    adapter = models.CharField(max_length=30, default="minilm")
    model_name = models.CharField(max_length=255)
    base_url = models.CharField("address", max_length=512, blank=True, default="")
    # The name of an environment variable, never a key itself.
    key_variable = models.CharField(max_length=100, blank=True, default="")
    dimensions = models.PositiveIntegerField()
    query_prefix = models.CharField(max_length=255, blank=True, default="")
    document_prefix = models.CharField(max_length=255, blank=True, default="")
    state = models.CharField(max_length=10, choices=State, default=State.BUILDING)
    # How much the vectors count beside the words (0-1): a stronger model deserves more.
    weight = models.FloatField(default=0.4)
    texts_at_once = models.PositiveIntegerField(default=64)
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    tokens_per_minute = models.PositiveIntegerField(null=True, blank=True)
    token_budget = models.BigIntegerField(null=True, blank=True)
    tokens_used = models.BigIntegerField(default=0)
    usd_per_million = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    takes_over_when_built = models.BooleanField(default=False)
    # The one that the environment asked for last: it asks for another when it names another.
    from_environment = models.BooleanField(default=False)
    built_at = models.DateTimeField(null=True, blank=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    # When a retired space's vectors were gone.
    dropped_at = models.DateTimeField(null=True, blank=True)
    comparison = models.JSONField(default=dict, blank=True)
    error = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "adapter",
                    "base_url",
                    "model_name",
                    "dimensions",
                    "query_prefix",
                    "document_prefix",
                ],
                condition=~Q(state="retired"),
                name="one_living_space_for_a_model",
            ),
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="active"), name="one_active_space"
            ),
            models.CheckConstraint(
                condition=Q(dimensions__gte=16, dimensions__lte=4000),
                name="dimensions_can_be_stored",
            ),
            models.CheckConstraint(
                condition=Q(weight__gte=0, weight__lte=1), name="space_weight_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_name} ({self.dimensions})"


class EmbeddedText(models.Model):
    """A vector under the hash of its text: what was embedded once is never embedded again."""

    space = models.ForeignKey(EmbeddingSpace, models.CASCADE, related_name="texts")
    text_hash = models.BinaryField(max_length=32)
    embedding = HalfVectorField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["space", "text_hash"], name="one_vector_of_a_text"),
        ]

    def __str__(self) -> str:
        return bytes(self.text_hash).hex()[:12]


class Vector(models.Model):
    """Where a chunk stands in a space: its body and its header together, normalised."""

    space = models.ForeignKey(EmbeddingSpace, models.CASCADE, related_name="vectors")
    chunk = models.ForeignKey(Chunk, models.CASCADE, related_name="vectors", db_index=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    embedding = HalfVectorField()
    # Those that are stored later have greater ones: the database counts (migration 0012).
    version = models.BigIntegerField(db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chunk", "space"], name="one_vector_of_a_chunk"),
        ]
        indexes = [
            models.Index(fields=["project", "space"], name="vectors_of_a_project"),
        ]

    def __str__(self) -> str:
        return str(self.chunk_id)


class Overview(Dated):
    """What a newcomer should know of a project: its areas, what matters, where it starts."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    content = models.JSONField(default=dict, blank=True)
    # The commit of each source that it was made from, by the source's id.
    heads = models.JSONField(default=dict, blank=True)
    made_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    claimed_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project"], name="one_overview_for_a_project"),
        ]

    def __str__(self) -> str:
        return f"Overview of {self.project}"
