"""The folder that keeps everything: private, locked by one start, never silently unusable."""

import os
import stat
from pathlib import Path

import pytest

from supervisor.home import Home, HomeLock, write_private
from supervisor.refusals import CannotStart
from tests.supervisor.conftest import run_supervisor, without_root


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_home_is_private(tmp_path: Path) -> None:
    home = Home(tmp_path / "deep" / "home")

    home.prepare()

    assert mode_of(home.path) == mode_of(home.run) == 0o700
    assert mode_of(home.secret_key_file) == 0o600


def test_the_secret_key_is_made_once_and_long(home: Home) -> None:
    key = home.secret_key_file.read_text()

    home.prepare()

    assert home.secret_key_file.read_text() == key
    assert len(key.strip()) >= 50


def test_the_environment_file_is_private_even_under_an_open_umask(home: Home) -> None:
    before = os.umask(0)
    try:
        home.write_environment({"DATABASE_URL": "postgresql:///a", "REDIS_URL": "unix:///b"})
    finally:
        os.umask(before)

    assert mode_of(home.environment_file) == 0o600
    assert (
        home.environment_file.read_text() == "DATABASE_URL=postgresql:///a\nREDIS_URL=unix:///b\n"
    )


def test_a_private_file_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (tmp_path / "environment.new").symlink_to(precious)

    write_private(tmp_path / "environment", "secret")

    assert precious.read_text() == "kept"
    assert (tmp_path / "environment").read_text() == "secret"


def test_folders_that_were_there_keep_their_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)

    Home(tmp_path).prepare()

    assert mode_of(tmp_path) == 0o750


def test_a_home_inside_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    refused = run_supervisor(tmp_path / "file" / "home", "run")

    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "set NIGHTOWL_HOME to another" in refused.stderr


def test_a_home_that_cannot_be_written_is_a_sentence(open_folder: Path) -> None:
    open_folder.chmod(0o555)

    with without_root(), pytest.raises(CannotStart, match=f"{open_folder}/home .Permission denied"):
        Home(open_folder / "home").prepare()


def test_the_second_start_learns_who_was_first(home: Home) -> None:
    with HomeLock(home) as first, HomeLock(home) as second:
        assert first.take("run", "http://127.0.0.1:8000") is None

        holder = second.take("run", "http://127.0.0.1:9000")

    assert holder is not None
    assert (holder.pid, holder.purpose) == (os.getpid(), "run")
    assert holder.address == "http://127.0.0.1:8000"


def test_a_lock_that_was_let_go_can_be_taken(home: Home) -> None:
    with HomeLock(home) as first:
        first.take("run", "")

    with HomeLock(home) as second:
        assert second.take("exec", "") is None


def test_a_socket_stays_in_the_home_when_its_path_fits(home: Home) -> None:
    assert home.socket_folder(home.run, "valkey.sock") == home.run


def test_a_long_home_has_its_sockets_in_a_short_private_folder(tmp_path: Path) -> None:
    home = Home(tmp_path / ("long" * 30) / "home")
    home.prepare()

    folder = home.socket_folder(home.run, "valkey.sock")
    try:
        assert len(os.fsencode(folder / "valkey.sock")) <= 107
        assert mode_of(folder) & 0o066 == 0
        assert home.socket_folder(home.run, "valkey.sock") == folder
    finally:
        folder.rmdir()


def test_a_short_folder_of_someone_else_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path / ("long" * 30) / "home")
    home.prepare()
    folder = home.socket_folder(home.run, "valkey.sock")
    folder.rmdir()
    folder.symlink_to(tmp_path)
    try:
        with pytest.raises(CannotStart, match="belongs to someone else"):
            home.socket_folder(home.run, "valkey.sock")
    finally:
        folder.unlink()


def test_two_homes_have_two_fingerprints(tmp_path: Path) -> None:
    assert Home(tmp_path / "a").fingerprint != Home(tmp_path / "b").fingerprint
    assert Home(tmp_path / "a").fingerprint == Home(tmp_path / "." / "a").fingerprint
