"""Lines of many processes in one terminal, each with the name of who said it."""

import os
import sys
import threading
from collections import deque
from typing import IO

COLOURS = {"web": 36, "worker": 35, "beat": 34, "postgres": 33, "valkey": 33, "nightowl": 32}
WIDTH = 8
KEPT_LINES = 40


class Output:
    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stdout
        self._lock = threading.Lock()
        self._coloured = self._stream.isatty() and not os.environ.get("NO_COLOR")

    def say(self, line: str, *, name: str = "nightowl") -> None:
        prefix = f"{name:<{WIDTH}} |"
        if self._coloured:
            prefix = f"\x1b[{COLOURS.get(name, 37)}m{prefix}\x1b[0m"
        self.write(f"{prefix} {line}")

    def write(self, line: str) -> None:
        with self._lock:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                # The terminal was closed or `head` had enough; the work goes on without it.
                pass


class Relay(threading.Thread):
    """Passes on what one process prints, and keeps its last lines for the day it fails."""

    def __init__(self, source: IO[bytes], name: str, output: Output, *, quiet: bool) -> None:
        super().__init__(name=f"output of {name}", daemon=True)
        self.source = source
        self.speaker = name
        self.output = output
        self.quiet = quiet
        self.last_lines: deque[str] = deque(maxlen=KEPT_LINES)

    def run(self) -> None:
        with self.source:
            for raw in self.source:
                line = raw.decode(errors="replace").rstrip()
                self.last_lines.append(line)
                if not self.quiet and line:
                    self.output.say(line, name=self.speaker)

    def tell_last_lines(self) -> None:
        """Say what was kept back, to explain a failure."""
        if self.quiet:
            for line in list(self.last_lines):
                self.output.say(line, name=self.speaker)
