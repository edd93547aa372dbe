import pytest

from knowledge.evaluation import Golden, SetUnreadable, evaluate, judge, read_set


def golden(*relevant) -> Golden:
    return Golden("q", "a question", frozenset(relevant))


def test_figures_of_a_small_set_are_what_they_are_by_hand():
    answers = {"one": ["a", "b"], "two": ["x", "y", "b"], "none": ["x"]}
    questions = [
        Golden("1", "one", frozenset({"a"})),
        Golden("2", "two", frozenset({"b"})),
        Golden("3", "none", frozenset({"b"})),
    ]
    figures, outcomes = evaluate(questions, answers.__getitem__)
    assert figures.questions == 3
    assert figures.hit_at_1 == pytest.approx(1 / 3)
    assert figures.hit_at_5 == pytest.approx(2 / 3)
    assert figures.mrr == pytest.approx((1 + 1 / 3) / 3)
    assert figures.ndcg_at_10 == pytest.approx((1 + 0.5) / 3)
    assert [outcome.first for outcome in outcomes] == [1, 3, 0]


def test_a_file_counts_once_however_many_passages_it_has():
    outcome = judge(golden("b"), ["a", "a", "a", "b"])
    assert outcome.first == 2
    assert outcome.found == ["a", "b"]


def test_recall_looks_at_ten_files():
    outcome = judge(golden("a", "z"), ["a", *map(str, range(9)), "z"])
    assert outcome.recall_at_10 == 0.5
    assert outcome.missed == ["z"]


def test_all_relevant_files_on_top_are_a_perfect_order():
    assert judge(golden("a", "b"), ["b", "a", "c"]).ndcg_at_10 == pytest.approx(1)


def test_a_set_is_read_line_by_line(tmp_path):
    path = tmp_path / "set.jsonl"
    path.write_text(
        '{"id": "1", "query": "q", "relevant": ["a.py"]}\n\n{"query": "r", "relevant": []}\n'
    )
    first, second = read_set(path)
    assert first == Golden("1", "q", frozenset({"a.py"}))
    assert second.id == "3"


@pytest.mark.parametrize(
    "text", ["", "\n", "not json", '{"query": "q"}', "[]", '{"query": "q", "relevant": 3}']
)
def test_a_set_in_another_format_is_refused_with_a_sentence(tmp_path, text):
    path = tmp_path / "set.jsonl"
    path.write_text(text)
    with pytest.raises(SetUnreadable, match=r"Line 1|no question"):
        read_set(path)
