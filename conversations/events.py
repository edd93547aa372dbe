"""What a reader hears while an answer is written."""

from dataclasses import dataclass

from conversations.models import Message
from conversations.passages import Passage


@dataclass(frozen=True, slots=True)
class Status:
    """One line for the reader: what is happening."""

    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that the answer will stand on."""

    passages: list[Passage]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some more of the answer's text, without the marks that are not checked yet."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer is as it will stay; the message in the database has it."""

    state: Message.State
    text: str
    error: str = ""


Event = Status | Found | Piece | Ended
