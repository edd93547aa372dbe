"""Text that would run or load something is shown by every page as the text that it is."""

from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Installation
from tests.browser.hostile import (
    GROUPS,
    PAYLOADS,
    Watched,
    as_path,
    joined,
    make_repository,
    mark,
    store_conversations,
    watched_page,
)
from tests.browser.talking import ask, last_answer
from tests.model_server import ModelServer

pytestmark = pytest.mark.slow  # with the other hostile fixtures

ALL = range(len(PAYLOADS))
AT_ONCE = 16  # texts in one answer


@pytest.fixture(scope="module")
def quarry(installation: Installation) -> str:
    """A project of hostile files; return its address."""
    make_repository(installation.folder / "quarry")
    installation.manage("add", str(installation.folder / "quarry"), "--project", "quarry", "--wait")
    [(pk,)] = installation.sql("SELECT id FROM projects_project WHERE name = 'quarry'")
    return f"/projects/{pk}/"


@pytest.fixture
def watched(browser: Browser, installation: Installation) -> Iterator[Watched]:
    with watched_page(browser, installation) as page:
        yield page


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<img src=x onerror=window.PWNED=1>", "PWNED was set"),
        ("<svg onload=window.PWNED=1>", "PWNED was set"),
        ("<iframe srcdoc='<script>parent.PWNED=1</script>'></iframe>", "PWNED was set"),
        ("<link rel=stylesheet href=//x.test/a.css>", "asked for http://x.test/a.css"),
        ("<img src=x onerror=alert(1)>", "1"),
    ],
)
def test_what_runs_or_loads_is_noticed(watched: Watched, text: str, told: str):
    watched.page.set_content(f"<main>{text}</main>")
    watched.wait_until_seen(told)
    assert watched.page.evaluate("() => document.querySelector('main').childElementCount") == 1
    with pytest.raises(AssertionError):
        watched.look()


@pytest.mark.parametrize("first", range(0, len(PAYLOADS), AT_ONCE))
def test_questions_and_answers_run_nothing_while_they_stream_and_after(
    watched: Watched, quarry: str, model: ModelServer, first: int
):
    numbers = ALL[first : first + AT_ONCE]
    model.pieces = [part for n in numbers for part in (PAYLOADS[n], f"\n\n{mark(n)}\n\n")]
    model.pieces += ["The last words."]
    model.held_at = len(model.pieces) - 1
    watched.page.goto(quarry)
    ask(watched.page, "\n".join(["quarry", *(f"{PAYLOADS[n]} {mark(n)}" for n in numbers)]))

    streamed = watched.page.locator(".prose--live")
    expect(streamed).to_contain_text(mark(numbers[-1]))
    watched.look()
    text = streamed.text_content() or ""
    asked = watched.page.locator(".turn__asked").text_content() or ""
    for n in numbers:
        bare = PAYLOADS[n].replace("\0", "")
        assert bare in asked
        assert bare in text or "[1]" in bare  # a mark is held back until it is checked

    model.let_go.set()
    expect(watched.page.locator(".prose")).to_contain_text("The last words.")
    expect(watched.page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(last_answer(watched.page).locator(".card").first).to_be_visible()
    watched.look()
    written = watched.page.locator(".prose").text_content() or ""
    assert [n for n in numbers if mark(n) not in written] == []


def test_conversations_and_their_titles_run_nothing(
    watched: Watched, quarry: str, installation: Installation
):
    kept = store_conversations(installation)
    for group, pk in zip(GROUPS, kept, strict=True):
        watched.page.goto(f"/conversations/{pk}/")
        watched.look()
        assert watched.page.title() == f"{joined(group)} · Nightowl"
        turns = watched.page.locator(".turn").all_text_contents()
        assert len(turns) == 2 * len(group)
        for n, asked, answered in zip(group, turns[::2], turns[1::2], strict=True):
            assert PAYLOADS[n].replace("\0", "") in asked
            assert answered.count(mark(n)) >= 3  # the answer, the path, its name for a reader
    for words in ("m0", "m1"):
        watched.page.goto(f"{quarry}conversations/?q={words}")
        watched.look()
        listed = watched.page.locator("main").text_content() or ""
        assert [n for n in ALL if mark(n).startswith(words) and mark(n) not in listed] == []


def test_files_and_those_who_wrote_them_run_nothing(
    watched: Watched, quarry: str, installation: Installation
):
    [(source, head)] = installation.sql(
        "SELECT id, head FROM projects_source WHERE name = 'quarry'"
    )
    for group in GROUPS:
        path = as_path(group)
        authors = "FROM knowledge_document WHERE source_id = %s AND path = %s"
        [(author,)] = installation.sql(f"SELECT author {authors}", source, path)
        assert [n for n in group if mark(n) not in author] == []
        # What git can't keep in a name, somebody's own name in the database can.
        installation.sql(
            "UPDATE knowledge_document SET author = %s WHERE source_id = %s AND path = %s",
            joined(group),
            source,
            path,
        )
        watched.page.goto(f"/sources/{source}/at/{head}/{quote(path)}")
        watched.look()
        shown = watched.page.locator("main")
        content = shown.locator(".prose").text_content() or ""
        facts = shown.locator(".viewer__facts").text_content() or ""
        named = shown.locator(".pathline").text_content() or ""
        assert f"by {joined(group)}" in facts
        assert [n for n in group if mark(n) not in content or mark(n) not in named] == []
        assert mark(group[-1]) in watched.page.title()
    watched.page.goto(f"/sources/{source}/at/{head}/all.html")
    watched.look()
    lines = watched.page.locator(".line__text").all_text_contents()
    text = "\n".join([*PAYLOADS, ""]).replace("\0", "\ufffd")
    for deceiving in ("\u202e", "\ufeff"):  # shown as what they are
        text = text.replace(deceiving, f"U+{ord(deceiving):04X}")
    assert "".join(lines) == text


def test_search_results_and_lists_of_files_run_nothing(
    watched: Watched, quarry: str, installation: Installation
):
    [(source,)] = installation.sql("SELECT id FROM projects_source WHERE name = 'quarry'")
    reached = ""
    for group in range(len(GROUPS) // 3 + 1):
        for page in ("search/", "search/why/"):
            watched.page.goto(f"{quarry}{page}?{urlencode({'q': f'quarry{group}'})}")
            watched.look()
            reached += watched.page.locator("main").text_content() or ""
    assert [n for n in ALL if mark(n) not in reached] == []
    for words in ("m0", "m1"):
        watched.page.goto(f"/sources/{source}/files/?filter={words}")
        watched.look()
        listed = watched.page.locator("main").text_content() or ""
        assert [n for n in ALL if mark(n).startswith(words) and mark(n) not in listed] == []
