"""What the environment and `.env` say, and which of them wins."""

from pathlib import Path

import pytest

from supervisor.configuration import read_configuration, read_env_file
from supervisor.refusals import CannotStart


def test_without_settings_nightowl_is_on_loopback_and_keeps_its_data_in_var(tmp_path: Path) -> None:
    configuration = read_configuration(tmp_path, {})

    assert configuration.address == "http://127.0.0.1:8000"
    assert configuration.home == tmp_path / "var"
    assert configuration.database_url == configuration.redis_url == ""


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=8001\nHOST=localhost\n")

    configuration = read_configuration(tmp_path, {"PORT": "8002"})

    assert (configuration.host, configuration.port) == ("localhost", 8002)


def test_an_empty_variable_switches_a_line_of_the_file_off(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://elsewhere/db\n")

    assert read_configuration(tmp_path, {"DATABASE_URL": ""}).database_url == ""


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=plain", "plain"),
        ("export NAME=exported", "exported"),
        ("  NAME = spaced  ", "spaced"),
        ("NAME='single # kept'", "single # kept"),
        ('NAME="double"  # said', "double"),
        ("NAME=value # said", "value"),
        ("NAME=with#hash", "with#hash"),
        ("NAME=a=b", "a=b"),
        ("NAME=", ""),
        ("NAME='unclosed", "'unclosed"),
    ],
)
def test_a_line_of_the_file_is_read_as_people_write_it(
    line: str, value: str, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"# first\n\n{line}\nnonsense\n")

    assert read_env_file(tmp_path / ".env") == {"NAME": value}


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"NAME=\xff\xfe")

    with pytest.raises(CannotStart, match="cannot be read"):
        read_env_file(tmp_path / ".env")


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "80.0", "٣"])
def test_a_port_that_is_none_is_a_sentence(port: str, tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="number from 1 to 65535"):
        read_configuration(tmp_path, {"PORT": port})


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("owl.lan", "http://owl.lan:8000"),
    ],
)
def test_every_host_has_an_address_that_this_machine_reaches(
    host: str, local: str, tmp_path: Path
) -> None:
    assert read_configuration(tmp_path, {"HOST": host}).local_address == local


def test_people_see_the_public_address_when_there_is_one(tmp_path: Path) -> None:
    configuration = read_configuration(tmp_path, {"PUBLIC_URL": "https://owl.example.org/"})

    assert configuration.address == "https://owl.example.org"
    assert configuration.local_address == "http://127.0.0.1:8000"


def test_a_home_may_be_given_from_the_project_from_the_root_or_from_the_persons_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/owl")

    def home(value: str) -> Path:
        return read_configuration(tmp_path, {"NIGHTOWL_HOME": value}).home

    assert home("var/test") == tmp_path / "var/test"
    assert home("/srv/nightowl") == Path("/srv/nightowl")
    assert home("~/nightowl") == Path("/home/owl/nightowl")
