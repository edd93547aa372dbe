"""A whole installation for journeys: web and worker as processes, a database of their own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.conftest import redis_of_this_process
from tests.model_server import LONGEST_HELD, ModelServer, model_server
from tests.projects.repositories import Repository
from tests.template import database_like, migrated_template

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A machine that does other things as well is slow, and that is no fault of a page.
expect.set_options(timeout=15_000)
PASSWORD = "correct horse battery"
# In one process: each takes longer to begin than to do one of these.
AT_FIRST = """
from django.core.management import call_command
call_command("collectstatic", interactive=False, verbosity=0)
call_command("createsuperuser", interactive=False, username="alice")
call_command("add", "{folder}/code", project="garden", wait=True)
"""
FILES = {
    "src/cache.py": (
        "class Cache:\n"
        '    """Keeps values until they expire."""\n'
        "\n"
        "    def evict_oldest(self):\n"
        '        """Drop the value that was written first."""\n'
        "        self.values.pop(min(self.values, key=self.age_of))\n"
    ),
    "src/mail.py": (
        "def send_mail(address, subject):\n"
        '    """Send a letter through the configured relay."""\n'
        "    return relay.deliver(address, subject)\n"
    ),
    "docs/guide.md": "# Guide\n\n## Caching\n\nThe cache keeps values until they expire.\n",
}


@dataclass
class Installation:
    url: str
    environment: dict[str, str]
    folder: Path

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def use_model(self, url: str) -> None:
        """Let the model behind `url` answer; none where it is empty."""
        self.sql("UPDATE providers_provider SET is_default = false")
        if url:
            # An answer that a test holds back is not late, however slow the machine is.
            config = json.dumps({"base_url": url, "timeout": LONGEST_HELD + 10})
            self.sql(
                "INSERT INTO providers_provider (id, created_at, updated_at, provider_name,"
                " model_name, is_default, is_enabled, from_environment, api_config)"
                " VALUES (gen_random_uuid(), now(), now(), 'openai', 'm', true, true, false, %s)"
                " ON CONFLICT (provider_name, model_name)"
                " DO UPDATE SET is_default = true, api_config = excluded.api_config",
                config,
            )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory, static_files) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("installation")
    port = free_port()
    with database_like(migrated_template(), f"journeys_{os.getpid()}") as url:
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "REDIS_URL": redis_of_this_process(8),
            "PORT": str(port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "SOURCE_ROOTS": str(folder),
            "NIGHTOWL_HOME": str(folder / "home"),
            "SECRET_KEY": "journeys " * 8,
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        made = Installation(f"http://127.0.0.1:{port}", environment, folder)
        (folder / "home").mkdir()
        Repository(folder / "code").commit(FILES)
        made.manage("shell", "--verbosity=0", "--command", AT_FIRST.format(folder=folder))
        yield from _running(made, port)


def _running(made: Installation, port: int) -> Iterator[Installation]:
    worker = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency", "1"]
    worker += ["--beat", "--schedule", str(made.folder / "schedule"), "--loglevel", "WARNING"]
    started = [start_web(made.environment, port), start_process(worker, made.environment)]
    try:
        wait_until_up(made.url)
        yield made
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGTERM)
        for process in started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def start_web(environment: dict[str, str], port: int) -> "subprocess.Popen[bytes]":
    web = [sys.executable, "-m", "gunicorn", "config.asgi:application", "-k", "asgi"]
    web += ["--bind", f"127.0.0.1:{port}", "--workers", "2", "--no-control-socket"]
    return start_process([*web, "--graceful-timeout", "2"], environment)


def start_process(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """Start a process at the head of a group of its own."""
    with open(Path(environment["NIGHTOWL_HOME"]).parent / "log", "ab") as log:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def wait_until_up(url: str) -> None:
    for _ in range(150):
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("The web process did not come up.")


# For a module, not for the session: while Playwright runs, its event loop stands in the way of
# every test of the same process that touches the database.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, installation: Installation) -> Iterator[Page]:
    """A page on which alice is signed in; anything in the console fails the test."""
    context = browser.new_context(
        base_url=installation.url, viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(15_000)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda m: complaints.append(m.text) if is_complaint(m) else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(opened)
    yield opened
    context.close()
    assert complaints == []


def is_complaint(message: ConsoleMessage) -> bool:
    # A form that is sent back for mending is answered with 400 or 409, which Chromium logs.
    return message.type == "error" and not re.search("status of (400|409)", message.text)


def sign_in(page: Page, username: str = "alice") -> None:
    page.goto("/login/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"^http://[^/]+/$"))


@pytest.fixture
def model(installation: Installation) -> Iterator[ModelServer]:
    """A model behind the OpenAI API that answers instead of the built-in provider."""
    with model_server() as server:
        installation.use_model(server.url)
        yield server
        installation.use_model("")
