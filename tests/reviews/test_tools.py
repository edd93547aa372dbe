"""Ruff and bandit say what they find whatever the files are called, hold or want of them."""

import subprocess
import sys
import tempfile

import pytest

from reviews import tools
from reviews.tools import Version, rule_of, run_ruff, run_tools, tool_rules

WRONG = "import os\n\nos.system('ls ' + os.getcwd())\n"
EVAL = "import os\n\neval(os.getcwd())\n"
# Both overflow the stack of a parser that goes down for each of them.
BOMBS = {
    "sums": "x = (\n    1\n" + "".join(f"    + {number}\n" for number in range(50_000)) + ")\n",
    "signs": "x = " + "-" * 50_000 + "1\n",
}


def said(*versions, before=()):
    """Return what is said of files, by tool, code, path and line; each tool must answer."""
    reports = run_tools(
        [Version(*version) for version in before], [Version(*version) for version in versions]
    )
    assert reports.failed == []
    return {(one.tool, one.code, one.path, one.start_line) for one in reports.after}


def shells(path, line=3):
    return {("ruff", "S605", path, line), ("bandit", "S605", path, line)}


def test_both_versions_are_looked_at_and_kept_apart():
    reports = run_tools([Version("owl.py", WRONG)], [Version("owl.py", EVAL)])
    assert {one.code for one in reports.before} == {"S605"}
    assert {one.code for one in reports.after} == {"S307"}
    assert reports.failed == []


def test_a_report_says_where_and_what_and_where_to_read_more():
    reports = run_tools([], [Version("owl.py", WRONG)])
    (ruffs,) = [one for one in reports.after if one.tool == "ruff"]
    (bandits,) = [one for one in reports.after if one.tool == "bandit"]
    assert (ruffs.start_line, ruffs.end_line) == (bandits.start_line, bandits.end_line) == (3, 3)
    assert ruffs.message.startswith("Starting a process with a shell")
    assert ruffs.address.startswith("https://docs.astral.sh/ruff/rules/")
    assert bandits.message == "start process with a shell"
    assert bandits.address.startswith("https://bandit.readthedocs.io/")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"# ruff: noqa\n# flake8: noqa\n{WRONG}", 5),
        (WRONG.replace(")\n", ")  # noqa: S605\n"), 3),
        (WRONG.replace(")\n", ")  # nosec\n"), 3),
        (WRONG.replace(")\n", ")  # nosec B605 # noqa\n"), 3),
        ('# /// script\n# [tool.ruff]\n# exclude = ["*"]\n# ///\n' + WRONG, 7),
        (f"# -*- coding: nosuch -*-\n{WRONG}", None),  # nothing runs it
        (f"# -*- coding: latin-1 -*-\n# é\n{WRONG}", 5),
        (f"\ufeff{WRONG}", 3),
        (WRONG.replace("\n", "\r\n"), 3),
    ],
)
def test_nothing_in_a_file_switches_a_tool_off(text, line):
    found = said(("owl.py", text))
    assert ("ruff", "S605", "owl.py", line or 4) in found
    assert (("bandit", "S605", "owl.py", line) in found) is (line is not None)


def test_no_configuration_beside_a_file_is_read():
    names = [
        *("pyproject.toml", "ruff.toml", ".ruff.toml", ".bandit", "setup.cfg", "tox.ini"),
        *(".gitignore", "a/pyproject.toml"),
    ]
    text = 'exclude = ["*"]\n[tool.ruff]\nexclude = ["*"]\n[bandit]\nskips = B605\n*\n'
    assert said(("owl.py", WRONG), *((name, text) for name in names)) >= shells("owl.py")


def test_no_configuration_above_the_files_is_read(monkeypatch, tmp_path):
    above = '[lint.per-file-ignores]\n"*" = ["ALL"]\n'
    (tmp_path / "ruff.toml").write_text(above)
    (tmp_path / "pyproject.toml").write_text('[tool.bandit]\nskips = ["B605"]\n')
    (tmp_path / ".bandit").write_text("[bandit]\nskips = B605\n")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert said(("owl.py", WRONG)) == shells("owl.py")


