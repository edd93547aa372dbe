"""The files that people deploy with say what the code reads, and keep no secrets."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.supervisor.conftest import ROOT

SETTING = re.compile(r"env\.\w+\(\s*\"([A-Z_]+)\"")
EXAMPLE = re.compile(r"^#?([A-Z][A-Z_]+)=", re.MULTILINE)
# Read by docker-compose.yml or by git, and for one host that stands for all.
BESIDE_THE_SETTINGS = {
    *("POSTGRES_PASSWORD", "GIT_TOKEN_GITHUB_COM", "GIT_SSL_CAINFO", "EMBEDDING_API_KEY"),
}


@pytest.fixture
def compose() -> dict[str, dict[str, dict[str, object]]]:
    parsed: dict[str, dict[str, dict[str, object]]] = yaml.safe_load(
        (ROOT / "docker-compose.yml").read_text()
    )
    return parsed


def test_the_example_names_every_setting_and_no_other() -> None:
    read = set(SETTING.findall((ROOT / "config" / "settings.py").read_text()))
    named = set(EXAMPLE.findall((ROOT / ".env.example").read_text()))

    assert named == read | BESIDE_THE_SETTINGS


def test_the_example_sets_nothing() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == []


def test_all_parts_are_in_compose_and_each_has_a_health_check(
    compose: dict[str, dict[str, dict[str, object]]],
) -> None:
    services = compose["services"]

    assert set(services) == {
        *("web", "worker", "beat", "migrate"),
        *("postgres", "valkey", "qdrant"),
    }
    # The web process has the one of its image.
    assert {name for name, service in services.items() if "healthcheck" not in service} == {"web"}
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_no_part_starts_before_the_migrations_are_done(
    name: str, compose: dict[str, dict[str, dict[str, dict[str, object]]]]
) -> None:
    needed = compose["services"][name]["depends_on"]

    assert needed["migrate"] == {"condition": "service_completed_successfully"}
    assert needed["postgres"] == needed["valkey"] == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", ["SECRET_KEY", "POSTGRES_PASSWORD"])
def test_compose_refuses_to_start_without_secrets_of_your_own(name: str) -> None:
    text = (ROOT / "docker-compose.yml").read_text()

    uses = re.findall(r"\$\{" + name + r"(:\?)?", text)
    assert uses
    assert set(uses) == {":?"}


def test_the_image_takes_neither_secrets_nor_data_along() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert {".env", "var", ".git", ".venv"} <= set(ignored)


def test_the_image_runs_as_a_user_of_its_own() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()

    assert [line for line in lines if line.startswith("USER")] == ["USER nightowl"]


def test_data_and_environment_are_never_committed(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    for path in ("var/secret-key", ".venv/made-for", ".env"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()

    status = subprocess.run(
        ["git", "-C", str(tmp_path), "status", "--porcelain", "--untracked-files=all"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert status.stdout == "?? .gitignore\n"


def test_what_ci_runs_is_a_program() -> None:
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_make_alone_names_its_targets() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    for target in ("run", "test", "test-slow", "lint", "format", "clean"):
        assert f"make {target} " in shown.stdout
