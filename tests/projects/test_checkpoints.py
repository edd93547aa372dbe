"""Checkpoints kill nothing unless a test asks for it, and a deployment may not ask."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from projects.checkpoints import checkpoint

ROOT = Path(__file__).resolve().parents[2]
THREE_STEPS = """
from projects.checkpoints import checkpoint
for step in range(3):
    checkpoint("other")
    checkpoint("step")
    print(step, flush=True)
"""


def run(crash_at: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", THREE_STEPS],
        cwd=ROOT,
        env={**os.environ, "CRASH_AT": crash_at},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.replace("\n", "")


@pytest.mark.parametrize(
    ("crash_at", "code", "reached"),
    [
        ("", 0, "012"),
        ("never", 0, "012"),
        ("step:4", 0, "012"),
        ("step", -signal.SIGKILL, ""),
        ("step:1", -signal.SIGKILL, ""),
        ("step:3", -signal.SIGKILL, "01"),
    ],
)
def test_a_process_dies_at_the_checkpoint_that_is_named_and_at_no_other(crash_at, code, reached):
    assert run(crash_at) == (code, reached)


def test_nothing_is_counted_when_nobody_asks(monkeypatch):
    monkeypatch.delenv("CRASH_AT", raising=False)
    for _ in range(1000):
        checkpoint("step")


def test_a_deployment_that_would_crash_is_refused(monkeypatch):
    monkeypatch.setenv("CRASH_AT", "sync.stored:1")
    with pytest.raises(SystemCheckError, match=r"projects\.E001"):
        call_command("check", "--deploy", "--tag", "security")


def test_the_check_says_nothing_when_nobody_asks(monkeypatch, capsys):
    monkeypatch.delenv("CRASH_AT", raising=False)
    call_command("check", "--deploy", "--tag", "security")
    assert "projects.E001" not in capsys.readouterr().err
