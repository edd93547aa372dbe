"""The embedded PostgreSQL: made on the first start, reached over a socket by system user."""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from supervisor.account import own_name
from supervisor.home import PRIVATE, Home, make_folder
from supervisor.identity import pids_working_in
from supervisor.output import Output
from supervisor.postgres_place import SOCKET_FILE, find_place
from supervisor.processes import KILL_LIMIT, Child, Program, end_leftover
from supervisor.refusals import CannotStart
from supervisor.stopping import StopSwitch, wait_regardless

MAKE_LIMIT = 120.0
START_LIMIT = 300.0  # after a crash it first reads its log again
STOP_LIMIT = 30.0
OWNER = "postgres"
NAME = "nightowl"

MADE_WITH = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    # Statements and details hold what people wrote; the log has no need of it.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}

# Written down here and not in postgresql.conf, because each start may have another socket.
ALWAYS = {"listen_addresses": "", "unix_socket_permissions": "0700", "synchronous_commit": "on"}
THROW_AWAY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}

PREPARE = r"""
SELECT 'CREATE ROLE nightowl LOGIN CREATEDB'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'nightowl') \gexec
\connect template1
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
\connect postgres
SELECT 'CREATE DATABASE nightowl OWNER nightowl'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'nightowl') \gexec
\connect nightowl
ALTER EXTENSION vector UPDATE;
"""


class Postgres:
    def __init__(self, home: Home, output: Output, *, throw_away: bool = False) -> None:
        self.place = find_place(home, output)
        self.throw_away = throw_away
        self.output = output
        program = Program(
            name="postgres",
            command=[str(self.place.binaries / "postgres"), *self._options()],
            environment=_environment(),
            folder=Path("/"),
            account=self.place.account,
            stop_signal=signal.SIGINT,  # its fast shutdown: ends the sessions, loses nothing
            stop_limit=STOP_LIMIT,
            quiet=True,
        )
        self.child = Child(program, home.run, output)

    @property
    def url(self) -> str:
        return f"postgresql://{NAME}@/{NAME}?host={quote(str(self.place.socket_folder))}"

    def _options(self) -> list[str]:
        settings = {
            **ALWAYS,
            "unix_socket_directories": _quoted(self.place.socket_folder),
            "hba_file": str(self.place.access_rules),
            "ident_file": str(self.place.user_map),
            **(THROW_AWAY if self.throw_away else {}),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return ["-D", str(self.place.data), *options]

    def start(self, switch: StopSwitch) -> None:
        if not self.place.data.exists():
            self._make_cluster(switch)
        self._refuse_other_version()
        self._write_access_rules()
        self.launch()
        ready = switch.wait(lambda: self.child.has_ended() or self.answers(), START_LIMIT)
        if not ready or self.child.has_ended():
            self.child.explain()
            logs = self.place.data / "log"
            raise CannotStart(f"PostgreSQL did not start: its own words are above and in {logs}.")
        self._prepare_database()

    def launch(self) -> None:
        """Start the server process, whatever state a crash left the data in."""
        self._end_orphans()
        # Both name a process that is gone; its number may since belong to another program.
        (self.place.data / "postmaster.pid").unlink(missing_ok=True)
        (self.place.socket_folder / f"{SOCKET_FILE}.lock").unlink(missing_ok=True)
        self.child.start()

    def answers(self) -> bool:
        asked = self._run_tool("pg_isready", "--quiet", "--username", OWNER, "--dbname", OWNER)
        return asked.returncode == 0

    def end_leftover(self) -> bool:
        found = end_leftover(self.child.record, signal.SIGINT, STOP_LIMIT)
        return self._end_orphans() or found

    def _end_orphans(self) -> bool:
        """End processes that outlived their server, each of which leads a session of its own.

        Their server is dead, so the next one recovers from its log whatever they were at.
        """
        orphans = self._orphans()
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_regardless(lambda: not self._orphans(), KILL_LIMIT)
        return bool(orphans)

    def _orphans(self) -> list[int]:
        return pids_working_in(self.place.data, "postgres") if self.place.data.exists() else []

    def _make_cluster(self, switch: StopSwitch) -> None:
        """Make an empty cluster beside its place and move it there when it is whole."""
        draft = self.place.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        make_folder(draft, PRIVATE)
        self.place.give(draft)
        command = [
            *(str(self.place.binaries / "initdb"), "--pgdata", str(draft), "--username", OWNER),
            *("--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin"),
            *("--builtin-locale", "C.UTF-8", "--data-checksums", "--auth", "peer"),
            *(["--no-sync"] if self.throw_away else []),
            *(part for name, value in MADE_WITH.items() for part in ("--set", f"{name}={value}")),
        ]
        program = Program(
            "initdb", command, _environment(), Path("/"), self.place.account, quiet=True
        )
        maker = Child(program, self.child.records, self.output)
        maker.start()
        try:
            switch.wait(maker.has_ended, MAKE_LIMIT)
        finally:
            maker.ask_to_stop()
            maker.finish()
        if maker.exit_code:
            maker.explain()
            raise CannotStart("PostgreSQL could not make its data folder: its words are above.")
        draft.rename(self.place.data)

    def _refuse_other_version(self) -> None:
        kept = (self.place.data / "PG_VERSION").read_text(encoding="ascii").strip()
        asked = self._run_tool("postgres", "--version")
        ours = asked.stdout.split()[-1].partition(".")[0]
        if kept != ours:
            raise CannotStart(
                f"{self.place.data} was written by PostgreSQL {kept}, this is {ours}:"
                " dump it with the earlier Nightowl and restore it into a new home."
            )

    def _write_access_rules(self) -> None:
        self.place.access_rules.write_text("local all all peer map=nightowl\n", encoding="utf-8")
        lines = [f'nightowl "{own_name()}" {role}\n' for role in (NAME, OWNER)]
        self.place.user_map.write_text("".join(lines), encoding="utf-8")
        for path in (self.place.access_rules, self.place.user_map):
            path.chmod(0o644)

    def _prepare_database(self) -> None:
        done = self._run_tool(
            *("psql", "--no-psqlrc", "--quiet", "--username", OWNER, "--dbname", OWNER),
            *("--set", "ON_ERROR_STOP=1"),
            script=PREPARE,
        )
        if done.returncode:
            raise CannotStart(f"PostgreSQL started, but its database failed: {done.stderr.strip()}")

    def _run_tool(
        self, name: str, *options: str, script: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.place.binaries / name), *options],
            env={**_environment(), "PGHOST": str(self.place.socket_folder)},
            input=script,
            capture_output=True,
            text=True,
            check=False,
        )


def _environment() -> dict[str, str]:
    """No more than PostgreSQL needs: it may run as another user, who shall see no secrets."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "LC_ALL": "C",
        "PGOPTIONS": "-c client_min_messages=warning",
    }


def _quoted(folder: Path) -> str:
    """A folder as one entry of PostgreSQL's lists, which part at commas."""
    return '"' + str(folder).replace('"', '""') + '"'
