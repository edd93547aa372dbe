"""Documents that still tell of what a change has removed, renamed or set to another value."""

import pytest

from reviews.documents import SHOWN, stale_documents
from tests.reviews.changing import changed

OWL = "def hunt_mice():\n    return 1\n"


def found(path, before, after):
    return [
        (one.start_line, one.claim, one.left)
        for one in stale_documents(changed(path, before, after))
    ]


def is_gone(what):
    return f"{what} is gone, and the documents still name it."


def is_now(name, new, old):
    return f"{name} is {new} now, and the documents still say {old}."


@pytest.mark.parametrize(
    ("old", "new", "told", "what"),
    [
        (OWL, OWL.replace("hunt_mice", "hunt_all"), "Call `hunt_mice()`.", "“hunt_mice”"),
        (OWL, OWL.replace("hunt_mice", "hunt_all"), "Call `hunt_mice_now()`.", ""),
        ("def hunt():\n    pass\n", "def fly():\n    pass\n", "They hunt.", ""),
        ("def _hunt_mice():\n    pass\n", "def _fly_on():\n    pass\n", "`_hunt_mice`", ""),
        (
            "class NightOwl:\n    pass\n",
            "class DayOwl:\n    pass\n",
            "A NightOwl hunts.",
            "“NightOwl”",
        ),
        (
            "def hunt(max_mice):\n    return max_mice\n",
            "def hunt(most):\n    return most\n",
            "Give `max_mice`.",
            "The parameter “max_mice”",
        ),
        (
            "def hunt(mice):\n    return mice\n",
            "def hunt(most):\n    return most\n",
            "Give mice.",
            "",
        ),
        ('add("--max-mice")\n', 'add("--most")\n', "Use --max-mice 3.", "“--max-mice”"),
        ('add("--max-mice")\n', 'add("--most")\n', "Use --max-mice-now 3.", ""),
        ('add("--mice")\n', 'add("--" + name)\n', "Use --mice 3.", ""),  # may still be made
        ('get("MAX_MICE")\n', 'get("MOST")\n', "Set MAX_MICE.", "“MAX_MICE”"),
        ('get("MICE")\n', 'get("MOST")\n', "Set MICE.", ""),
        ('route("/mice/all")\n', 'route("/prey")\n', "GET /mice/all", "“/mice/all”"),
        ('route("/mice/all")\n', 'route("/mice/all/")\n', "GET /mice/all", ""),
    ],
)
def test_what_is_gone_and_still_told_of_is_found(tmp_path, old, new, told, what):
    before = {"owl.py": f"import os\n\n{old}", "README.md": f"# Owls\n\n{told}\n"}
    said = found(tmp_path, before, {"owl.py": f"import os\n\n{new}"})
    assert said == ([(3, is_gone(what), ("README.md",))] if what else [])


@pytest.mark.parametrize("path", ["docs/use.md", "guide.rst", "notes.txt", "docs/a.adoc.md"])
def test_every_document_may_be_stale(tmp_path, path):
    before = {"owl.py": OWL, path: "hunt_mice()\n"}
    said = found(tmp_path, before, {"owl.py": OWL.replace("hunt_mice", "hunt_all")})
    assert said == [(1, is_gone("“hunt_mice”"), (path,))]


@pytest.mark.parametrize(
    "path",
    [
        *("CHANGELOG.md", "docs/changes.md", "HISTORY.rst", "NEWS.md", "docs/releases/1.md"),
        *("UPGRADING.md", "docs/migrating.md", "docs/adr/0001.md", "docs/decisions/1.md"),
    ],
)
def test_what_tells_of_the_past_may_name_what_is_gone(tmp_path, path):
    before = {"owl.py": OWL + "WAIT_SECONDS = 5\n", path: "hunt_mice() waits WAIT_SECONDS, 5\n"}
    after = {"owl.py": OWL.replace("hunt_mice", "hunt_all") + "WAIT_SECONDS = 6\n"}
    assert found(tmp_path, before, after) == []


@pytest.mark.parametrize("still", ["other.py", "owl.sh", "tests/test_owl.py"])
def test_what_code_still_knows_is_not_gone(tmp_path, still):
    before = {"owl.py": OWL, "README.md": "`hunt_mice`\n", still: "hunt_mice\n"}
    assert found(tmp_path, before, {"owl.py": OWL.replace("hunt_mice", "hunt_all")}) == []


def test_a_document_that_changed_with_it_is_not_stale(tmp_path):
    before = {"owl.py": OWL, "README.md": "`hunt_mice`\n"}
    after = {name: text.replace("hunt_mice", "hunt_all") for name, text in before.items()}
    assert found(tmp_path, before, after) == []


