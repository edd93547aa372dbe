"""Conversations: what people asked and what was answered, from which passages."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.db import models
from django.db.models import Exists, F, Max, OuterRef, Q
from django.urls import reverse

from accounts.models import Dated, User
from accounts.viewers import Viewer
from conversations.places import Place
from knowledge.models import KnowledgeGap
from projects.models import Project
from providers.models import Provider


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """A conversation belongs to the person who began it, while they may see its project."""
        return self._owned_by(viewer).filter(deleted_at=None)

    def readable_by(self, viewer: Viewer) -> Self:
        """Those of the viewer, and those that others let everybody of their project read."""
        return self.filter(
            Q(user=viewer.user) | Q(shared_at__isnull=False),
            project__in=Project.objects.visible_to(viewer),
            deleted_at=None,
        )

    def deleted_by(self, viewer: Viewer) -> Self:
        """Those of the viewer that can still be brought back."""
        return self._owned_by(viewer).filter(deleted_at__isnull=False)

    def _owned_by(self, viewer: Viewer) -> Self:
        return self.filter(user=viewer.user, project__in=Project.objects.visible_to(viewer))

    def mentioning(self, words: str) -> Self:
        """Those that have each word, up to ten, in their title, a question or an answer."""
        found = self
        for word in words.split()[:10]:
            says = Message.objects.filter(conversation=OuterRef("pk"), content__icontains=word)
            found = found.filter(Q(title__icontains=word) | Exists(says))
        return found

    def latest_first(self) -> Self:
        """Those that were pinned, then the others, each by when something was last said."""
        return self.order_by(F("pinned_at").asc(nulls_last=True), "-updated_at", "pk")


class Conversation(Dated):
    class TitledBy(models.TextChoices):
        QUESTION = "question", "the first question"
        MODEL = "model", "a model"
        PERSON = "person", "a person"

    UNTITLED = "New conversation"

    project = models.ForeignKey(Project, models.CASCADE, related_name="conversations")
    user = models.ForeignKey(User, models.CASCADE, related_name="conversations")
    # Empty when the provider was deleted, or to follow the default.
    provider = models.ForeignKey(
        Provider, models.SET_NULL, null=True, blank=True, related_name="conversations"
    )
    title = models.CharField(max_length=255, default=UNTITLED)
    # What a person wrote stays; anything else may be improved.
    titled_by = models.CharField(
        max_length=8, choices=TitledBy, default=TitledBy.QUESTION, db_default=TitledBy.QUESTION
    )
    # The last message of the branch that is shown; empty where nothing was asked yet.
    tip = models.ForeignKey(
        "Message", models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    pinned_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Since when everybody who sees the project may read it.
    shared_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Deleted, and kept for a while so that it can be brought back.
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False, db_index=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["project", "-updated_at"], name="conversations_of_a_project"),
            models.Index(fields=["user", "-updated_at"], name="conversations_of_a_person"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("conversation", args=[self.pk])

    def add(self, below: UUID | None, *said: dict[str, Any]) -> "Message":
        """Add messages, each below the one before it, show their branch, and return the last."""
        position = self.messages.aggregate(last=Max("position"))["last"] or 0
        for number, fields in enumerate(said, position + 1):
            self.tip = self.messages.create(position=number, parent_id=below, **fields)
            below = self.tip.pk
        # The title with them: it may be that of the first question.
        self.save(update_fields=["title", "tip", "updated_at"])
        assert self.tip is not None
        return self.tip

    @property
    def is_pinned(self) -> bool:
        return self.pinned_at is not None

    @property
    def is_shared(self) -> bool:
        return self.shared_at is not None


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(conversation__in=Conversation.objects.visible_to(viewer))

    def readable_by(self, viewer: Viewer) -> Self:
        return self.filter(conversation__in=Conversation.objects.readable_by(viewer))


class Message(Dated):
    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"
        SYSTEM = "system"

    class State(models.TextChoices):
        STREAMING = "streaming"
        COMPLETE = "complete"
        STOPPED = "stopped"
        INTERRUPTED = "interrupted"
        FAILED = "failed"

    class Feedback(models.TextChoices):
        NONE = "", "none"
        UP = "up", "helpful"
        DOWN = "down", "not helpful"

    class FeedbackKind(models.TextChoices):
        NONE = "", "none"
        WRONG = "wrong", "Wrong"
        INCOMPLETE = "incomplete", "Incomplete"
        OUTDATED = "outdated", "Outdated"
        SOURCES = "sources", "Wrong sources"
        OTHER = "other", "Something else"

    NOT_IN_SOURCES = "Not in the indexed sources"
    UNFINISHED = (State.STOPPED, State.INTERRUPTED, State.FAILED)

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages")
    # When it came, over all branches; which of them it is on is told by its parent.
    position = models.PositiveIntegerField()
    parent = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="children", editable=False
    )
    role = models.CharField(max_length=20, choices=Role)
    content = models.TextField(blank=True, default="")
    sources = models.JSONField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.COMPLETE)
    error = models.TextField(blank=True, default="")
    # What a reader is told about the answer: the provider's name, "extractive", how much was read.
    note = models.CharField(max_length=255, blank=True, default="")
    # Marks that a model wrote and that no passage bears out.
    citations_dropped = models.PositiveIntegerField(default=0, db_default=0)
    feedback = models.CharField(max_length=4, choices=Feedback, blank=True, default="")
    feedback_kind = models.CharField(
        max_length=10, choices=FeedbackKind, blank=True, default="", db_default=""
    )
    feedback_reason = models.TextField(blank=True, default="")
    # What was searched for, where that is not what was typed.
    sought = models.TextField(blank=True, default="", db_default="")
    # What was said before it, up to the message at `summarised_to`, as a model put it.
    summary = models.TextField(blank=True, default="", db_default="", editable=False)
    summarised_to = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    # Tokens that went to a model, by what they were: passages, history, summary, and the counts.
    sent = models.JSONField(null=True, blank=True, editable=False)
    # The commits that the sources were indexed at when this was answered.
    indexed = models.JSONField(default=list, blank=True)
    # Where the question is counted, when the sources did not answer it.
    gap = models.ForeignKey(
        KnowledgeGap, models.SET_NULL, null=True, blank=True, related_name="messages"
    )
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    objects = MessageQuerySet.as_manager()

    # For who reads a conversation: where it stands among those in its place, and its text made.
    place: Place | None = None
    html: str = ""
    markdown: str = ""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=["user", "assistant", "system"]), name="message_role_is_known"
            ),
            models.UniqueConstraint(
                fields=["conversation", "position"], name="one_message_at_a_position"
            ),
        ]
        indexes = [
            models.Index(fields=["conversation", "created_at"], name="messages_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.content[:60]}"

    @property
    def freshness(self) -> list[dict[str, Any]]:
        """The sources as they were indexed at the answer, with times as times."""
        return [
            {**one, "at": datetime.fromisoformat(one["at"]) if one["at"] else None}
            for one in self.indexed
        ]

    @property
    def is_unanswered(self) -> bool:
        """Whether it says that the sources do not tell."""
        return self.note == self.NOT_IN_SOURCES

    @property
    def is_streaming(self) -> bool:
        return self.state == self.State.STREAMING
