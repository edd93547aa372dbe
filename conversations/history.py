"""What was said before, within a budget: the last turns word for word, what is older in short.

A model that answers is told of both. The short form comes from a model where one made it after an
earlier answer; for what that does not cover it is put together from questions and first sentences.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from conversations.citations import without_marks
from conversations.models import Message
from knowledge.pieces import tokens_of
from providers.chat import ChatMessage

TOKENS = 2_000  # of the turns that are sent word for word
SUMMARY_TOKENS = 500
LONGEST_QUESTION = 160  # characters, in short
LONGEST_REPLY = 240
SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n\s*\n")


@dataclass(frozen=True, slots=True)
class History:
    """What a model is told of the conversation so far."""

    turns: list[ChatMessage]
    summary: str = ""
    summarised: int = 0  # messages that only the summary tells of


def tokens_in(text: str) -> int:
    return tokens_of(text.encode("utf-8", "replace"))


def within_budget(messages: Sequence[Message]) -> History:
    """Return the last messages that fit, each whole, and a summary of those before."""
    said = [message for message in messages if message.content]
    kept: list[ChatMessage] = []
    room = TOKENS
    for message in reversed(said):
        turn = ChatMessage(_speaker(message), without_marks(message.content))
        room -= tokens_in(turn.content)
        if room < 0:
            break
        kept.append(turn)
    older = said[: len(said) - len(kept)]
    return History(kept[::-1], summary_of(older, said), len(older))


def summary_of(older: Sequence[Message], said: Sequence[Message]) -> str:
    """Return messages in short: as a model put them, and after that a line for each exchange."""
    if not older:
        return ""
    last = older[-1].position
    made = [m for m in said if m.summary and m.summarised_to <= last]
    summary, covered = (made[-1].summary, made[-1].summarised_to) if made else ("", 0)
    lines = _lines([message for message in older if message.position > covered])
    room = SUMMARY_TOKENS - tokens_in(summary)
    kept: list[str] = []
    for line in reversed(lines):
        room -= tokens_in(line)
        if room < 0:
            break
        kept.append(line)
    return "\n".join([*([summary] if summary else []), *reversed(kept)])


def _lines(messages: Sequence[Message]) -> list[str]:
    lines: list[str] = []
    for message in messages:
        if message.role == Message.Role.USER:
            lines.append(f"- Asked: {_short(message.content, LONGEST_QUESTION)}")
        elif lines:
            first = SENTENCE_END.split(without_marks(message.content).strip(), maxsplit=1)[0]
            lines[-1] += f" Answered: {_short(first, LONGEST_REPLY)}"
    return lines


def _short(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _speaker(message: Message) -> Literal["user", "assistant"]:
    return "assistant" if message.role == Message.Role.ASSISTANT else "user"
