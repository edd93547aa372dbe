"""`manage.py doctor`."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.utils import timezone

from knowledge.models import EmbeddingSpace
from portal import checkup
from portal.checkup import Finding, Verdict
from projects.models import Job, Source
from projects.workers import beat
from providers.models import Provider

KEY = "q8Zr2Lw5Xn1Vb7Mk4Tj9Hd3Gf6Sa0Pc8Yu2Ie5Ro1Wq7Et4Zx9"


@pytest.fixture
def sound(db: None, settings: Any, tmp_path: Path) -> None:
    """An installation with nothing to complain about."""
    settings.SECRET_KEY = KEY
    settings.NIGHTOWL_HOME = tmp_path
    settings.PUBLIC_URL = "https://nightowl.example.org"
    settings.DEBUG = False
    beat("worker")


def by_name() -> dict[str, Finding]:
    return {finding.what: finding for finding in checkup.examine()}


def test_a_sound_installation_is_all_right(sound: None) -> None:
    out = StringIO()
    call_command("doctor", stdout=out)
    lines = out.getvalue().splitlines()
    assert all(line.startswith("ok ") for line in lines)
    assert [line.split(":")[0].removeprefix("ok").strip() for line in lines] == [
        *("address", "secret key", "home", "git", "redis", "embedder", "database"),
        *(
            "vector",
            "pg_trgm",
            "migrations",
            "indexes",
            "search model",
            "worker",
            "polling",
            "answers",
        ),
    ]


def test_what_is_bad_ends_with_1_and_a_program_can_read_it(sound: None, settings: Any) -> None:
    settings.SECRET_KEY = "short"
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("doctor", "--json", stdout=out)
    assert end.value.code == 1
    findings = {row["what"]: row for row in json.loads(out.getvalue())}
    assert findings["secret key"]["verdict"] == "bad"
    assert "50" in findings["secret key"]["sentence"]


@pytest.mark.parametrize("key", ["short", "a" * 60])
def test_a_weak_key_is_bad(key: str, settings: Any) -> None:
    settings.SECRET_KEY = key
    assert checkup.check_secret_key().verdict is Verdict.BAD


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("https://nightowl.example.org", Verdict.OK),
        ("http://127.0.0.1:8000", Verdict.OK),
        ("http://localhost", Verdict.OK),
        ("http://nightowl.example.org", Verdict.ATTENTION),
        ("https://example.org/nightowl", Verdict.BAD),
        ("nightowl.example.org", Verdict.BAD),
        ("ftp://example.org", Verdict.BAD),
        ("", Verdict.BAD),
    ],
)
def test_the_address(url: str, verdict: Verdict, settings: Any) -> None:
    settings.PUBLIC_URL = url
    settings.DEBUG = False
    assert checkup.check_public_url().verdict is verdict


def test_debugging_in_public_is_bad(settings: Any) -> None:
    settings.PUBLIC_URL = "https://nightowl.example.org"
    settings.DEBUG = True
    assert checkup.check_public_url().verdict is Verdict.BAD


def test_a_home_that_can_not_be_written_is_bad(settings: Any, tmp_path: Path) -> None:
    settings.NIGHTOWL_HOME = tmp_path / "gone"
    assert checkup.check_home().verdict is Verdict.BAD


def test_a_full_disk_is_told_before_it_is_full(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.NIGHTOWL_HOME = tmp_path
    monkeypatch.setattr(checkup, "LITTLE_SPACE", 10**18)
    assert checkup.check_home().verdict is Verdict.ATTENTION
    monkeypatch.setattr(checkup, "NO_SPACE", 10**18)
    assert checkup.check_home().verdict is Verdict.BAD


def test_git_that_is_missing_or_old_is_bad(tmp_path: Path, monkeypatch: Any) -> None:
    assert checkup.check_git().verdict is Verdict.OK
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\necho git version 2.11.0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert "2.11.0 is too old" in checkup.check_git().sentence
    program.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "missing" in checkup.check_git().sentence


@pytest.mark.parametrize("url", ["", "redis://127.0.0.1:1/0", "nonsense"])
def test_redis_that_does_not_answer_is_bad(url: str, settings: Any) -> None:
    settings.REDIS_URL = url
    assert checkup.check_redis().verdict is Verdict.BAD


def test_an_embedder_that_does_not_answer_is_bad(settings: Any) -> None:
    settings.EMBEDDING_ADAPTER = "compatible"
    settings.EMBEDDING_BASE_URL = "http://127.0.0.1:1/v1"
    settings.EMBEDDING_MODEL = "owl"
    assert checkup.check_embedder().verdict is Verdict.BAD


def test_the_active_space_is_asked_and_the_others_heard(db: None) -> None:
    assert checkup.check_search_model().sentence == "Nothing is embedded yet."
    space = EmbeddingSpace.objects.create(
        adapter="HashedWords", model_name="hashed-words", dimensions=1024, state="active"
    )
    assert checkup.check_search_model() == checkup.ok("search model", "hashed-words answers.")
    EmbeddingSpace.objects.create(model_name="owl", dimensions=16, error="The budget is used up.")
    heard = checkup.check_search_model()
    assert (heard.verdict, heard.sentence) == (Verdict.ATTENTION, "owl: The budget is used up.")
    EmbeddingSpace.objects.filter(pk=space.pk).update(adapter="compatible")
    assert checkup.check_search_model().verdict is Verdict.BAD


def test_an_extension_that_is_missing_or_old_is_bad(db: None) -> None:
    assert checkup.check_extension("owl", (1,)).verdict is Verdict.BAD
    assert "too old" in checkup.check_extension("vector", (99, 0)).sentence


def test_migrations_that_are_not_applied_are_bad(sound: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'conversations'")
    found = by_name()
    assert found["migrations"].verdict is Verdict.BAD
    assert "migrate" in found["migrations"].sentence
    assert "worker" not in found


@pytest.mark.django_db(transaction=True)
def test_an_index_whose_building_broke_off_is_bad(source: Source) -> None:
    for kind in ("sync", "embed"):
        Job.objects.create(project=source.project, source=source, kind=kind)
    with connection.cursor() as cursor:
        with pytest.raises(IntegrityError):
            cursor.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON projects_job (source_id)")
        sentence = checkup.check_indexes().sentence
        cursor.execute("DROP INDEX broken")
    assert "broken" in sentence


def test_jobs_without_a_worker_are_bad(db: None, source: Source) -> None:
    assert checkup.check_worker().verdict is Verdict.ATTENTION
    Job.objects.create(project=source.project, source=source, kind="sync")
    assert checkup.check_worker().verdict is Verdict.BAD
    beat("worker")
    assert checkup.check_worker().verdict is Verdict.OK


def test_repositories_that_cannot_be_looked_at_want_attention(db: None, source: Source) -> None:
    assert "Repositories looked at: 1, the next within a minute." in by_name()["polling"].sentence
    Source.objects.update(poll_failures=2, next_poll_at=timezone.now() + timedelta(hours=1))
    finding = by_name()["polling"]
    assert finding.verdict is Verdict.ATTENTION
    assert "In vain: 1" in finding.sentence
    Source.objects.update(poll_minutes=0)
    assert checkup.check_polling().sentence == "There is no repository to look at."


@pytest.mark.django_db(transaction=True)
def test_a_model_that_does_not_answer_is_bad() -> None:
    assert checkup.check_provider().verdict is Verdict.OK
    Provider.objects.update(is_default=False)
    Provider.objects.create(
        provider_name="openai",
        model_name="owl-1",
        is_default=True,
        api_config={"base_url": "http://127.0.0.1:1/v1"},
    )
    found = checkup.check_provider()
    assert found.verdict is Verdict.BAD
    assert "can't be reached" in found.sentence
