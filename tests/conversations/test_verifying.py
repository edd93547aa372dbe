from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.verifying import verify
from knowledge.parsing_markdown import citations_in
from knowledge.rendering import render_markdown
from tests.conversations.marks import numbers_of


@dataclass(frozen=True)
class Quoted:
    number: int
    text: str


CACHE = Quoted(
    1,
    'def evict_oldest(self):\n    """Drop the value that was written first."""\n    self.pop(key)',
)
MAIL = Quoted(2, "# Mail\n\nMail goes out\nthrough the relay.")
PASSAGES = [CACHE, MAIL]


@pytest.mark.parametrize(
    ("text", "verified", "dropped"),
    [
        ("It drops values [1].", "It drops values [1].", 0),
        ("It drops values [9].", "It drops values.", 1),
        ("Both [1, 9] do.", "Both [1] do.", 1),
        ("All [1-3] do.", "All [1][2] do.", 1),
        ("It calls `self.pop(key)` [1].", "It calls `self.pop(key)` [1].", 0),
        ("It calls `self.push(key)` [1].", "It calls `self.push(key)`.", 1),
        ("It is `evict_oldest()` [1].", "It is `evict_oldest()` [1].", 0),
        ("`src/cache.py`: `evict_oldest` [1]", "`src/cache.py`: `evict_oldest` [1]", 0),
        ("`Cache.evict_oldest` [1]", "`Cache.evict_oldest`", 1),
        ("See `src/other.py` [1].", "See `src/other.py`.", 1),
        ("It is `evict_oldest` [2].", "It is `evict_oldest` [1].", 0),
        ("It is `evict_oldest` [9].", "It is `evict_oldest` [1].", 0),
        ('It says "written first" [1].', 'It says "written first" [1].', 0),
        ('It says "goes out through" [1].', 'It says "goes out through" [2].', 0),
        ("It says “written last” [1].", "It says “written last”.", 1),
        ('It says "Drop … first" [1].', 'It says "Drop … first" [1].', 0),
        ("`evict_oldest` drops [1] and the relay mails [2].",) * 2 + (0,),
        ("The relay mails [2] and `nothing` drops [1].", "The relay mails and `nothing` drops.", 2),
        ("[1] says `nothing`.", " says `nothing`.", 1),
        ("Not here: `other`. It drops [1].", "Not here: `other`. It drops [1].", 0),
        ("It drops. [1]", "It drops. [1]", 0),
        ("An `index[1]` is no mark.", "An `index[1]` is no mark.", 0),
        ("See [1](https://evil.example).", "See [1].", 0),
        ("See [1].\n\n[1]: https://evil.example", "See [1].\n\n", 0),
        (
            "It is [1]:\n\n```python\nself.pop(key)\n```",
            "It is [1]:\n\n```python\nself.pop(key)\n```",
            0,
        ),
        ("It is [1]:\n\n```\nself.push()\n```", "It is:\n\n```\nself.push()\n```", 1),
        ("It is [1]\n\n```\n# …\nself.pop(key)\n```",) * 2 + (0,),
        ("```\nvalues[1] = values[9]\n```", "```\nvalues[1] = values[9]\n```", 0),
        ("Mail [2]\n\n> Mail goes out through the relay.",) * 2 + (0,),
        ("Mail [2]\n\n> Mail stays at home.", "Mail\n\n> Mail stays at home.", 1),
        ("> Mail goes out [2]", "> Mail goes out [2]", 0),
        ("> Mail stays in [2]", "> Mail stays in", 1),
        ("- `evict_oldest` [1]\n- `relay_all` [2]", "- `evict_oldest` [1]\n- `relay_all`", 1),
        ("A year [2026] and a footnote [^1].", "A year [2026] and a footnote [^1].", 0),
        (
            'It says "Value that was written first" [1].',
            'It says "Value that was written first".',
            1,
        ),
        ('It says "written first that" [1].', 'It says "written first that".', 1),
        ('It says "self.pop(Key)" [1].', 'It says "self.pop(Key)".', 1),
        ('It says "first … Drop" [1].', 'It says "first … Drop".', 1),
        ('It says "!!" [1].', 'It says "!!".', 1),
        ("It is `->` [1].", "It is `->`.", 1),
        ("It is `self != key` [1].", "It is `self != key`.", 1),
        (
            "So [1]:\n\n```\nself.pop(key)\ndef evict_oldest(self):\n```",
            "So:\n\n```\nself.pop(key)\ndef evict_oldest(self):\n```",
            1,
        ),
        ("So [1]:\n\n```\ndef evict_oldest(self):\n    # …\n    self.pop(key)\n```",) * 2 + (0,),
        ("", "", 0),
    ],
)
def test_only_citations_that_hold_are_left(text: str, verified: str, dropped: int) -> None:
    found = verify(text, PASSAGES)

    assert (found.text, found.dropped) == (verified, dropped)


ALPHABET = [
    *("[1]", "[2]", "[9]", "[1, 2]", "[1]: x", "](y)", "`evict_oldest`", "`nothing`"),
    *('"goes out"', "```", "\n", " ", ". ", "> ", "- ", "word"),
]


@pytest.mark.parametrize(
    "text",
    [
        "# A ` heading and `nothing`\nwith [1] ` d",
        "| a ` `nothing` [1] | c ` |\n|-|-|\n| b | d |",
        "> A ` quotation\n\nof `nothing` [1] ` d",
        "    An indented ` block\n\nand `nothing` [1] ` d",
    ],
)
def test_what_only_a_page_takes_for_a_mark_is_no_link(text: str) -> None:
    verified = verify(text, PASSAGES)

    assert "citation" not in render_markdown(verified.text, citations={1: "/one", 2: "/two"})
    assert "`nothing`" in verified.text


@given(st.lists(st.sampled_from(ALPHABET), max_size=30).map("".join))
def test_whatever_a_model_writes_only_known_numbers_remain_and_stay(text: str) -> None:
    once = verify(text, PASSAGES)

    assert set(numbers_of(once.text)) <= {1, 2}
    assert set(citations_in(once.text)) == once.shown
    assert verify(once.text, PASSAGES).text == once.text
