"""A conversation as a document to keep."""

from collections.abc import Iterable

from conversations.models import Conversation, Message


def as_markdown(conversation: Conversation, messages: Iterable[Message]) -> str:
    """Return questions as quotations, answers with the passages that they cite beneath."""
    parts = [
        f"# {_one_line(conversation.title)}",
        f"Project: {_one_line(str(conversation.project))}",
    ]
    for message in messages:
        parts += _question(message) if message.role == Message.Role.USER else _answer(message)
    return "\n\n".join(parts) + "\n"


def _question(message: Message) -> list[str]:
    return ["\n".join(f"> {line}".rstrip() for line in message.content.splitlines())]


def answer_markdown(message: Message) -> str:
    """Return an answer to paste elsewhere: its text, and beneath it what it cites."""
    cited = [source for source in message.sources or [] if source.get("cited")]
    lines = "\n".join(citation_line(source) for source in cited)
    return "\n\n".join(part for part in (message.content, lines) if part)


def _answer(message: Message) -> list[str]:
    parts = [message.content or "(no text)"]
    if message.state != Message.State.COMPLETE:
        parts.append(f"*The answer is {message.get_state_display().lower()}.*")
    if message.sources:
        parts.append("\n".join(citation_line(source) for source in message.sources))
    if message.indexed:
        parts.append(f"*{_one_line(freshness_line(message.indexed))}*")
    return parts


def citation_line(source: dict[str, object]) -> str:
    """Return `[1] path:L10-L20 @commit`."""
    commit = str(source["commit"])[:12]
    path = _one_line(str(source["file_path"]))
    lines = f"L{source['start_line']}-L{source['end_line']}"
    stale = " (changed since)" if source.get("stale") else ""
    return f"[{source['number']}] {path}:{lines} @{commit}{stale}"


def freshness_line(indexed: Iterable[dict[str, str]]) -> str:
    """Return at which commits the sources were indexed, and when."""
    told = (
        f"{one['source']} at {one['commit'][:12]}"
        + (f", indexed {one['at'][:16].replace('T', ' ')} UTC" if one["at"] else "")
        for one in indexed
    )
    return f"Sources: {'; '.join(told)}."


def _one_line(text: str) -> str:
    return " ".join(text.split())