@pytest.mark.parametrize(
    ("old", "new", "told", "claim"),
    [
        (
            "WAIT_SECONDS = 5",
            "WAIT_SECONDS = 60",
            "WAIT_SECONDS is 5.",
            is_now("WAIT_SECONDS", "60", "5"),
        ),
        ("WAIT_SECONDS = 5", "WAIT_SECONDS = 60", "WAIT_SECONDS is 60, was 5.", ""),
        ("WAIT_SECONDS = 5", "WAIT_SECONDS = 60", "WAIT_SECONDS is 15.", ""),
        ("WAIT_SECONDS = 5", "WAIT_SECONDS = 60", "OTHER_SECONDS is 5.", ""),
        ("WAIT_SECONDS = 5", "WAIT_SECONDS = 5  # still", "WAIT_SECONDS is 5.", ""),
        ("wait: int = 5", "wait: int = 6", "wait: 5", ""),  # too short to be told apart
        ("limit: int = 50", "limit: int = 60", "The limit is 50.", is_now("limit", "60", "50")),
        ("limit = Decimal(50)", "limit = Decimal(60)", "limit: 50", is_now("limit", "60", "50")),
        ('a_mode = "fast"', 'a_mode = "safe"', "a_mode is fast", is_now("a_mode", "safe", "fast")),
        ('level = "fast"', 'level = "safe"', "level is fast", ""),
        (
            "is_quiet = True",
            "is_quiet = False",
            "is_quiet: True",
            is_now("is_quiet", "False", "True"),
        ),
        ("rate_used = 0.5", "rate_used = 0.7", "rate_used 0.5", is_now("rate_used", "0.7", "0.5")),
        (
            "big_size = 1_000",
            "big_size = 2_000",
            "big_size 1_000",
            is_now("big_size", "2_000", "1_000"),
        ),
    ],
)
def test_a_value_that_documents_still_give_as_it_was_is_found(tmp_path, old, new, told, claim):
    before = {"owl.py": f"import os\n\n{old}\n", "docs/use.md": f"{told}\n"}
    said = found(tmp_path, before, {"owl.py": f"import os\n\n{new}\n"})
    assert said == ([(3, claim, ("docs/use.md",))] if claim else [])


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("src/owl.ts", "const waitSeconds = 5;\n", "const waitSeconds = 60;\n"),
        ("owl.go", "package a\n\nconst waitSeconds = 5\n", "package a\n\nconst waitSeconds = 60\n"),
        ("Owl.java", "int waitSeconds = 5;\n", "int waitSeconds = 60;\n"),
    ],
)
def test_values_of_other_languages_are_compared_too(tmp_path, path, old, new):
    before = {path: old, "README.md": "waitSeconds is 5\n"}
    ((_, claim, left),) = found(tmp_path, before, {path: new})
    assert (claim, left) == (is_now("waitSeconds", "60", "5"), ("README.md",))


def test_code_that_is_no_product_has_no_documents(tmp_path):
    before = {"tests/owl.py": OWL, "README.md": "`hunt_mice`\n"}
    assert found(tmp_path, before, {"tests/owl.py": "def fly_far():\n    return 1\n"}) == []


def test_a_line_is_told_of_once_whatever_it_took_away(tmp_path):
    before = {"owl.py": 'get("MAX_MICE", "MAX_OWLS")\n', "README.md": "MAX_MICE and MAX_OWLS\n"}
    said = found(tmp_path, before, {"owl.py": 'get("MOST")\n'})
    assert said == [(1, is_gone("“MAX_MICE”"), ("README.md",))]


def test_the_first_documents_are_shown_and_all_are_named(tmp_path):
    documents = {f"docs/{letter}.md": f"See hunt_mice, {letter}.\n" for letter in "abcde"}
    change = changed(
        tmp_path, {"owl.py": OWL, **documents}, {"owl.py": OWL.replace("hunt_mice", "hunt_all")}
    )
    (one,) = stale_documents(change)
    shown = [f"docs/{letter}.md:1: See hunt_mice, {letter}." for letter in "abcde"[:SHOWN]]
    assert one.evidence.split("\n") == ["Not changed with it:", *shown, f"and {5 - SHOWN} more"]
    assert (one.rule, one.severity, one.reference) == (
        "nightowl/stale-docs",
        "warning",
        "docs/a.md",
    )
    assert one.left == tuple(documents)
    assert (one.path, one.quote) == ("owl.py", "def hunt_all():")


def test_a_long_note_of_signs_does_not_hold_a_night_up(tmp_path):
    signs = "----\n" * 60_000
    before = {
        "owl.py": 'MAX_OWLS = env("OWL_LIMIT_ALL")\n',
        "docs/owls.md": f"{signs}OWL_LIMIT_ALL\n",
    }
    change = changed(tmp_path, before, {**before, "owl.py": "MAX_OWLS = 4\n"})
    assert [one.rule for one in stale_documents(change)] == ["nightowl/stale-docs"]
