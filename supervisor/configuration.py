"""What the person asked for: the environment first, then `.env` beside the code."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from supervisor.refusals import CannotStart


@dataclass(frozen=True)
class Configuration:
    root: Path
    home: Path
    host: str
    port: int
    database_url: str
    redis_url: str
    public_url: str

    @property
    def address(self) -> str:
        """Where a person opens the pages."""
        return self.public_url or f"http://{_in_url(self.host)}:{self.port}"

    @property
    def local_address(self) -> str:
        """Where this machine reaches the web process, whatever stands in front of it."""
        return f"http://{_in_url(self.host)}:{self.port}"


def read_configuration(root: Path, environment: Mapping[str, str]) -> Configuration:
    values = {**read_env_file(root / ".env"), **environment}
    return Configuration(
        root=root,
        home=root / Path(values.get("NIGHTOWL_HOME") or "var").expanduser(),
        host=values.get("HOST") or "127.0.0.1",
        port=_port(values.get("PORT") or "8000"),
        database_url=values.get("DATABASE_URL", ""),
        redis_url=values.get("REDIS_URL", ""),
        public_url=values.get("PUBLIC_URL", "").rstrip("/"),
    )


def read_env_file(path: Path) -> dict[str, str]:
    """The assignments of a file of `NAME=value` lines; no file means none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise CannotStart(f"{path} cannot be read: {error}.") from error
    return dict(_assignments(text))


def _assignments(text: str) -> list[tuple[str, str]]:
    found = []
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and name and not name.startswith("#"):
            found.append((name.strip(), _unquoted(value.strip())))
    return found


def _unquoted(value: str) -> str:
    if value[:1] in {"'", '"'} and (end := value.find(value[0], 1)) > 0:
        return value[1:end]
    return value.partition(" #")[0].rstrip()


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise CannotStart(f"PORT is {text!r}; it must be a number from 1 to 65535.")


def _in_url(host: str) -> str:
    if host in {"0.0.0.0", "::", ""}:
        return "127.0.0.1" if host != "::" else "[::1]"
    return f"[{host}]" if ":" in host else host


def inherited_environment() -> dict[str, str]:
    """What a child of ours gets from the person's own environment."""
    return {**os.environ, "PYTHONUNBUFFERED": "1"}
