"""Two hundred answers and more, honest and invented: every citation that is shown holds.

The checker here shares no code with what it checks.
"""

import re
from random import Random

import pytest
from asgiref.sync import async_to_sync

from conversations import asking
from conversations.answering import write_answer
from conversations.streaming import answer_html
from knowledge.models import DocumentVersion

pytestmark = pytest.mark.django_db(transaction=True)

NOUNS = ["cache", "relay", "queue", "parser", "session", "router", "ledger", "token"]
VERBS = ["evict", "deliver", "drain", "parse", "refresh", "match", "record", "revoke"]
OTHER_FILES = ["src/not_there.py", "README.md", "src/billing/invoices.py"]


def code_of(noun: str, verb: str) -> str:
    return f'''"""Everything about the {noun}."""


class {noun.title()}:
    """Keeps what the {noun} needs until somebody asks to {verb} it."""

    def {verb}_{noun}(self, limit=10):
        """Make the {noun} {verb} at most so many entries.

        Entries that are younger stay where they are.
        """
        for entry in self.entries[:limit]:
            self.entries.remove(entry)
            yield entry

    def count_{noun}s(self):
        return len(self.entries)
'''


def guide_of(noun: str, verb: str) -> str:
    return (
        f"# The {noun}\n\nThe {noun} is there to {verb} entries. It never blocks a request.\n\n"
        f"## When to {verb}\n\nCall `{verb}_{noun}` after each deploy, with a limit of ten.\n"
    )


@pytest.fixture
def indexed(source, index):
    for noun, verb in zip(NOUNS, VERBS, strict=True):
        index(source, f"src/{noun}/__init__.py", code_of(noun, verb))
        index(source, f"docs/{noun}.md", guide_of(noun, verb))
    index(source, "src/billing/invoices.py", "def total_of(invoice):\n    return invoice.sum\n")
    return source


def ask(viewer, project, question: str):
    answer = asking.ask(asking.begin(viewer, project), question)
    taken = asking.take(answer.pk)

    async def to_the_end() -> None:
        async for _ in write_answer(taken):
            pass

    async_to_sync(to_the_end)()
    answer.refresh_from_db()
    return answer


def questions() -> list[str]:
    forms = [
        "how does the {noun} {verb} entries?",
        "{verb}_{noun}",
        "when should I {verb} the {noun}?",
        "what counts the entries of the {noun}, and what keeps them?",
        "does the {noun} block a request?",
        "which limit has {verb}_{noun} and which entries stay?",
        "where is the class {noun} and what are its methods?",
    ]
    pairs = zip(NOUNS, VERBS, strict=True)
    return [form.format(noun=noun, verb=verb) for noun, verb in pairs for form in forms]


def invented(random: Random, noun: str, verb: str) -> str:
    """Return what a careless model may write about a noun."""
    mark = random.choice(
        ["[1]", "[2]", "[3]", "[7]", "[42]", "[1, 99]", "[1-3]", "[2][8]", "[999]"]
    )
    return random.choice(
        [
            f"The {noun} keeps entries {mark}.",
            f"It is `{verb}_{noun}` that does it {mark}.",
            f"It is `{verb}_everything()` that does it {mark}.",
            f'The guide says "the {noun} is there to {verb} entries" {mark}.',
            f'The guide says "the {noun} is never to {verb} anything" {mark}.',
            f"See `{random.choice(OTHER_FILES)}` {mark}.",
            f"{mark} says that `count_{noun}s` counts and `delete_{noun}s` deletes.",
            f"Like this {mark}:\n\n```python\nreturn len(self.entries)\n```",
            f"Like this {mark}:\n\n```python\nreturn self.entries.clear()[1]\n```",
            f"As written {mark}\n\n> It never blocks a request.",
            f"As written {mark}\n\n> It blocks every request.",
            f"- one `limit=10` {mark}\n- two `limit=99` {mark}",
            f'It says "limit < 10 and {noun} > 1" {mark}.',
            f'It says "self.entries[:limit]" {mark} and `->` {mark}.',
            f"It is `!=` {mark}, “!!” {mark}.",
            f"`{verb}_{noun}` does [1] and `count_{noun}s` does [2] and `drop_{noun}` [3].",
            f"It is `{verb}_{noun}` and `count_{noun}s` [1][2][3].",
            f"So {mark}:\n\n```python\nyield entry\nself.entries.remove(entry)\n```",
            f"So {mark}:\n\n```python\nself.entries.remove(entry)\nyield entry\n```",
            f"Read [1](https://evil.example/x) and {mark}.\n\n[2]: https://evil.example/y",
            f"An index `entries[1]` {mark}, and “somebody asks to {verb} it” {mark}.",
        ]
    )


def torn(random: Random, text: str) -> list[str]:
    pieces = []
    while text:
        size = random.randint(1, 9)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


# --- The checker ---------------------------------------------------------------------------------


SENTENCE_END = r":(?=\s|$)|[.!?](?:\s?\[\d[^\]]*\])*(?=\s|$)"


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def has(source: dict, said: str) -> bool:
    """Whether a passage has it sign for sign, but for white space and what is left out."""
    text, at = flat(source["text"]), 0
    for part in said.split("…"):
        at = text.find(flat(part).strip(), at)
        if at < 0:
            return False
    return True


