"""Changing the model under load, and being killed on the way there."""

import os
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from django.db import connection

from accounts.viewers import Viewer
from knowledge.models import Chunk, EmbeddedText, EmbeddingSpace, Vector
from knowledge.retrieval import Results, search
from knowledge.spaces import activate, declare, embedder_for, roll_back
from tests.knowledge.space_samples import build_beside, embed, know_other_words, the_active

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
SEARCHES_A_SECOND = 20
THREADS = 5
QUESTION = "which owl hunts the mouse of the barn"


@pytest.fixture
def embedded(source, index):
    for n in range(60):
        text = f"def hunt_{n}(mouse, barn):\n    '''Owl {n} hunts.'''\n    return mouse\n"
        index(source, f"src/part_{n}.py", text)
    embed(source)
    return source


class Crowd:
    """People who search, so many a second, each on a connection of their own."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.found: list[tuple[float, Results]] = []
        self.failures: list[BaseException] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._search) for _ in range(THREADS)]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _search(self) -> None:
        pause = THREADS / SEARCHES_A_SECOND
        try:
            while not self._ended.is_set():
                began = time.monotonic()
                self.found.append((began, search(self.viewer, QUESTION)))
                self._ended.wait(max(0.0, pause - (time.monotonic() - began)))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test is to see it
            self.failures.append(error)
        finally:
            connection.close()

    def wait_for(self, searches: int) -> None:
        until = time.monotonic() + 60
        while len(self.found) < searches and not self.failures:
            assert time.monotonic() < until
            time.sleep(0.02)


def check_of_one_space(results: Results, spaces: dict) -> None:
    """What the meaning leg says is what the named space's own vectors say, and nothing else."""
    space = spaces[results.space_id]
    question = embedder_for(space).embed_question(QUESTION)
    rows = Vector.objects.filter(space=space, chunk__in=[hit.chunk.pk for hit in results.hits])
    near = {row.chunk_id: float(np.asarray(row.embedding) @ question) for row in rows}
    by_leg = sorted(results.hits, key=lambda hit: hit.legs["meaning"])
    said = [hit.legs["meaning"] for hit in by_leg]
    true = [near[hit.chunk.pk] for hit in by_leg]
    # A leg is the similarity laid between 0 and 1: a straight line leads from one to the other.
    spread = true[-1] - true[0]
    if spread > 1e-3:
        line = [said[0] + (said[-1] - said[0]) * (value - true[0]) / spread for value in true]
        assert np.allclose(said, line, atol=0.02)


def test_twenty_searches_a_second_go_on_while_the_space_is_switched(embedded, settings, viewer):
    old = the_active()
    new = build_beside(embedded, know_other_words(settings))
    with Crowd(viewer) as crowd:
        crowd.wait_for(20)
        activate(new)
        crowd.wait_for(60)
        roll_back()
        crowd.wait_for(100)
        activate(new)
        crowd.wait_for(140)
    assert crowd.failures == []
    spaces = {old.pk: old, new.pk: new}
    for _, results in crowd.found:
        assert results.notes == []
        assert len(results.hits) == 10
        assert all(set(hit.legs) == {"words", "meaning"} for hit in results.hits)
        check_of_one_space(results, spaces)
    order = [results.space_id for _, results in sorted(crowd.found, key=lambda pair: pair[0])]
    assert {old.pk, new.pk} == set(order)
    # One swap, one way back, one swap: but for those under way at the moment.
    turns = sum(a != b for a, b in pairwise(order))
    assert 3 <= turns <= 3 + 2 * 3 * THREADS


def test_searches_go_on_while_another_space_is_built_and_takes_over(embedded, settings, viewer):
    old = the_active()
    new = declare(know_other_words(settings), takes_over=True)
    with Crowd(viewer) as crowd:
        crowd.wait_for(10)
        embed(embedded)
        crowd.wait_for(len(crowd.found) + 20)
    assert crowd.failures == []
    assert the_active() == new
    assert {results.space_id for _, results in crowd.found} == {old.pk, new.pk}
    assert all(len(results.hits) == 10 and not results.notes for _, results in crowd.found)


# --- Killed on the way ---------------------------------------------------------------------

RUNNER = """
import django
from django.conf import settings
settings.EMBEDDERS = {
    **settings.EMBEDDERS,
    "HashedWords": "tests.hashed_embedder.HashedWords",
    "OtherWords": "tests.knowledge.space_samples.OtherWords",
}
settings.EMBEDDING_ADAPTER = "HashedWords"
django.setup()
from projects.models import Source
from tests.knowledge.space_samples import embed
embed(Source.objects.get())
"""


def run_elsewhere(crash_at: str = "") -> int:
    """Run the embed job in a process that may die at a checkpoint; return how it ended."""
    database = urlsplit(os.environ["DATABASE_URL"])
    name = connection.settings_dict["NAME"]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database._replace(path=f"/{name}").geturl(),
        "CRASH_AT": crash_at,
    }
    return subprocess.run(
        [sys.executable, "-c", RUNNER], cwd=ROOT, env=environment, check=False
    ).returncode


@pytest.mark.parametrize(
    "point", ["embed.made:1", "embed.cached:1", "embed.storing:1", "space.activating:1"]
)
def test_who_is_killed_while_building_leaves_what_the_next_goes_on_with(
    embedded, settings, viewer, point
):
    old = the_active()
    new = declare(know_other_words(settings), takes_over=True)
    assert run_elsewhere(point) == -signal.SIGKILL
    assert search(viewer, QUESTION).space_id == old.pk
    kept = EmbeddedText.objects.filter(space=new).count()
    assert (kept > 0) is (point != "embed.made:1")
    assert run_elsewhere() == 0
    assert the_active() == new
    assert Vector.objects.filter(space=new).count() == Chunk.objects.count()
    assert EmbeddedText.objects.filter(space=new).count() == 120
    assert EmbeddingSpace.objects.get(pk=old.pk).state == EmbeddingSpace.State.KEPT
