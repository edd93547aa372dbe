"""How well confidence tells what a project answers from what it doesn't."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from knowledge.abstaining import Abstaining, Asked, area, measure_abstaining
from knowledge.golden_sets import Golden
from projects.models import Membership, Project, Source

MAIL = Golden("m", "who delivers a letter?", ["src/mail.py"])
TREES = Golden("t", "when are oaks pruned?", ["trees.md"])


@pytest.mark.parametrize(
    ("higher", "lower", "expected"),
    [
        ([0.9, 0.8], [0.1, 0.2], 1.0),
        ([0.1, 0.2], [0.9, 0.8], 0.0),
        ([0.5], [0.5], 0.5),
        ([0.3, 0.9], [0.5], 0.5),
        ([0.3, 0.9, 0.9, 0.5], [0.5], 0.625),
        ([], [0.5], 0.5),
    ],
)
def test_the_area_is_the_share_of_pairs_in_the_right_order(higher, lower, expected):
    assert area(higher, lower) == expected


@given(st.lists(st.floats(0, 1), min_size=1), st.lists(st.floats(0, 1), min_size=1))
def test_the_area_is_what_counting_all_pairs_gives(higher, lower):
    won = sum((high > low) + (high == low) / 2 for high in higher for low in lower)
    assert area(higher, lower) == pytest.approx(won / (len(higher) * len(lower)))


def test_what_is_refused_is_told_apart():
    found = Abstaining([Asked(0.9, True), Asked(0.2, False)], [Asked(0.1, False)] * 4)

    assert found.as_dict() == {
        "here": 2,
        "elsewhere": 4,
        "auc": 1.0,
        "refused_here": 0.5,
        "refused_elsewhere": 1.0,
    }
    assert "refused here           0.500" in found.lines()


def test_questions_are_asked_at_home_and_elsewhere(
    source, index, project: Project, alice: User, tmp_path
) -> None:
    index(source, "src/mail.py", "def send_mail(letter):\n    return relay.deliver(letter)\n")
    garden = Project.objects.create(name="garden", owner=alice)
    Membership.objects.create(project=garden, user=alice, role=Membership.Role.OWNER)
    trees = Source.objects.create(project=garden, name="trees", path=str(tmp_path))
    index(trees, "trees.md", "Oaks are pruned in winter.\n")
    heard: list[str] = []

    found = measure_abstaining([(project, [MAIL]), (garden, [TREES])], tell=heard.append)

    assert (len(found.here), len(found.elsewhere)) == (2, 2)
    assert found.auc == 1.0
    assert [one.is_answerable for one in [*found.here, *found.elsewhere]] == [True] * 2 + [
        False
    ] * 2
    assert len(heard) == 4
