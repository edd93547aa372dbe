"""How far a change keeps to what a team has agreed on, module by module."""

import pytest

from reviews.conventions import module_of, scores_of_modules
from reviews.models import Finding, Standard
from reviews.rule_files import rules
from tests.reviews.changing import changed

OURS = {"convention", "pattern"}


def standard(number, **said):
    said = {"title": f"Standard {number}", "check_kind": "pattern", "check_rule": "x", **said}
    return Standard(pk=number, **said)


def scores(path, files, *, findings=(), standards=()):
    change = changed(path, {"x.css": "a"}, files)
    return {one.module: one for one in scores_of_modules(change, findings, standards)}


def own_rules(language, layer="source"):
    """Return the names of our rules that speak of a file."""
    return {
        rule.name
        for rule in rules()
        if rule.category in OURS and language in rule.shapes and layer not in rule.skip
    }


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("owl.py", "."),
        ("src/owl.py", "src"),
        ("src/birds/owl.py", "src/birds"),
        ("src/birds/night/owl.py", "src/birds"),
    ],
)
def test_a_module_is_the_first_folders_of_a_path(path, module):
    assert module_of(path) == module


def test_each_module_is_scored_by_the_rules_that_speak_of_it(tmp_path):
    said = scores(
        tmp_path,
        {"owl.css": "b", "a/owl.css": "b", "a/b/c/owl.css": "b", "a/b/owl.txt": "b"},
        standards=[standard(1), standard(2, files="/a/\n!*.txt"), standard(3, files="*.rb")],
    )
    assert {name: (one.passed, one.applicable) for name, one in said.items()} == {
        ".": (1, 1),
        "a": (2, 2),
        "a/b": (2, 2),
    }


@pytest.mark.parametrize(
    ("path", "language"), [("a/owl.py", "python"), ("a/owl.go", "go"), ("a/owl.ts", "typescript")]
)
def test_our_own_conventions_apply_to_the_languages_that_they_know(tmp_path, path, language):
    expected = len(own_rules(language))
    (score,) = scores(tmp_path, {path: "x\n"}).values()
    assert (score.applicable, score.passed) == (expected, expected)
    assert 0 < expected < len(rules())


def test_a_rule_that_tests_may_break_does_not_apply_to_them(tmp_path):
    here = scores(
        tmp_path, {"a/owl.py": "x\n", "tests/test_owl.py": "x\n"}, standards=[standard(1)]
    )
    leftovers = [rule for rule in rules() if rule.id == "debug-leftover"]
    assert "test" in leftovers[0].skip
    assert here["a"].applicable == len(own_rules("python")) + 1
    assert here["tests"].applicable == len(own_rules("python", "test")) + 1
    assert here["a"].applicable > here["tests"].applicable


def test_what_is_broken_is_named_with_its_findings(tmp_path):
    findings = [
        *(Finding(rule="standard/1", path="a/owl.css") for _ in range(12)),
        Finding(rule="standard/1", path="b/owl.css"),
        Finding(rule="standard/2", path="c/owl.css"),
        Finding(rule="model", path="a/owl.css"),
    ]
    said = scores(
        tmp_path,
        {"a/owl.css": "b", "b/owl.css": "b"},
        findings=findings,
        standards=[standard(1), standard(2)],
    )
    assert (said["a"].passed, said["a"].applicable) == (1, 2)
    assert said["a"].violations == [
        {
            "rule": "standard/1",
            "title": "Standard 1",
            "count": 12,
            "findings": [str(one.pk) for one in findings[:10]],
        }
    ]
    assert [one["count"] for one in said["b"].violations] == [1]


def test_our_own_rule_is_broken_by_its_finding_in_this_module_only(tmp_path):
    name = min(own_rules("python"))
    said = scores(
        tmp_path,
        {"a/owl.py": "x\n", "b/owl.py": "x\n"},
        findings=[Finding(rule=name, path="a/owl.py")],
    )
    assert said["a"].passed == said["a"].applicable - 1
    assert said["b"].passed == said["b"].applicable
    assert [one["rule"] for one in said["a"].violations] == [name]


@pytest.mark.parametrize(
    ("before", "after", "gone"),
    [
        ({}, {"a/owl.css": ""}, ()),
        ({"a/owl.css": "x\ny\n"}, {"a/owl.css": "x\n"}, ()),
        ({"a/owl.css": "x\n", "b.txt": "x\n"}, {}, ("a/owl.css",)),
    ],
    ids=["empty", "only removed", "gone"],
)
def test_a_module_to_which_nothing_was_added_is_not_scored(tmp_path, before, after, gone):
    change = changed(tmp_path, {"z.css": "a", **before}, after, gone=gone)
    assert scores_of_modules(change, [], [standard(1)]) == []


def test_a_standard_without_a_check_is_no_rule(tmp_path):
    assert scores(tmp_path, {"a/owl.css": "b"}, standards=[standard(1, check_kind="")]) == {}
