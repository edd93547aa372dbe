"""The process that inspects files for a review: started when needed, replaced when it breaks."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from signal import SIGALRM

from django.conf import settings

from reviews.inspecting import Asked, Inspection, unpacked

MEGABYTES = 768
SECONDS = 15.0
TOO_SLOW = "it took too long to inspect"
BROKE = "inspecting it broke its parser"


class Inspector:
    """One process at a time; asked one file after the other, it answers or is replaced."""

    def __init__(self, own_rules: Sequence[str] = ()) -> None:
        self._own_rules = list(own_rules)  # of the project, as YAML
        self._process: subprocess.Popen[str] | None = None

    def ask(self, asked: Asked) -> Inspection:
        """Return what was found in a file; says in `failed` when the process broke over it."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        line = json.dumps({**asdict(asked), "added": sorted(asked.added)})
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            return unpacked(json.loads(process.stdout.readline()))
        except (BrokenPipeError, ValueError, KeyError, TypeError):
            self.close()
            return Inspection(failed=TOO_SLOW if process.returncode == -SIGALRM else BROKE)

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(BrokenPipeError):
            if process.stdin:
                process.stdin.close()
        try:
            process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()

    def _started(self) -> "subprocess.Popen[str]":
        if self._process is not None and self._process.poll() is not None:
            self.close()  # it ended since: the file that is asked about now has no part in that
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "reviews.inspector", str(MEGABYTES), str(SECONDS)],
                cwd=settings.BASE_DIR,
                # Nothing of ours: files that people wrote are parsed there.
                env={"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            assert self._process.stdin is not None
            with suppress(BrokenPipeError):
                self._process.stdin.write(json.dumps(self._own_rules) + "\n")
        return self._process


@contextmanager
def inspector(own_rules: Sequence[str] = ()) -> Iterator[Inspector]:
    """Lend an inspector that knows the rules of a project beside our own."""
    lent = Inspector(own_rules)
    try:
        yield lent
    finally:
        lent.close()