def test_the_environment_of_the_worker_is_not_theirs(monkeypatch, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit(1)\n")
    (tmp_path / "bandit.py").write_text("raise SystemExit(1)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("RUFF_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert said(("owl.py", WRONG)) == shells("owl.py")


def test_files_of_every_name_are_looked_at():
    names = [
        *(
            "-rf.py",
            "--config=x.py",
            "new\nline.py",
            "a b.py",
            "é.py",
            "\\xff.py",
            "n" * 250 + ".py",
        ),
        *("bandit.py", "json.py", "ruff.pyi", "__init__.py", "a/../b.py", "venv/build/dist/x.py"),
        *("../../../tmp/up.py", "/etc/root.py", "SConstruct", "$(id).py"),
    ]
    found = said(*((name, WRONG) for name in names))
    assert found == set().union(*(shells(name) for name in names))


def test_two_files_of_one_name_are_told_apart():
    found = said(("a/owl.py", WRONG), ("b/owl.py", EVAL))
    assert found == shells("a/owl.py") | {
        ("ruff", "S307", "b/owl.py", 3),
        ("bandit", "S307", "b/owl.py", 3),
    }


def test_files_that_can_not_be_parsed_are_said_to_be_so_and_hide_no_other():
    broken = {
        "syntax.py": "def f(:\n    pass\n",
        "nul.py": "x = 1\n\0\n",
        "brackets.py": "(" * 3_000,
        "tabs.py": "if x:\n\tpass\n        pass\n",
    }
    found = said(*broken.items(), ("owl.py", WRONG))
    assert {one[:3] for one in found if one[2] != "owl.py"} == {
        ("ruff", "invalid-syntax", path) for path in broken
    }
    assert found >= shells("owl.py")


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_file_that_breaks_a_tool_ends_nothing_but_itself(bomb):
    others = [Version(f"owl{number}.py", WRONG) for number in range(5)]
    reports = run_tools([], [*others[:2], Version("bomb.py", bomb), *others[2:]])
    assert reports.failed == ["ruff did not answer on bomb.py"]
    found = {(one.tool, one.code, one.path, one.start_line) for one in reports.after}
    assert found == set().union(*(shells(other.path) for other in others))


def test_checks_of_the_project_survive_a_file_that_breaks_ruff_too():
    versions = [Version("owl.py", "def f():\n    pass\n"), Version("bomb.py", BOMBS["signs"])]
    assert [(one.code, one.path) for one in run_ruff(versions, ["D103"])] == [("D103", "owl.py")]


@pytest.mark.parametrize(
    ("limit", "value", "count", "named"),
    [
        ("MEGABYTES", 8, 1, "owl0.py"),
        ("MEGABYTES", 8, 3, "owl0.py, owl1.py, owl2.py"),
        ("SECONDS", 0, 4, "4 files"),
    ],
)
def test_a_tool_that_takes_too_much_is_ended_and_said_to_have_been(
    monkeypatch, limit, value, count, named
):
    monkeypatch.setattr(tools, limit, value)
    reports = run_tools([], [Version(f"owl{number}.py", WRONG) for number in range(count)])
    assert reports.failed == [f"{tool} did not answer on {named}" for tool in ("ruff", "bandit")]
    assert reports.after == []


def test_what_runs_is_held_to_its_memory_by_the_kernel(monkeypatch, tmp_path):
    monkeypatch.setattr(tools, "MEGABYTES", 200)
    allot = "import sys; bytearray(int(sys.argv[1]) * 1024 * 1024); print('held')"
    assert tools._run(tmp_path, sys.executable, "-c", allot, "20") == b"held\n"
    with pytest.raises(subprocess.CalledProcessError):
        tools._run(tmp_path, sys.executable, "-c", allot, "400")


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([], []), (["D103"], ["D103"]), (["D103", "ANN201"], ["ANN201", "D103"]), (["S105"], [])],
)
def test_ruff_is_asked_for_the_codes_of_a_standard_only(codes, expected):
    text = "def f():  # noqa\n    pass\n"
    found = run_ruff([Version("owl.py", text), Version("broken.py", "def (")], codes)
    assert sorted(one.code for one in found if one.path == "owl.py") == expected
    assert "invalid-syntax" not in {one.code for one in found}


def test_a_code_that_there_is_not_finds_nothing():
    assert run_ruff([Version("owl.py", WRONG)], ["NOSUCH1"]) == []


@pytest.mark.parametrize(
    ("code", "claim"),
    [
        ("S605", "A shell runs this command."),
        ("PLE0101", ""),  # as all of its letters
        ("YTT101", ""),
        ("E501", None),
        ("S101", None),
        ("", None),
    ],
)
def test_a_rule_is_reported_by_its_code_or_the_letters_of_its_group(code, claim):
    rule = rule_of(code)
    assert (rule and rule.claim) == claim


def test_the_table_of_rules_says_everything_of_each():
    for code, rule in tool_rules().items():
        assert rule.severity in {"info", "warning", "critical"}, code
        assert rule.category in {"bug", "security", "pattern", "performance", "convention"}, code
        assert 0 < rule.confidence <= 1, code
        assert rule.claim.endswith((".", "?")) or code in {"PLE", "YTT"}, code


def test_without_files_nothing_is_started():
    assert run_tools([Version("owl.py", WRONG)], []).after == []
    assert run_tools([], []).failed == []
