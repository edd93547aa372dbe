import pytest

from conversations.citations import cited_numbers, without_code


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It does [1].", [1]),
        ("It does [2] and [1], [2].", [2, 1]),
        ("Both [1, 3].", [1, 3]),
        ("All [1-3], [5–6].", [1, 2, 3, 5, 6]),
        ("Backwards [3-1].", [3]),
        ("No end [1-999].", list(range(1, 22))),
        ("No marks at all.", []),
        ("An index a[i] and a footnote [^1].", []),
        ("A year [2026].", []),
        ("Code `a[1]` and\n```\nb[2]\n```\nthen [3].", [3]),
        ("~~~\n[1]\n```\n[2]\n~~~\n[3]", [3]),
        ("```\n[1] never closed", []),
    ],
)
def test_marks_outside_of_code_are_read_in_order_of_appearance(text, numbers):
    assert cited_numbers(text) == numbers


def test_a_text_without_its_code_is_as_long():
    text = "a `b` c\n```\nd\n```\ne"

    assert len(without_code(text)) == len(text)
    assert "b" not in without_code(text)
