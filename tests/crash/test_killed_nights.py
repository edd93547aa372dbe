"""A runner that dies at any point of a night: one review of each commit, all of it counted once."""

import json
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from projects.models import Job, Project, Source
from providers.models import Call, Provider
from reviews.delivering import send_due
from reviews.models import Delivery, Finding, ModelPass, NightlyRun, Review, TestSuggestion, Webhook
from reviews.planning import begin_run
from tests.crash.conftest import ROOT, environment_of_test
from tests.crash.test_matrix import checkpoints_of
from tests.model_server import ModelServer, model_server
from tests.reviews.conftest import History
from tests.reviews.rows import SENDING

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

AFTER = ("gaps", "index", "digest")
POINTS = [
    *("begun:1", "sync_asked:1", "synced:1", "listing:1", "listed:1", "examined:1", "examined:3"),
    *("replied:1", "replied:5", "reply_kept:1", "reply_kept:3", "storing:1", "storing:3"),
    *("stored:1", "stored:3", "gaps:1", "index:1", "digest:1", "finished:1"),
]
SEND = "from reviews.delivering import send_due; send_due()"
PATHS = ("sending.py", "posting.py")
COUNTED = ("commits", "read", "tools", "checks", "model", "store", "index", "digest")


def reply(asked: dict[str, Any]) -> str:
    """Claim the same of either file, and let it stand."""
    path = next(
        path for path in PATHS if f"The change:\nFile {path}" in asked["messages"][1]["content"]
    )
    found = {
        "file": path,
        "start_line": 10,
        "end_line": 10,
        "severity": "warning",
        "category": "bug",
        "claim": "A letter is counted though nobody knows whether it arrived.",
        "quote": "            sent += 1",
        "evidence": "send returns before the relay answers.",
        "reference": "README.md",
        "suggestion": "",
    }
    verdict = {"number": 1, "holds": True, "why": "It is so."}
    return json.dumps({"findings": [found], "verdicts": [verdict]})


@pytest.fixture
def server():
    with model_server() as running:
        running.answering = reply
        yield running


def begin(project: Project, path: Path) -> NightlyRun:
    """Return a night that waits for a runner: three commits, and somebody to be told of them."""
    history = History(path)
    for name in PATHS:
        history.change(f"Add {name}", files={name: SENDING})
    Source.objects.create(project=project, name="ledger", path=str(history.repository.path))
    Webhook.objects.create(project=project, url="https://example.org/hook")
    return begin_run(project, trigger=NightlyRun.Trigger.BUTTON, by=project.owner)


def outcome(run: NightlyRun) -> dict[str, Any]:
    """What a night has left behind, without ids and times."""
    run.refresh_from_db()
    reviews = Review.objects.filter(run=run).order_by("position")
    passes = ModelPass.objects.filter(review__run=run)
    return {
        "state": (run.state, run.error),
        "reviews": list(
            reviews.values_list("commit__sha", "status", "quality_score", "security_score")
        ),
        "findings": sorted(
            Finding.objects.values_list("fingerprint", "rule", "path", "start_line", "severity")
        ),
        "suggestions": sorted(TestSuggestion.objects.values_list("target_file", "symbol")),
        "passes": sorted(passes.values_list("review__commit__sha", "part", "number", "state")),
        "calls": Call.objects.filter(origin_kind="review").count(),
        "tokens": sum(passes.values_list("tokens", flat=True)),
        "told": Delivery.objects.count(),
        "counts": {step: run.steps[step]["count"] for step in COUNTED},
    }


_golden: list[dict[str, Any]] = []


@pytest.fixture
def golden(alice: User, server: ModelServer, start_runner, tmp_path: Path) -> dict[str, Any]:
    """What comes of such a night when nobody dies; always the same, so found out once."""
    Provider.objects.create(
        provider_name="openai",
        model_name="m",
        is_default=True,
        api_config={"base_url": server.url, "timeout": 5},
    )
    if not _golden:
        elsewhere = Project.objects.create(name="undisturbed", owner=alice)
        undisturbed = begin(elsewhere, tmp_path / "undisturbed")
        assert start_runner().wait() == 0
        _golden.append(outcome(undisturbed))
        elsewhere.delete()
        Call.objects.all().delete()
    return _golden[0]


def check_ended_well(run: NightlyRun, golden: dict[str, Any]) -> None:
    assert outcome(run) == golden
    assert golden["state"] == (NightlyRun.State.DONE, "")
    assert len(golden["reviews"]) == 3
    assert golden["calls"] == len(golden["passes"]) > 0
    assert golden["told"] == 1
    assert not Job.objects.open().exists()
    assert not Job.objects.filter(state=Job.State.FAILED).exists()


@pytest.mark.parametrize("point", POINTS)
def test_a_night_that_dies_is_taken_over(point, golden, project, start_runner, tmp_path):
    run = begin(project, tmp_path / "ledger")

    assert start_runner(1.5, f"night.{point}").wait() == -signal.SIGKILL, "never reached"
    assert start_runner(1.5).wait() == 0

    check_ended_well(run, golden)


def test_runners_that_die_one_after_another_get_there(golden, project, start_runner, tmp_path):
    run = begin(project, tmp_path / "ledger")

    for point in ("listed:1", "replied:1", "stored:1", "reply_kept:1", "index:1"):
        assert start_runner(1, f"night.{point}").wait() == -signal.SIGKILL, point
    assert start_runner(1).wait() == 0

    check_ended_well(run, golden)


def test_a_digest_whose_sender_dies_is_sent_by_the_next(golden, project, start_runner, tmp_path):
    run = begin(project, tmp_path / "ledger")
    assert start_runner().wait() == 0

    died = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", SEND],
        cwd=ROOT,
        env={**environment_of_test(), "CRASH_AT": "delivery.claimed"},
        check=False,
    )

    assert died.returncode == -signal.SIGKILL
    delivery = Delivery.objects.get(run=run)
    assert (delivery.state, delivery.attempts) == (Delivery.State.WAITING, 1)
    assert send_due() == 0  # the dead one may be alive still, for all that anybody knows
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert send_due() == 1


def test_every_checkpoint_of_a_night_is_tried() -> None:
    tried = {f"night.{point.partition(':')[0]}" for point in POINTS} - {
        f"night.{step}" for step in AFTER
    }
    assert checkpoints_of("reviews") == tried | {"night.{step}", "delivery.claimed"}
