"""Conversations for who has a small screen, no scripts, or no liking for movement."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Installation, sign_in
from tests.browser.talking import ask, last_answer, open_project

LONG = "src/" + "an_endless_name_without_any_place_to_break_" * 8
WIDE_ANSWER = [
    f"`{LONG}` and {LONG} go on.\n\n",
    f"```py\n{LONG} = {LONG}\n```\n\n",
    "| a | b | c | d | e | f | g | h |\n|---|---|---|---|---|---|---|---|\n",
    "| " + " | ".join(["a_wide_cell_of_a_table"] * 8) + " |\n\n",
    "The last words [1].",
]
OVERFLOW = """() => {
  if (document.scrollingElement.scrollWidth <= innerWidth) return [];
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => element.outerHTML.slice(0, 120));
}"""


@pytest.fixture
def open_as(browser: Browser, installation: Installation) -> Iterator[Callable[..., Page]]:
    """Open a page on which alice is signed in, in a browser of those habits."""
    contexts = []

    def open_page(**habits: object) -> Page:
        context = browser.new_context(base_url=installation.url, **habits)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        sign_in(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


def test_a_narrow_page_never_scrolls_sideways(open_as, model):
    model.pieces = WIDE_ANSWER
    page = open_as(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    open_project(page)
    ask(page, f"Where does the cache evict {LONG}?")
    expect(page.locator("a.citation").first).to_be_visible()
    conversation = page.url
    addresses = [
        conversation,
        re.sub(r"/conversations/.*", "/", page.locator(".crumbs a").last.get_attribute("href")),
        page.locator(".crumbs a").nth(1).get_attribute("href"),
        "/",
    ]
    for address in addresses:
        page.goto(address)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("() => innerWidth") == 360
            assert page.evaluate(OVERFLOW) == [], address
    page.goto(conversation)
    menus = page.locator("main summary:visible")
    for n in range(menus.count()):
        menus.nth(n).click()
        assert page.evaluate(OVERFLOW) == [], menus.nth(n).inner_text()
        page.keyboard.press("Escape")


def test_files_can_be_added_under_a_conversation(open_as):
    page = open_as()
    open_project(page)
    ask(page, "How is the oldest value evicted from the cache?")
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        page.locator("summary", has_text="Add files").click()
        expect(page.get_by_role("button", name="Take in")).to_be_visible()
        page.locator("summary", has_text="Add files").click()
        expect(page.get_by_role("button", name="Take in")).to_be_hidden()
    assert page.locator("ask-composer").evaluate(
        "(composer) => composer.offsetLeft === document.querySelector('file-drop').offsetLeft"
    )


def test_without_scripts_a_question_is_asked_and_its_answer_read(open_as, model):
    model.pieces, model.held_at = ["The cache evicts ", "what is oldest [1]."], 1
    page = open_as(java_script_enabled=False)
    open_project(page)
    page.get_by_label("How does it work?").fill("How is the oldest value evicted from the cache?")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_url("**/conversations/**")
    expect(last_answer(page)).to_contain_text("The cache evicts")
    expect(page.locator("a.citation")).to_have_count(0)
    model.let_go.set()
    expect(page.locator("a.citation")).to_have_text(["1"])
    expect(last_answer(page)).to_contain_text("The cache evicts what is oldest")
    expect(page.locator('meta[http-equiv="refresh"]')).to_have_count(0)
    page.locator("summary", has_text="Edit").click()
    page.get_by_label("The question in other words").fill("And how is a letter sent?")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".turn__asked")).to_have_text("And how is a letter sent?")


def test_without_scripts_a_running_answer_can_be_stopped(open_as, model):
    model.pieces, model.delay = [f"piece{n} " for n in range(400)], 0.1
    page = open_as(java_script_enabled=False)
    open_project(page)
    page.get_by_label("How does it work?").fill("How is the oldest value evicted from the cache?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(last_answer(page)).to_contain_text("piece3")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("main")).to_contain_text("You stopped this answer")
    expect(last_answer(page)).to_contain_text("piece3")


def test_who_wants_no_movement_sees_none(open_as, model):
    moves = """() => document.getAnimations().length + [...document.querySelectorAll("*")].filter(
      (element) => {
        const looks = getComputedStyle(element);
        const lasts = (times) => times.split(",").some((time) => parseFloat(time) > 0);
        const scrolls = looks.scrollBehavior === "smooth";
        return scrolls || lasts(looks.transitionDuration) || lasts(looks.animationDuration);
      }).length"""
    model.pieces, model.held_at = ["The cache ", "evicts [1]."], 1
    pages = [open_as(reduced_motion=motion) for motion in ("reduce", "no-preference")]
    open_project(pages[0])
    ask(pages[0])
    expect(last_answer(pages[0])).to_contain_text("The cache")
    pages[1].goto(pages[0].url)
    expect(last_answer(pages[1])).to_contain_text("The cache")
    assert pages[0].evaluate(moves) == 0
    assert pages[1].evaluate(moves) > 0
    model.let_go.set()
    expect(pages[0].locator("a.citation")).to_be_visible()
    assert pages[0].evaluate(moves) == 0
