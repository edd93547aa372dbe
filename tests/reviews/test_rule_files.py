"""Each rule finds its bad examples and none of its good ones, in every language it knows."""

import pytest

from reviews.rule_files import RuleBroken, read_rule, rules
from reviews.tree_rules import find_places

EXAMPLES = [
    pytest.param(rule, shape, example, is_bad, id=f"{rule.id}-{language}-{kind}-{number}")
    for rule in rules()
    for language, shapes in rule.shapes.items()
    for shape in shapes
    for kind, is_bad, examples in (("bad", True, shape.bad), ("good", False, shape.good))
    for number, example in enumerate(examples)
]


@pytest.mark.parametrize(("rule", "shape", "example", "is_bad"), EXAMPLES)
def test_a_rule_finds_its_bad_examples_and_none_of_the_good(rule, shape, example, is_bad):
    assert bool(list(find_places(example, shape.language, [rule]))) is is_bad


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_every_language_of_a_rule_has_examples_of_both_kinds(rule):
    for shapes in rule.shapes.values():
        assert all(shape.bad for shape in shapes)
        assert any(shape.good for shape in shapes)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_a_rule_says_what_is_wrong_in_one_sentence_and_who_says_so(rule):
    assert rule.claim.endswith(".")
    assert rule.why
    assert rule.reference
    assert 0 < rule.confidence <= 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- a", "needs"),
        ("id: [", "not valid YAML"),
        ("id: x\ncategory: bug", "needs"),
    ],
)
def test_a_rule_that_can_not_be_read_says_why(text, complaint):
    with pytest.raises(RuleBroken, match=complaint):
        read_rule(text)
