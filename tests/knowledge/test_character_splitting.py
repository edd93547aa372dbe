"""Pieces by characters: as LangChain's splitter makes them, which these cases were taken from."""

import pytest

from knowledge.character_splitting import split_by_characters


def pieces(text: str, size: int = 10, overlap: int = 0) -> list[str]:
    return [text[a:b] for a, b in split_by_characters(text, size=size, overlap=overlap)]


@pytest.mark.parametrize(
    ("text", "size", "overlap", "expected"),
    [
        ("", 10, 0, []),
        (" \n\n ", 10, 0, []),
        ("short", 10, 0, ["short"]),
        ("one\n\ntwo", 10, 0, ["one\n\ntwo"]),
        ("first one\n\nsecond", 10, 0, ["first one", "second"]),
        ("a line\nanother\n\nlast", 10, 0, ["a line", "another", "last"]),
        ("aa bb cc dd", 5, 0, ["aa bb", "cc", "dd"]),
        ("aa bb cc dd", 6, 0, ["aa bb", "cc dd"]),
        ("aa bb cc dd", 6, 3, ["aa bb", "bb cc", "cc dd"]),
        ("abcdefghijkl", 5, 0, ["abcde", "fghij", "kl"]),
        ("abcdefghijkl", 5, 2, ["abcde", "defgh", "ghijk", "jkl"]),
        ("  padded  \n\n  text  ", 12, 0, ["padded", "text"]),
    ],
)
def test_text_is_cut_at_the_coarsest_place_that_fits(text, size, overlap, expected):
    assert pieces(text, size, overlap) == expected


def test_the_usual_pieces_are_of_a_thousand_characters_with_a_hundred_of_overlap():
    text = " ".join(f"word{number:04}" for number in range(1000))
    spans = split_by_characters(text)
    assert max(end - start for start, end in spans) <= 1000
    overlaps = [spans[i][1] - spans[i + 1][0] for i in range(len(spans) - 1)]
    assert all(80 <= overlap <= 100 for overlap in overlaps)


def test_nothing_but_white_space_is_lost():
    text = "def a():\n    return 1\n\n\ndef bee():\n    return 22\n" * 20
    covered = set()
    for start, end in split_by_characters(text, size=30, overlap=5):
        covered.update(range(start, end))
    assert all(text[place].isspace() for place in range(len(text)) if place not in covered)
