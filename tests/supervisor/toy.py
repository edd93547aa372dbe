"""A product of three small files that the supervisor can run in place of Nightowl."""

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from supervisor.configuration import Configuration, read_configuration
from supervisor.identity import Identity
from tests.supervisor.conftest import supervisor_environment

MANAGE = """
import os, pathlib, sys
home = pathlib.Path(os.environ["NIGHTOWL_HOME"])
with (home / "commands").open("a") as file:
    print(sys.argv[1], file=file)
if (home / f"break-{sys.argv[1]}").exists():
    sys.exit("this is why it broke")
if sys.argv[1] == "first_start" and not (home / "started").exists():
    (home / "started").touch()
    print("user: admin")
    print("password: a-password-of-the-day")
"""
ASGI = """
import os
if os.path.exists(os.environ["NIGHTOWL_HOME"] + "/break-web"):
    raise RuntimeError("this is why it broke")
async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})
"""
WORKERS = "from gunicorn.workers.gasgi import ASGIWorker as Worker  # noqa: F401\n"

CELERY = """
import os
from celery import Celery
app = Celery("toy", broker=os.environ["REDIS_URL"].replace("unix://", "redis+socket://", 1))
"""
LONGEST_START = 120
DRIVER = """
import os, pathlib, sys
from supervisor.configuration import read_configuration
from supervisor.output import Output
from supervisor.refusals import CannotStart
from supervisor.running import run
try:
    sys.exit(run(read_configuration(pathlib.Path(sys.argv[1]), os.environ), Output()))
except CannotStart as refusal:
    sys.exit(str(refusal))
"""


class Product:
    """A product in its folder, with one home and one port."""

    def __init__(self, root: Path, home: Path, port: int) -> None:
        self.root, self.home, self.port = root, home, port
        self.printed = ""

    @property
    def configuration(self) -> Configuration:
        return read_configuration(self.root, {"PORT": str(self.port)})

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(self.root)],
            cwd=self.root,
            env=supervisor_environment(self.home, **{"PORT": str(self.port), **environment}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )

    def refused(self, **environment: str) -> str:
        """What a start says that ends by itself."""
        process = self.start(**environment)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode == 1, printed
        return printed

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        """Run it up to its welcome, and stop it afterwards."""
        process = self.start()
        try:
            self.printed = self.read_until(process, "Ctrl-C stops everything")
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=60)
            self.printed += rest
        assert process.returncode == 0, self.printed

    def read_until(self, process: subprocess.Popen[str], pattern: str) -> str:
        """What it printed up to the line that has the pattern, which comes in time."""
        assert process.stdout
        lines = []
        alarm = threading.Timer(LONGEST_START, process.kill)
        alarm.start()
        try:
            for line in process.stdout:
                lines.append(line)
                if re.search(pattern, line):
                    return "".join(lines)
        finally:
            alarm.cancel()
        raise AssertionError(f"it ended without {pattern!r}:\n{''.join(lines)}")

    def child(self, name: str) -> Identity:
        """The process on record; a restart may be between two records."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if found := Identity.load(self.home / "run" / f"{name}.process"):
                return found
            time.sleep(0.05)
        raise AssertionError(f"there is no {name}")

    def children(self) -> dict[str, Identity]:
        names = ("web", "worker", "beat", "valkey", "postgres")
        return {name: self.child(name) for name in names}


class Toy(Product):
    """The smallest product there is."""

    def __init__(self, root: Path, home: Path, port: int) -> None:
        super().__init__(root, home, port)
        files = {
            "manage.py": MANAGE,
            "config/asgi.py": ASGI,
            "config/celery.py": CELERY,
            "config/workers.py": WORKERS,
        }
        (root / "config").mkdir(parents=True)
        (root / "config" / "__init__.py").touch()
        for name, text in files.items():
            (root / name).write_text(text)

    def commands(self) -> list[str]:
        return (self.home / "commands").read_text().split()

    def break_at(self, what: str) -> None:
        self.home.mkdir(exist_ok=True)
        (self.home / f"break-{what}").touch()