def problems_of(message) -> tuple[list[str], int]:
    """Return what is wrong with the citations of an answer, and how many it shows."""
    sources = {source["number"]: source for source in message.sources or []}
    wrong = [f"{n} does not stand" for n, source in sources.items() if not stands(source)]
    shown = 0
    block_marks: list[int] = []
    parts = re.split(r"^(```.*?^```$)", message.content, flags=re.MULTILINE | re.DOTALL)
    for part in parts:
        if part.startswith("```"):
            code = "\n".join(part.splitlines()[1:-1])
            wrong += [f"{n}: {code}" for n in block_marks if not has(sources[n], code)]
            continue
        for paragraph in part.split("\n"):
            if not paragraph.strip():
                continue
            marks, found = check_line(paragraph, sources)
            shown += len(re.findall(r"\[\d", re.sub(r"`[^`]*`", "", paragraph)))
            wrong += found
            if not paragraph.startswith(">"):
                block_marks = marks
            elif not marks:
                said = paragraph.removeprefix(">")
                wrong += [f"{n}: {said}" for n in block_marks if not has(sources[n], said)]
    return wrong, shown


RUN_OF_MARKS = r"(?:[ ,;]*\[\d{1,3}(?:[\s,–-]+\d+)*\])+"


def check_line(line: str, sources: dict) -> tuple[list[int], list[str]]:
    """Check each sentence of a line; return the marks that code or a quotation may follow."""
    bare = re.sub(r"`[^`]*`", lambda m: "x" * len(m[0]), line)
    ends = [m.end() for m in re.finditer(SENTENCE_END, bare)]
    last: list[int] = []
    wrong: list[str] = []
    for start, end in zip([0, *ends], [*ends, len(line)], strict=True):
        runs = list(re.finditer(RUN_OF_MARKS, bare[start:end]))
        marks = [[int(n) for n in re.findall(r"\d+", run[0])] for run in runs]
        edges = [0, *(run.end() for run in runs[:-1]), end - start]
        for numbers, first, until in zip(marks, edges, edges[1:], strict=False):
            said = spans_in(
                line[start + first : start + until], bare[start + first : start + until]
            )
            for number in numbers:
                if number not in sources:
                    wrong.append(f"{number} is not a source: {line}")
                else:
                    wrong += [f"{number} has no {x}" for x in said if not has(sources[number], x)]
        if line[start:end].strip(" .:"):
            last = marks[-1] if marks else []
    return last, wrong


def spans_in(text: str, bare: str) -> list[str]:
    quoted = [text[m.start() + 1 : m.end() - 1] for m in re.finditer(r'"[^"]+"|“[^”]+”', bare)]
    return [*(code.removesuffix("()") for code in re.findall(r"`([^`]+)`", text)), *quoted]


def stands(source: dict) -> bool:
    version = DocumentVersion.objects.select_related("blob").get(
        source=source["source_id"], path=source["file_path"], commit=source["commit"]
    )
    rows = version.blob.text.split("\n")
    lines = rows[source["start_line"] - 1 : source["end_line"]]
    return source["end_line"] <= len(rows) and source["text"] in "\n".join(lines)


def problems_of_html(message) -> list[str]:
    html = answer_html(message)
    addresses = {str(source["number"]): source["url"] for source in message.sources or []}
    links = re.findall(r'<a href="([^"]*)"[^>]*class="citation"[^>]*>(\d+)</a>', html)
    goes = {number: address.replace("&", "&amp;") for number, address in addresses.items()}
    wrong = [f"{n} leads to {to}" for to, n in links if goes.get(n) != to]
    others = re.findall(r'<a [^>]*href="(https?:[^"]*)"', html)
    return wrong + [f"a link to {to}" for to in others if "evil" in to and f">{to}<" not in html]


def test_every_citation_of_every_answer_holds(
    indexed, viewer, project, model, server, settings
) -> None:
    random = Random(20261127)
    answers, shown, dropped, wrong = 0, 0, 0, []
    model.is_default = False
    model.save()
    for question in questions():
        message = ask(viewer, project, question)
        found, count = problems_of(message)
        assert message.citations_dropped == 0, message.content
        wrong += [f"{question}: {problem}" for problem in [*found, *problems_of_html(message)]]
        answers, shown = answers + 1, shown + count
    assert shown > answers
    model.is_default = True
    model.save()
    for number in range(160):
        noun, verb = random.choice(list(zip(NOUNS, VERBS, strict=True)))
        written = "\n\n".join(invented(random, noun, verb) for _ in range(random.randint(1, 4)))
        server.pieces = torn(random, written)
        message = ask(viewer, project, f"how does the {noun} {verb} entries? {number}")
        found, count = problems_of(message)
        wrong += [f"{written!r}: {problem}" for problem in [*found, *problems_of_html(message)]]
        answers, shown = answers + 1, shown + count
        dropped += message.citations_dropped
    assert answers >= 200
    assert dropped > 100
    assert shown > 300
    assert wrong == []


def test_the_checker_finds_what_does_not_hold(indexed, viewer, project) -> None:
    message = ask(viewer, project, "evict_cache")
    assert problems_of(message)[0] == []
    for untrue in (
        "It does [99].",
        "It is `nothing_of_this` [1].",
        'It says "nothing of the kind" [1].',
        'It says "!!" [1].',
        "It is `->` [1].",
        "`nothing` [1] and more [1].",
        "`nothing` [1][1].",
        "So [1]\n```\nyield entry\nself.entries.remove(entry)\n```",
        "So [1]\n\n> Nothing of the kind.",
        "So [1]\n```\nnothing()\n```",
    ):
        message.content = untrue
        assert problems_of(message)[0], untrue
