"""The first seconds on somebody's machine: an environment, or one sentence."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bootstrap
from tests.supervisor.conftest import ROOT, without_root

GOOD = {"version": (3, 11, 7), "platform": "linux", "git": "/usr/bin/git"}


@pytest.fixture
def project(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project that needs no package, with the bootstrap's paths pointing at it."""
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        (open_folder / name).touch()
    monkeypatch.setattr(bootstrap, "ROOT", str(open_folder))
    monkeypatch.setattr(bootstrap, "VENV", str(open_folder / ".venv"))
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", str(open_folder / ".venv/bin/python"))
    return open_folder


def test_an_old_python_can_at_least_read_it() -> None:
    source = (ROOT / "bootstrap.py").read_text()

    ast.parse(source, feature_version=(3, 6))


@pytest.mark.parametrize(
    ("difference", "sentence"),
    [
        ({"version": (3, 8, 18)}, "needs Python 3.11 or newer, and this is 3.8.18"),
        ({"version": (3, 10, 13)}, "needs Python 3.11 or newer, and this is 3.10.13"),
        ({"platform": "darwin"}, "needs Linux; elsewhere use `docker compose up`"),
        ({"git": None}, "git, which is not installed here"),
    ],
)
def test_a_machine_that_cannot_do_is_told_why(difference: dict[str, object], sentence: str) -> None:
    with pytest.raises(bootstrap.Refusal, match=sentence):
        bootstrap.refuse_machine(**{**GOOD, **difference})


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 1), (4, 0, 0)])
def test_newer_pythons_are_welcome(version: tuple[int, ...]) -> None:
    bootstrap.refuse_machine(**{**GOOD, "version": version})


def test_a_missing_git_is_one_line_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "bootstrap.py", "run"],
        env={"PATH": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == "Nightowl reads repositories with git, which is not installed here.\n"


def test_a_read_only_folder_is_one_sentence(project: Path) -> None:
    project.chmod(0o555)

    with without_root(), pytest.raises(bootstrap.Refusal, match=f"{project} is read-only"):
        bootstrap.make_environment()


def test_the_environment_is_made_once(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert bootstrap.main([]) == 0

    said = capfd.readouterr().err
    assert said.count("Making .venv") == 1
    assert said.count("Installing the packages of requirements.txt") == 1


def test_only_changed_pins_are_installed_again(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bootstrap.main(["--dev"])
    capfd.readouterr()

    bootstrap.main([])
    assert not capfd.readouterr().err

    (project / "constraints.txt").write_text("# another pin\n")
    bootstrap.main([])
    assert capfd.readouterr().err == "Installing the packages of requirements.txt into .venv\n"


def test_an_install_that_fails_is_a_sentence_and_is_tried_again(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "requirements.txt").write_text("./no-such-package\n")

    assert bootstrap.main([]) == 1

    assert "requirements.txt could not be installed" in capfd.readouterr().err
    assert bootstrap.main([]) == 1


def test_a_folder_that_was_moved_gets_a_new_environment(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bootstrap.main([])
    note = project / ".venv" / "made-for"
    note.write_text(note.read_text().replace(str(project), "/elsewhere"))
    capfd.readouterr()

    bootstrap.main([])

    assert "Making .venv" in capfd.readouterr().err


def test_a_broken_environment_is_made_again(project: Path) -> None:
    (project / ".venv" / "bin").mkdir(parents=True)
    os.symlink("/no/such/python", project / ".venv" / "bin" / "python")

    assert bootstrap.main([]) == 0
    assert bootstrap.is_sound()
