"""What a file says that it is about: the first sentence of its prose or of its docstring."""

import re

from knowledge.front_matter import body_of

READ = 6_000  # characters from the top
LONGEST = 220
SHORTEST = 15

_DOCUMENTS = frozenset({"markdown", "rst", "text"})
_DOCSTRING = re.compile(
    r"\A(?:\s*(?:#[^\n]*)?\n)*\s*[rRuUbB]{0,2}(?P<mark>\"\"\"|''')(?P<text>.+?)(?P=mark)", re.DOTALL
)
_BLOCK = re.compile(
    r"\A(?:\s|//[^\n]*\n|#![^\n]*\n|package [^\n]*\n)*/\*+!?(?P<text>.+?)\*/", re.DOTALL
)
_LINES = re.compile(r"\A\s*(?P<text>(?:[ \t]*(?://[/!]?|#|--|;+)[^\n]*\n)+)")
_NOT_ABOUT = re.compile(
    r"copyright|licen[sc]ed?\b|@ts-|eslint|prettier|spdx|all rights reserved|coding[:=]|#!/|noqa"
    r"|generated|@flow|@jsx|use strict|mypy:|pylint|clang-format|\bvim?:|https?://\S+$",
    re.IGNORECASE,
)
_NOT_PROSE = re.compile(
    r"[#=\-~*_`^+|<>!:\[\]\d.]|\.\. |\{[%{]|[-*+] |```|~~~|\$ |import |from |export |\|"
)
_BADGE = re.compile(r"!\[[^\]]*\]\([^)]*\)|!\[[^\]]*\]\[[^\]]*\]|<[^>]+>|\|[\w .-]+\|")
_LINK = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\[[^\]]*\])?")
_HEADING = re.compile(r"<h[1-6][^>]*>.*?</h[1-6]>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>|</p>|</div>", re.IGNORECASE)
_OF_CODE = re.compile(r"[{}=;<>|\\]")
_ROLE = re.compile(r":[\w:+.-]+:`~?([^`<]+?)(?:\s*<[^>]*>)?`")
_RST_LINK = re.compile(r"`([^`<]+?)\s*<[^>]+>`_+")
_MARKS = re.compile(r"\*\*|__|``?|(?<!\w)\*|\*(?!\w)")
_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[A-Z\"'(])")
_ABBREVIATED = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|[A-Z])|\w\.\w)\.[\"')\]]*$")


def first_sentence(text: str, language: str) -> str:
    """Return one plain sentence, or nothing where a file does not begin with words about it."""
    text = text[:READ]
    if language in _DOCUMENTS:
        return _of_document(text)
    return _of_code(text, language)


def _of_document(text: str) -> str:
    body = _BREAK.sub("\n\n", _HEADING.sub("", body_of(text)))
    is_fenced = False
    for block in re.split(r"\n[ \t]*\n", body):
        begins = block.lstrip().startswith(("```", "~~~"))
        was_fenced, is_fenced = is_fenced, is_fenced ^ (len(re.findall("```|~~~", block)) % 2 == 1)
        if begins or was_fenced or block.startswith(("    ", "\t")):
            continue
        found = _sentence_of(_prose_of(block))
        if found:
            return found
    return ""


def _prose_of(block: str) -> str:
    """Return a paragraph without its marks; nothing for headings, lists, tables and badges."""
    lines = [_BADGE.sub("", line).strip() for line in block.strip().splitlines()]
    lines = [line for line in lines if line]
    while lines and (re.match(r"#{1,6}\s", lines[0]) or _is_underline(lines[0])):
        lines = lines[1:]
    if len(lines) > 1 and _is_underline(lines[1]):
        lines = lines[2:]
    if lines and re.match(r">\s", lines[0]):
        lines = [line.lstrip("> ") for line in lines]
    plain = _plain(" ".join(lines))
    if not lines or (
        _NOT_PROSE.match(lines[0]) and not _LINK.match(lines[0]) and lines[0][:2] != "**"
    ):
        is_role = lines and lines[0].startswith(("`", "*", "_", ":")) and plain[:1].isalnum()
        return plain if is_role and not lines[0].startswith("* ") else ""
    return plain


def _is_underline(line: str) -> bool:
    return re.fullmatch(r"([=\-~^*#+\"'`.:_])\1{2,}", line) is not None


def _of_code(text: str, language: str) -> str:
    patterns = [_DOCSTRING] if language == "python" else [_BLOCK, _LINES]
    for pattern in patterns:
        found = pattern.match(text)
        if found is None:
            continue
        for paragraph in re.split(r"\n[^\w\n]*\n", found["text"]):
            words = [
                re.sub(r"^\s*(?:\*|//[/!]?|#|--|;)*\s?", "", line).strip()
                for line in paragraph.splitlines()
            ]
            words = [word for word in words if word and not _is_underline(word)]
            if any(word.startswith("@") for word in words):
                continue
            sentence = _sentence_of(_plain(" ".join(words)))
            if sentence and not sentence.startswith(("..", "http")):
                return sentence
    return ""


def _plain(text: str) -> str:
    text = _ROLE.sub(r"\1", _LINK.sub(r"\1", _BADGE.sub("", text)))
    return " ".join(_MARKS.sub("", _RST_LINK.sub(r"\1", text)).split())


def _sentence_of(text: str) -> str:
    if len(text) < SHORTEST or " " not in text or _NOT_ABOUT.search(text[:LONGEST]):
        return ""
    end = 0
    for place in _END.finditer(text):
        if place.start() >= SHORTEST and not _ABBREVIATED.search(text[: place.start()]):
            end = place.start()
            break
    sentence = text[:end].strip() if end else text
    if len(_OF_CODE.findall(sentence)) > 1:
        return ""
    if len(sentence) > LONGEST:
        sentence = sentence[: LONGEST - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"
    return sentence
