"""The numbers that an answer's text has outside of code."""

from conversations.citations import MARK, numbers_in, without_code


def numbers_of(text: str) -> list[int]:
    """Return them, each once, in order of appearance."""
    found = (n for match in MARK.finditer(without_code(text)) for n in numbers_in(match[1]))
    return list(dict.fromkeys(found))
