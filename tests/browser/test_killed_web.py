"""The web process is killed while an answer is written: its text stays, and its end is told."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Installation, free_port, sign_in, start_web, wait_until_up
from tests.browser.talking import ask, last_answer, open_project

pytestmark = pytest.mark.slow  # an answer is given up fifteen seconds after it was last saved

A_SECOND_OF_PIECES = 10
ABANDONED_WITHIN = 25_000  # milliseconds


@dataclass
class Web:
    """A second web process beside that of the installation, over the same database."""

    environment: dict[str, str]
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return self.environment["PUBLIC_URL"]

    def workers(self) -> list[int]:
        """Return the processes that answer requests: the children of the one we started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def kill_workers(self) -> None:
        for pid in self.workers():
            os.kill(pid, signal.SIGKILL)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def start_again(self) -> None:
        self.process = start_web(self.environment, self.port)
        wait_until_up(self.url)


@pytest.fixture
def web(installation: Installation) -> Iterator[Web]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**installation.environment, "PORT": str(port), "PUBLIC_URL": url}
    started = Web(environment, port, start_web(environment, port))
    try:
        wait_until_up(url)
        yield started
    finally:
        started.kill()


@pytest.fixture
def reader(browser, web: Web) -> Iterator[Page]:
    context = browser.new_context(base_url=web.url)
    context.set_default_timeout(15_000)
    page = context.new_page()
    sign_in(page)
    yield page
    context.close()


def ask_slowly(page: Page, model) -> None:
    model.pieces, model.delay = [f"piece{n} " for n in range(2000)], 1 / A_SECOND_OF_PIECES
    open_project(page)
    ask(page)
    expect(last_answer(page)).to_contain_text("piece25")


def last_piece(text: str) -> int:
    return max(int(number) for number in re.findall(r"piece(\d+) ", text))


def kept_text(installation: Installation) -> str:
    [(text,)] = installation.sql(
        "SELECT content FROM conversations_message WHERE role = 'assistant'"
        " ORDER BY created_at DESC LIMIT 1"
    )
    return str(text)


def test_a_killed_web_process_leaves_the_text_and_a_reload_tells_of_the_end(
    reader: Page, web: Web, installation: Installation, model
):
    ask_slowly(reader, model)
    shown = last_piece(last_answer(reader).inner_text())
    web.kill()
    assert last_piece(kept_text(installation)) >= shown - A_SECOND_OF_PIECES
    expect(last_answer(reader)).to_contain_text("The connection was lost")

    web.start_again()
    reader.reload()
    expect(last_answer(reader)).to_contain_text("piece9")
    told = last_answer(reader).get_by_text("The answer was interrupted. What was written is kept")
    expect(told).to_be_visible(timeout=ABANDONED_WITHIN)
    reader.reload()
    expect(told).to_be_visible()
    expect(last_answer(reader)).to_contain_text(f"piece{shown - A_SECOND_OF_PIECES} ")
    expect(reader.get_by_role("button", name="Stop")).to_have_count(0)

    model.pieces, model.delay = ["The cache ", "evicts the oldest [1]."], 0
    reader.get_by_role("button", name="Ask again").first.click()
    expect(last_answer(reader)).to_contain_text("The cache evicts the oldest")


def test_where_only_the_workers_are_killed_the_open_page_is_told_by_itself(
    reader: Page, web: Web, installation: Installation, model
):
    ask_slowly(reader, model)
    shown = last_piece(last_answer(reader).inner_text())
    killed = web.workers()
    assert len(killed) == 2
    web.kill_workers()
    assert last_piece(kept_text(installation)) >= shown - A_SECOND_OF_PIECES
    told = last_answer(reader).get_by_text("The answer was interrupted. What was written is kept")
    expect(told).to_be_visible(timeout=ABANDONED_WITHIN)
    expect(last_answer(reader)).to_contain_text(f"piece{shown - A_SECOND_OF_PIECES} ")
    expect(reader.get_by_role("button", name="Stop")).to_have_count(0)
    assert not set(web.workers()) & set(killed)
