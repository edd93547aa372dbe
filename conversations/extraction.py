"""An answer without a model: the definition, the lines that matter, and where else to look."""

import re
from collections.abc import Iterable, Sequence

from conversations.passages import Passage
from knowledge.words import terms_of

LINES_OF_CODE = 14
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\"'(*])|\n\s*\n|\n(?=[-*#|>]|\d+\. )")
PROSE = {"markdown", "rst", "text", "notebook", ""}
COMMENT = re.compile(r"^\s*(?:#|//|/\*|\*|--|\"\"\"|''')\s?")
LONGEST_SENTENCE = 320


def compose(question: str, passages: Sequence[Passage], *, uses_of: str = "") -> str:
    """Return Markdown made of the passages' own words, each with its mark."""
    wanted = frozenset(terms_of(question))
    first, *others = passages
    parts = [_lead(first, wanted)]
    if others:
        parts.append("Also in the sources:")
        parts.append("\n".join(_mention(passage, wanted) for passage in others))
    return "\n\n".join(parts)


def _lead(passage: Passage, wanted: frozenset[str]) -> str:
    if passage.language in PROSE:
        body = "\n\n".join(f"> {sentence}" for sentence in _best_sentences(passage, wanted, 3))
        return f"{_title(passage)} [{passage.number}]\n\n{body}"
    told = _explanation(passage, wanted)
    said = f"\n\n> {told}" if told else ""
    code = _fenced(_best_lines(passage.text, wanted), passage.language)
    return f"{_title(passage)} [{passage.number}]{said}\n\n{code}"


def _mention(passage: Passage, wanted: frozenset[str]) -> str:
    if passage.language in PROSE:
        told = next(iter(_best_sentences(passage, wanted, 1)), "")
    else:
        told = _explanation(passage, wanted) or f"`{_signature(passage.text)}`"
    title = _title(passage)
    if not told:
        return f"- {title} [{passage.number}]"
    return f"- {title}{'' if title.endswith(':') else ','} {told} [{passage.number}]"


def _title(passage: Passage) -> str:
    """Return where a passage is, and what of it can be quoted as its name."""
    name = passage.symbol.rpartition(".")[2]
    if name and name in passage.text:
        return f"`{passage.path}`: `{name}`"
    heading = passage.header.rpartition(" > ")[2] if " > " in passage.header else ""
    if heading and passage.language in PROSE and _plain(heading) in _plain(passage.text):
        return f"`{passage.path}`: “{_plain(heading)}”"
    return f"`{passage.path}`, lines {passage.start_line}–{passage.end_line}:"


def _best_sentences(passage: Passage, wanted: frozenset[str], count: int) -> list[str]:
    """Return the sentences that share most with the question, in their own order."""
    sentences = [_plain(part) for part in SENTENCE.split(passage.text)]
    telling = [(i, s) for i, s in enumerate(sentences) if len(s) > 20 and _is_said(s, passage)]
    ranked = sorted(telling, key=lambda pair: (-_overlap(pair[1], wanted), pair[0]))
    return [sentence for _, sentence in sorted(ranked[:count])]


def _explanation(passage: Passage, wanted: frozenset[str]) -> str:
    """Return the first sentence that the code says about itself in words, if it does."""
    told = [COMMENT.sub("", line).strip(" \"'*/") for line in _comment_lines(passage.text)]
    plain = (_plain(part) for part in SENTENCE.split(" ".join(told)) if len(part) > 15)
    sentences = [sentence for sentence in plain if _is_said(sentence, passage)]
    if not sentences:
        return ""
    best = max(range(len(sentences)), key=lambda i: (_overlap(sentences[i], wanted), -i))
    return sentences[best if _overlap(sentences[best], wanted) else 0]


def _is_said(sentence: str, passage: Passage) -> bool:
    """Whether a sentence can be quoted: signs of comments and lists may have stood within it."""
    return sentence.removesuffix(" …") in " ".join(passage.text.split())


def _comment_lines(text: str) -> Iterable[str]:
    quoted = ""
    for line in text.split("\n"):
        stripped = line.strip()
        mark = next((m for m in ('"""', "'''") if m in stripped), "")
        if quoted:
            yield line
            quoted = "" if quoted in stripped else quoted
        elif mark:
            yield stripped.partition(mark)[2]
            quoted = "" if stripped.count(mark) > 1 else mark
        elif COMMENT.match(line) and not stripped.startswith(("#!", "#include", "#define")):
            yield line


def _best_lines(text: str, wanted: frozenset[str]) -> str:
    """Return the run of lines that shares most with the question, from the top on a tie."""
    lines = text.split("\n")
    if len(lines) <= LINES_OF_CODE:
        return text
    gains = [_overlap(line, wanted) for line in lines]
    starts = range(len(lines) - LINES_OF_CODE + 1)
    best = max(starts, key=lambda start: (sum(gains[start : start + LINES_OF_CODE]), -start))
    return "\n".join(lines[best : best + LINES_OF_CODE])


def _overlap(text: str, wanted: frozenset[str]) -> int:
    return len(wanted.intersection(terms_of(text)))


def plain(text: str) -> str:
    """Return words that Markdown leaves as they are."""
    return re.sub(r"([\\`*\[\]<>#|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))", r"\\\1", text)


def _signature(text: str) -> str:
    lines = (line.strip() for line in text.split("\n"))
    told = (line for line in lines if line and not line.startswith(("@", "#", "//", "/*", "*")))
    return next(told, "").replace("`", "'")[:120]


def _plain(text: str) -> str:
    """Return prose on one line, without marks that would be read as ours."""
    one_line = re.sub(r"\s+", " ", re.sub(r"^\s*(?:[#>*|+-]+|\d+\.)\s+", "", text)).strip()
    one_line = re.sub(r"\[(\d{1,3})\]", r"(\1)", one_line)
    if len(one_line) > LONGEST_SENTENCE:
        one_line = one_line[:LONGEST_SENTENCE].rpartition(" ")[0] + " …"
    return one_line if one_line.count("`") % 2 == 0 else one_line.replace("`", "'")


def _fenced(code: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"
