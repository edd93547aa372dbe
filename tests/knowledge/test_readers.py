"""Files are read in processes of their own; none of them can take the worker with it."""

import io
import os
import signal
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest

from knowledge import frames, readers
from knowledge.frames import ConnectionEnded
from knowledge.reading import Asked, Content, read


def asked(path: str, text: str | bytes) -> Asked:
    data = text.encode() if isinstance(text, str) else text
    return Asked(path, data, uuid4(), uuid4(), metadata={"title": "t"})


@pytest.fixture(autouse=True)
def no_readers_left():
    """Limits are told to a reader when it starts, so each test starts its own."""
    readers._shelf.clear()
    yield
    readers._shelf.clear()


def read_all(*batches: list[Asked]) -> list[list[Content]]:
    return list(readers.read_apart(batches))


def test_what_is_read_apart_is_what_is_read_here():
    question = asked("app.py", "def first():\n    return 'ü'\n")
    ((content,),) = read_all([question])
    here = read(question)
    assert (content.text, content.terms, content.metadata) == (here.text, here.terms, here.metadata)
    assert len(content.rows) == len(here.rows)


def test_batches_come_back_in_the_order_in_which_they_were_given():
    sizes = [3000, 1, 500, 1, 1, 2000, 1]
    batches = [[asked(f"{n}.txt", "word " * size)] for n, size in enumerate(sizes)]
    assert [len(c.text) for (c,) in read_all(*batches)] == [5 * size for size in sizes]


def test_batches_are_asked_for_only_a_little_ahead(settings):
    settings.READERS = 2
    given: list[int] = []

    def batches():
        for number in range(10):
            given.append(number)
            yield [asked(f"{number}.txt", "text")]

    results = readers.read_apart(batches())
    next(results)
    assert len(given) <= 5
    results.close()


def test_a_file_that_takes_too_long_fails_and_the_others_are_read(settings):
    settings.READER_SECONDS = 0.6
    endless = asked("endless.py", "x = 1\n" * 2_000_000)
    ((before, slow, after),) = read_all([asked("a.txt", "one"), endless, asked("b.txt", "two")])
    assert slow.failed == readers.TOO_SLOW
    assert (before.text, after.text) == ("one", "two")


def test_a_file_that_needs_too_much_memory_fails_and_the_others_are_read(settings):
    settings.READER_MEGABYTES = 60
    large = asked("large.txt", "words and words " * 4_000_000)
    ((before, failed, after),) = read_all([asked("a.txt", "one"), large, asked("b.txt", "two")])
    assert failed.failed
    assert (before.text, after.text) == ("one", "two")


def test_a_file_is_read_as_ever_after_somebody_killed_its_reader():
    question = asked("app.py", "def first():\n    return 1\n")
    reader = readers.Reader()
    os.kill(reader._process.pid, signal.SIGKILL)
    reader._process.wait()
    content = reader.ask(question)
    assert content.failed == readers.BROKE
    content, fresh = readers._read_again(question, content, reader)
    fresh.close()
    assert (content.notes, content.passages) == ("", 1)


def test_a_file_whose_parser_takes_too_long_is_cut_by_lines():
    question = asked("app.py", "def first():\n    return 1\n")
    slow = Content(failed=readers.TOO_SLOW)
    content, fresh = readers._read_again(question, slow, readers.Reader())
    fresh.close()
    assert "chunked by lines" in content.notes
    assert content.passages == 1


def test_a_reader_waits_for_the_next_sync_and_is_then_gone(monkeypatch):
    monkeypatch.setattr(readers, "IDLE_SECONDS", 0.3)
    read_all([asked("a.txt", "one")])
    (reader,) = readers._shelf._readers
    read_all([asked("b.txt", "two")])
    assert readers._shelf._readers == [reader]
    deadline = time.monotonic() + 10
    while reader.is_usable and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not reader.is_usable


def test_a_reader_ends_when_its_worker_is_gone():
    reader = readers.Reader()
    reader.ask(asked("a.txt", "one"))
    assert reader._process.stdin
    reader._process.stdin.close()  # what the kernel does for a worker that was killed
    assert reader._process.wait(timeout=10) == 0
    reader._process.stdin = None
    reader.close()


def test_a_reader_knows_no_secret_of_ours(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "x" * 50)
    reader = readers.Reader()
    environment = Path(f"/proc/{reader._process.pid}/environ").read_bytes()
    reader.close()
    assert b"SECRET_KEY" not in environment
    assert b"DATABASE_URL" not in environment


def test_two_large_files_are_never_read_at_the_same_time(monkeypatch, settings):
    settings.READERS = 2
    monkeypatch.setattr(readers, "LARGE", 10)
    busy, most = 0, 0
    lock, ask = threading.Lock(), readers.Reader.ask

    def watched(self: readers.Reader, question: Asked) -> Content:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        answer = ask(self, question)
        with lock:
            busy -= 1
        return answer

    monkeypatch.setattr(readers.Reader, "ask", watched)
    read_all(*([asked(f"{n}.txt", "many words " * 2000)] for n in range(6)))
    assert most == 1


def test_frames_end_with_a_word_when_the_other_side_is_gone():
    pipe = io.BytesIO()
    frames.send_content(pipe, Content(text="ü", rows=b"\0\1", terms={5: 2}))
    whole = pipe.getvalue()
    received = frames.receive_content(io.BytesIO(whole))
    assert (received.text, received.rows, received.terms) == ("ü", b"\0\1", {5: 2})
    for cut in (0, 3, len(whole) // 2, len(whole) - 1):
        with pytest.raises(ConnectionEnded):
            frames.receive_content(io.BytesIO(whole[:cut]))


def test_a_reader_that_claims_an_absurd_length_is_taken_for_broken():
    with pytest.raises(ConnectionEnded):
        frames.receive_content(io.BytesIO(b"\xff" * 100))
