"""Conversations and messages as programs see them."""

from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework import serializers

from accounts.api import PersonSerializer
from conversations import asking, keeping
from conversations.models import Conversation, Message
from projects.access import VisibleProject
from providers.models import Provider

if TYPE_CHECKING:
    ProviderField = serializers.PrimaryKeyRelatedField[Provider]
else:
    ProviderField = serializers.PrimaryKeyRelatedField


class PassageSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    document_id = serializers.CharField()
    source_id = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    file_path = serializers.CharField()
    commit = serializers.CharField()
    start_line = serializers.IntegerField()
    end_line = serializers.IntegerField()
    header_anchor = serializers.CharField()
    header = serializers.CharField()
    symbol = serializers.CharField()
    kind = serializers.CharField()
    language = serializers.CharField()
    similarity_score = serializers.FloatField()
    url = serializers.CharField()
    text = serializers.CharField()
    cited = serializers.BooleanField(required=False)
    stale = serializers.BooleanField(
        required=False, help_text="Whether the file, or its source, is not what it was."
    )
    stale_because = serializers.CharField(required=False)


class IndexedSerializer(serializers.Serializer[Any]):
    source_id = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    commit = serializers.CharField()
    at = serializers.CharField(help_text="When it was last indexed; empty if unknown.")


class SentSerializer(serializers.Serializer[Any]):
    passages = serializers.IntegerField()
    turns = serializers.IntegerField(help_text="Messages that were sent word for word.")
    history = serializers.IntegerField(help_text="Tokens of those.")
    summarised = serializers.IntegerField(help_text="Earlier messages, sent in short.")
    summary = serializers.IntegerField(help_text="Tokens of that.")
    total = serializers.IntegerField()


class MessageSerializer(serializers.ModelSerializer[Message]):
    sources = PassageSerializer(many=True, allow_null=True, read_only=True)
    indexed = IndexedSerializer(
        many=True, read_only=True, help_text="The sources as they were indexed at the answer."
    )
    is_unanswered = serializers.BooleanField(
        read_only=True, help_text="Whether it says that the sources do not tell."
    )

    sent = SentSerializer(
        read_only=True, allow_null=True, help_text="What of it went to a model, in tokens."
    )
    alternatives = serializers.SerializerMethodField(
        help_text="The messages that were written in this place, this one among them."
    )

    def get_alternatives(self, message: Message) -> list[str]:
        assert message.place is not None  # branches.placed
        return [str(pk) for pk in message.place.ids]

    class Meta:
        model = Message
        fields = (
            "id",
            "conversation",
            "position",
            "parent",
            "alternatives",
            "role",
            "content",
            "sources",
            "state",
            "error",
            "note",
            "sought",
            "indexed",
            "citations_dropped",
            "is_unanswered",
            "sent",
            "gap",
            "feedback",
            "feedback_kind",
            "feedback_reason",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class UsableProvider(ProviderField):
    """A provider by its id, one that may answer now."""

    default_error_messages = {"does_not_exist": "There is no usable provider of this id."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            pk_field=serializers.UUIDField(), queryset=Provider.objects.usable(), **kwargs
        )


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    project = VisibleProject()
    provider = UsableProvider(
        required=False, allow_null=True, help_text="Who answers; null follows the default."
    )
    user = PersonSerializer(read_only=True)
    pinned = serializers.BooleanField(
        required=False, source="is_pinned", help_text="Whether it stands above your others."
    )
    shared = serializers.BooleanField(
        required=False,
        source="is_shared",
        help_text="Whether everybody who sees the project may read it.",
    )

    class Meta:
        model = Conversation
        fields = (
            "id",
            "project",
            "user",
            "provider",
            "title",
            "titled_by",
            "pinned",
            "shared",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("titled_by",)
        extra_kwargs: ClassVar[dict[str, Any]] = {"title": {"required": False}}

    def create(self, given: dict[str, Any]) -> Conversation:
        begun = asking.begin(given["by"], given["project"], provider=given.get("provider"))
        return self.update(begun, given)

    def update(self, conversation: Conversation, given: dict[str, Any]) -> Conversation:
        if "title" in given:
            keeping.rename(conversation, given["title"])
        if "is_pinned" in given:
            keeping.pin(conversation, pinned=given["is_pinned"])
        if "is_shared" in given:
            keeping.share(conversation, shared=given["is_shared"])
        if "provider" in given:
            keeping.have_answered_by(conversation, given["provider"])
        return conversation


class ChangedConversationSerializer(ConversationSerializer):
    class Meta(ConversationSerializer.Meta):
        read_only_fields = ("project",)

    project = VisibleProject(read_only=True)


class ConversationQuery(serializers.Serializer[Conversation]):
    project = VisibleProject(required=False)
    q = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Words that stand in the title, a question or an answer.",
    )
    shared = serializers.BooleanField(
        default=False, help_text="Those that others let you read, in place of your own."
    )


class MessageQuery(serializers.Serializer[Message]):
    branches = serializers.ChoiceField(
        choices=["shown", "all"],
        default="shown",
        help_text="The branch that is shown, or all messages in the order they came.",
    )


class WantedSerializer(serializers.Serializer[Any]):
    stream = serializers.BooleanField(
        default=False, help_text="Answer with server-sent events as the text is written."
    )


class QuestionSerializer(WantedSerializer):
    question = serializers.CharField(max_length=asking.LONGEST_QUESTION)
    in_place_of = serializers.UUIDField(
        required=False,
        help_text="A question of the conversation that this one takes the place of, as a branch.",
    )


class ExportQuery(serializers.Serializer[Any]):
    to = serializers.ChoiceField(choices=["json", "markdown"], default="json")


class ExportSerializer(serializers.Serializer[Any]):
    conversation = ConversationSerializer()
    messages = MessageSerializer(many=True)


class FeedbackSerializer(serializers.Serializer[Message]):
    value = serializers.ChoiceField(choices=Message.Feedback.choices, allow_blank=True)
    kind = serializers.ChoiceField(
        choices=Message.FeedbackKind.choices,
        allow_blank=True,
        default="",
        help_text="What was wrong, where it did not help.",
    )
    reason = serializers.CharField(max_length=2000, allow_blank=True, default="")
