"""A night sees what the code does not tell, and closes what it tells by then."""

from knowledge.gaps import settle_gap
from knowledge.models import KnowledgeGap
from reviews.gaps import CHURN

UNDOCUMENTED, UNTESTED = KnowledgeGap.Kind.UNDOCUMENTED, KnowledgeGap.Kind.UNTESTED
BARN = """def feed(owl, mice):
    for mouse in mice:
        owl.eat(mouse)
    return owl


def house(owl, box):
    box.add(owl)
    box.close()
    return box


def release(owl, box):
    box.open()
    box.remove(owl)
    return owl
"""


def gaps(**of: object) -> dict[str, KnowledgeGap]:
    return {gap.module: gap for gap in KnowledgeGap.objects.filter(**of)}


def test_public_code_that_nobody_describes_is_a_gap_until_somebody_does(night, history):
    history.change("Keep owls", files={"barn/owls.py": BARN})
    night()
    gap = gaps(kind=UNDOCUMENTED)["barn"]
    assert (gap.times, gap.state) == (3, KnowledgeGap.State.CANDIDATE)
    assert [sample["question"] for sample in gap.samples][:2] == [
        "barn/owls.py: feed",
        "barn/owls.py: house",
    ]

    told = BARN.replace("):\n", '):\n    """Do so for an owl."""\n')
    history.change("Describe it", files={"barn/owls.py": told})
    night()

    gap.refresh_from_db()
    assert gap.state == KnowledgeGap.State.CLOSED
    assert gap.closed_at


def test_a_module_without_tests_is_a_gap_where_others_have_some(night, history):
    barn = {f"barn/{name}.py": f"{name.upper()} = 1\n" for name in ("owls", "mice", "boxes")}
    mill = {f"mill/{name}.py": f"{name.upper()} = 1\n" for name in ("wheel", "stone", "sack")}
    tests = {"tests/mill/test_wheel.py": "def test_it_turns():\n    assert True\n"}
    history.change("Build", files={**barn, **mill, **tests})
    night()
    found = gaps(kind=UNTESTED)
    assert set(found) == {"barn"}
    assert found["barn"].reason == "barn has 3 files and no tests."

    settle_gap(found["barn"], KnowledgeGap.State.DISMISSED)
    history.change("Say more", files={"barn/owls.py": "OWLS = 2\n"})
    night()
    assert gaps(kind=UNTESTED)["barn"].state == KnowledgeGap.State.DISMISSED


def test_what_changes_often_and_no_document_names_is_a_gap(night, history):
    for number in range(CHURN + 1):
        files = {"barn/owls.py": f"OWLS = {number}\n", "mill/wheel.py": f"TURNS = {number}\n"}
        history.change(f"Count {number}", files=files)
    history.change("Tell of the mill", files={"docs/guide.md": "# Guide\n\nThe mill turns.\n"})
    night()
    assert set(gaps(kind=KnowledgeGap.Kind.CHURN)) == {"barn"}
