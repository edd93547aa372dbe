import pytest

from conversations.extraction import compose
from conversations.passages import Passage
from knowledge.rendering import render_markdown
from tests.conversations.marks import numbers_of

CODE = '''def split(text):
    """Split a text into chunks.

    Overlap is not used.
    """
    return text.split("\\n\\n")
'''


def passage(number=1, **fields) -> Passage:
    fields = {
        "document_id": "d",
        "source_id": "s",
        "source": "code",
        "file_path": f"src/file{number}.py",
        "commit": "c" * 40,
        "start_line": 10,
        "end_line": 20,
        "header_anchor": "",
        "header": "",
        "symbol": "",
        "kind": "function",
        "language": "python",
        "similarity_score": 0.5,
        "url": "/x",
        "text": CODE,
        **fields,
    }
    return Passage(number=number, **fields)


def test_the_definition_leads_with_what_it_says_of_itself():
    answer = compose("how is a text split", [passage(symbol="split")])
    assert answer.startswith("`split`, src/file1.py, lines 10–20 [1]")
    assert "> Split a text into chunks." in answer
    assert "```python\ndef split(text):\n    …\n    return" in answer


def test_every_passage_is_cited_once():
    answer = compose("split", [passage(1), passage(2), passage(3, language="markdown")])
    assert sorted(numbers_of(answer)) == [1, 2, 3]


def test_of_a_long_passage_the_lines_that_matter_are_shown():
    lines = [f"line_{i} = {i}" for i in range(60)]
    lines[40] = "timeout_seconds = 5"
    answer = compose("what is the timeout in seconds", [passage(text="\n".join(lines))])
    assert "timeout_seconds = 5" in answer
    assert "line_1 =" not in answer


def test_prose_is_quoted_by_its_nearest_sentences():
    text = "# Limits\n\nNothing to see in here. Uploads may hold 25 MB at most. More follows."
    answer = compose(
        "how large may uploads be",
        [passage(text=text, language="markdown", header="docs/a.md > Limits")],
    )
    assert "“Limits”" in answer
    assert "> Uploads may hold 25 MB at most." in answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n\n",
        "# only a comment",
        "/* unclosed comment",
        '"""unclosed',
        "x" * 5000,
        "```\nfence in code\n```",
        "[1] [2] [99] numbers that look like marks",
        "<script>alert(1)</script>",
        "`odd backtick",
    ],
)
@pytest.mark.parametrize("language", ["python", "markdown", ""])
def test_any_passage_gives_an_answer_that_renders(text, language):
    answer = compose(
        "a question", [passage(1, text=text, language=language), passage(2, text=text)]
    )
    html = render_markdown(answer, citations={1: "/one", 2: "/two"})
    assert "<script>" not in html
    assert 'href="/one"' in html
    assert "[2]" not in html or "[2]" in text


def test_a_fence_inside_the_code_does_not_end_the_quotation():
    answer = compose("q", [passage(text="a = 1\n````\nb = 2\n````")])
    assert "`````python" in answer
