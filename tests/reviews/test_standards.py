"""What a team agreed on: read as it stood before the change, checked, and scored."""

import pytest

from reviews.models import ConventionScore, Finding, Standard
from reviews.standards import read_standards

pytestmark = pytest.mark.django_db(transaction=True)

AGENTS = "# Rules\n\n## Naming\n\nFunctions are named with verbs, never with nouns.\n\n## Empty\n"


def write(project, **said) -> Standard:
    said = {"title": "No shouting", "severity": "warning", "text": "Write quietly.", **said}
    return Standard.objects.create(project=project, **said)


def test_standards_of_the_branch_are_read_section_by_section(night, history, project):
    history.change("Agree", files={"AGENTS.md": AGENTS})
    night()
    history.change("Go on", files={"n.txt": "1"})
    night()

    (standard,) = Standard.objects.filter(project=project)
    assert (standard.title, standard.path) == ("Naming", "AGENTS.md")
    assert standard.anchor in {"#naming", "naming"}
    assert "verbs" in standard.text


def test_a_change_can_not_speak_for_itself(night, history, project):
    night()
    history.change("Agree with myself", files={"AGENTS.md": AGENTS})

    night()

    assert not Standard.objects.filter(project=project).exists()


def test_what_a_person_set_of_a_standard_stays(night, history, project, ledger):
    sha = history.change("Agree", files={"AGENTS.md": AGENTS})
    night()
    read_standards(type(ledger).objects.get(pk=ledger.pk), sha)
    Standard.objects.update(check_kind="pattern", check_rule="x", is_enabled=False)
    sha = history.change(
        "Say more", files={"AGENTS.md": AGENTS.replace("never with nouns", "not with nouns")}
    )
    night()

    read_standards(type(ledger).objects.get(pk=ledger.pk), sha)

    standard = Standard.objects.get()
    assert "not with nouns" in standard.text
    assert (standard.check_kind, standard.is_enabled) == ("pattern", False)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("pattern", r"\bSHOUT\b"),
        ("tree", "python: {match: {pattern: SHOUT($$$)}}"),
        ("tool", "ANN001"),
    ],
)
def test_a_check_finds_what_a_change_adds_and_scores_its_module(
    night, history, project, kind, rule
):
    night()
    standard = write(project, check_kind=kind, check_rule=rule, files="*.py")
    sha = history.change(
        "Shout", files={"app/loud.py": "def f(a):\n    return SHOUT(a)\n", "x.txt": "SHOUT\n"}
    )

    night()

    finding = Finding.objects.get(review__commit__sha=sha, category="convention")
    assert finding.rule == standard.rule
    assert finding.path == "app/loud.py"
    score = ConventionScore.objects.get(review__commit__sha=sha, module="app")
    assert score.passed == score.applicable - 1
    assert [one["title"] for one in score.violations] == ["No shouting"]


def test_what_stood_there_before_is_nobodys_of_this_change(night, history, project):
    history.change("Shout", files={"app/loud.py": "SHOUT = 1\n"})
    night()
    write(project, check_kind="pattern", check_rule="SHOUT")
    sha = history.change("Go on", files={"app/loud.py": "SHOUT = 1\nquiet = 2\n"})

    night()

    assert not Finding.objects.filter(review__commit__sha=sha, category="convention").exists()
