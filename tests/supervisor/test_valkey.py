"""The embedded Valkey: no network, and what was put in comes back after a crash."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kombu import Connection

from supervisor.home import Home
from supervisor.output import Output
from supervisor.refusals import CannotStart
from supervisor.stopping import StopSwitch, wait_regardless
from supervisor.valkey import Valkey
from tests.supervisor.conftest import running_valkey


@pytest.fixture
def valkey(home: Home, output: Output) -> Iterator[Valkey]:
    with running_valkey(home, output) as started:
        yield started


def settings_of(valkey: Valkey) -> dict[str, str]:
    with redis.Redis.from_url(valkey.url, decode_responses=True) as client:
        settings: dict[str, str] = client.config_get("*")
        return settings


def test_it_listens_on_a_private_socket_only(valkey: Valkey) -> None:
    assert settings_of(valkey)["port"] == "0"
    assert valkey.socket.stat().st_mode & 0o777 == 0o700


def test_it_refuses_new_work_rather_than_forgetting_old(valkey: Valkey) -> None:
    settings = settings_of(valkey)

    assert settings["maxmemory-policy"] == "noeviction"
    assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "everysec")


def test_what_was_queued_survives_a_crash(home: Home, output: Output) -> None:
    with running_valkey(home, output) as valkey:
        with redis.Redis.from_url(valkey.url) as client:
            for number in range(50):
                client.lpush("queue", number)
        time.sleep(1.5)  # the file is written at least once a second
        assert valkey.child.process
        valkey.child.process.kill()
        valkey.child.process.wait(5)
        valkey.child.start()

        assert wait_regardless(valkey.answers, 10)
        with redis.Redis.from_url(valkey.url) as client:
            assert client.llen("queue") == 50


def test_what_was_queued_survives_a_stop(home: Home, output: Output) -> None:
    with running_valkey(home, output) as valkey, redis.Redis.from_url(valkey.url) as client:
        client.set("kept", "yes")

    with running_valkey(home, output) as valkey, redis.Redis.from_url(valkey.url) as client:
        assert client.get("kept") == b"yes"


def test_celery_reaches_it_over_the_same_socket(valkey: Valkey) -> None:
    broker = valkey.url.replace("unix://", "redis+socket://", 1)

    with Connection(broker) as connection, connection.SimpleQueue("bell") as queue:
        queue.put("ring")

        assert queue.get(timeout=5).payload == "ring"


def test_a_path_with_spaces_is_reached_too(open_folder: Path, output: Output) -> None:
    home = Home(open_folder / "a home # of owls")
    home.prepare()

    with running_valkey(home, output) as valkey, redis.Redis.from_url(valkey.url) as client:
        assert client.ping()


def test_a_start_that_fails_says_why(home: Home, output: Output) -> None:
    (home.path / "valkey" / "appendonlydir").mkdir(parents=True)
    manifest = home.path / "valkey" / "appendonlydir" / "appendonly.aof.manifest"
    manifest.write_text("damaged")

    with pytest.raises(CannotStart, match="Valkey did not start"):
        Valkey(home, output).start(StopSwitch())
