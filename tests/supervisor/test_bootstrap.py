"""The first seconds on somebody's machine: an environment, or one sentence."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bootstrap
from tests.supervisor.conftest import ROOT, short_folder, without_root

GOOD = {"version": (3, 11, 7), "platform": "linux", "git": "/usr/bin/git"}


def point_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a project that needs no package, and point the bootstrap's paths at it."""
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        (folder / name).touch()
    monkeypatch.setattr(bootstrap, "ROOT", str(folder))
    monkeypatch.setattr(bootstrap, "VENV", str(folder / ".venv"))
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", str(folder / ".venv/bin/python"))


@pytest.fixture(scope="module")
def made_folder() -> Iterator[Path]:
    """Where one environment is made for all tests of this module: each costs seconds."""
    with short_folder() as folder:
        yield folder


@pytest.fixture
def project(made_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose environment is there and whose pins are installed."""
    point_at(made_folder, monkeypatch)
    (made_folder / "requirements.txt").write_text("")
    assert bootstrap.main(["--dev"]) == 0
    return made_folder


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


def test_a_read_only_folder_is_one_sentence(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(open_folder, monkeypatch)
    open_folder.chmod(0o555)

    with without_root(), pytest.raises(bootstrap.Refusal, match=f"{open_folder} is read-only"):
        bootstrap.make_environment()


def test_a_start_with_everything_in_place_does_nothing(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()

    assert bootstrap.main([]) == bootstrap.main(["--dev"]) == 0

    assert not capfd.readouterr().err


def test_only_changed_pins_are_installed_again(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    (project / "constraints.txt").write_text("# another pin\n")

    bootstrap.main([])

    assert capfd.readouterr().err == "Installing the packages of requirements.txt into .venv\n"


def test_an_install_that_fails_is_a_sentence_and_is_tried_again(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "requirements.txt").write_text("./no-such-package\n")

    assert bootstrap.main([]) == bootstrap.main([]) == 1

    assert capfd.readouterr().err.count("requirements.txt could not be installed") == 2


def test_a_folder_that_was_moved_gets_a_new_environment(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    note = project / ".venv" / "made-for"
    note.write_text(note.read_text().replace(str(project), "/elsewhere"))
    capfd.readouterr()

    bootstrap.make_environment()

    assert capfd.readouterr().err == "Making .venv\n"


def test_an_environment_without_its_python_is_no_environment(project: Path) -> None:
    assert bootstrap.is_sound()

    python = project / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/no/such/python")

    assert not bootstrap.is_sound()
