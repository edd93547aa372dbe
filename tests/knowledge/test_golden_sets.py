"""Sets of questions: what a line may hold, and that what is written is read back."""

import pytest

from knowledge.golden_sets import Golden, Passage, SetUnreadable, parse_set, read_set, write_set


def test_a_set_is_read_line_by_line(tmp_path):
    path = tmp_path / "set.jsonl"
    path.write_text(
        '{"id": "1", "query": "q", "relevant": ["a.py"]}\n\n{"query": "r", "relevant": []}\n'
    )
    first, second = read_set(path)
    assert first == Golden("1", "q", frozenset({"a.py"}))
    assert second.id == "3"


def test_lines_may_be_told_beside_plain_paths():
    (golden,) = parse_set(
        '{"id": 7, "query": "q", "note": "asked by new people", "relevant": ["a.py",'
        ' {"path": "b.py", "start_line": 3, "end_line": 9}, {"path": "b.py", "start_line": 20},'
        ' {"path": "c.py"}]}'
    )
    assert golden.id == "7"
    assert golden.relevant == {"a.py", "b.py", "c.py"}
    assert golden.lines == {Passage("b.py", 3, 9), Passage("b.py", 20, 20)}
    assert golden.note == "asked by new people"
    assert golden.passages == [
        Passage("a.py"),
        Passage("b.py", 3, 9),
        Passage("b.py", 20, 20),
        Passage("c.py"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "not json",
        '{"query": "q"}',
        "[]",
        '{"query": "q", "relevant": 3}',
        '{"query": "q", "relevant": "a.py"}',
        '{"query": "q", "relevant": [{"start_line": 3}]}',
        '{"query": "q", "relevant": [{"path": "a", "start_line": 3, "end_line": 2}]}',
        '{"query": "q", "relevant": [{"path": "a", "start_line": 0}]}',
        '{"query": "q", "relevant": [{"path": "a", "start_line": "x"}]}',
    ],
)
def test_a_set_in_another_format_is_refused_with_a_sentence(text):
    with pytest.raises(SetUnreadable, match=r"Line 1|no question"):
        parse_set(text)


def test_what_is_written_is_read_back():
    golden = [
        Golden("1", "Wo schläft die Eule?", frozenset({"b.py", "a.py"})),
        Golden("2", "q", frozenset({"a.py"}), frozenset({Passage("a.py", 1, 2)}), "a note"),
    ]
    assert parse_set(write_set(golden)) == golden


@pytest.mark.parametrize(
    ("one", "other", "is_touched"),
    [
        (Passage("a", 1, 5), Passage("a", 5, 9), True),
        (Passage("a", 1, 5), Passage("a", 6, 9), False),
        (Passage("a", 3, 4), Passage("a", 1, 9), True),
        (Passage("a"), Passage("a", 6, 9), True),
        (Passage("a", 1, 5), Passage("b", 1, 5), False),
    ],
)
def test_passages_touch_where_they_share_a_line(one, other, is_touched):
    assert one.touches(other) is is_touched
    assert other.touches(one) is is_touched
