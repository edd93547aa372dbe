"""The branches of a conversation: each question asked anew, and each answer written anew, is one.

Messages form a tree by their parents. The conversation names the tip of the branch that is shown;
all messages above it are what was said before.
"""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from conversations.models import Conversation, Message
from conversations.places import Place

WITH_SOURCES = 8  # of the latest messages


class Tree:
    """All messages of a conversation by their ids, without their texts."""

    def __init__(self, conversation_id: UUID) -> None:
        rows = Message.objects.filter(conversation=conversation_id).order_by("position")
        self.parents: dict[UUID, UUID | None] = dict(rows.values_list("pk", "parent_id"))
        self.children: dict[UUID | None, list[UUID]] = defaultdict(list)
        for pk, parent in self.parents.items():
            self.children[parent].append(pk)

    def up_from(self, message_id: UUID | None) -> list[UUID]:
        """Return the ids of a message and all above it, the first one first."""
        ids = []
        while message_id is not None:
            ids.append(message_id)
            message_id = self.parents.get(message_id)
        return ids[::-1]

    def latest_below(self, message_id: UUID) -> UUID:
        """Return the tip of the branch through a message that was written last."""
        while below := self.children.get(message_id):
            message_id = below[-1]
        return message_id

    def place_of(self, message_id: UUID) -> Place:
        ids = self.children[self.parents[message_id]]
        return Place(ids, ids.index(message_id))


def shown(conversation: Conversation) -> list[Message]:
    """Return the messages of the branch that is shown, in order, each with its `place`."""
    tree = Tree(conversation.pk)
    ids = tree.up_from(conversation.tip_id)
    found = Message.objects.filter(pk__in=ids).select_related("gap").in_bulk()
    return placed([found[pk] for pk in ids if pk in found], tree)


def placed(messages: Iterable[Message], tree: Tree) -> list[Message]:
    """Tell each message its `place`."""
    placed = list(messages)
    for message in placed:
        message.place = tree.place_of(message.pk)
    return placed


def before(message: Message) -> list[Message]:
    """Return what was said on the branch of a message before it, in order."""
    ids = Tree(message.conversation_id).up_from(message.parent_id)
    # Of what was said long ago nobody needs the passages.
    older = Message.objects.defer("sources", "indexed", "sent").in_bulk(ids[:-WITH_SOURCES])
    found = {**older, **Message.objects.in_bulk(ids[-WITH_SOURCES:])}
    return [found[pk] for pk in ids]


def show(message: Message) -> None:
    """Show the branch of a message, down to what was written on it last."""
    tip = Tree(message.conversation_id).latest_below(message.pk)
    Conversation.objects.filter(pk=message.conversation_id).update(tip=tip)
