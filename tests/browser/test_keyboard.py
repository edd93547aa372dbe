"""A conversation without a mouse: every step has a key, and one sees where one is."""

import re

from playwright.sync_api import Page, expect

from tests.browser.talking import QUESTION, ask, last_answer, open_project

# Whether what has the focus is drawn otherwise than without it.
SHOWS_FOCUS = """() => {
  const looks = (element) => {
    const { outlineStyle, outlineWidth, boxShadow, borderColor } = getComputedStyle(element);
    return [outlineStyle === "none" ? "0px" : outlineWidth, boxShadow, borderColor].join();
  };
  const frame = (element) => [element, element.closest(".composer, .hit") ?? element];
  const element = document.activeElement;
  const focused = frame(element).map(looks).join();
  element.blur();
  const left = frame(element).map(looks).join();
  element.focus();
  return focused !== left;
}"""


def test_a_question_is_asked_and_read_with_keys_alone(page: Page):
    page.goto("/help/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    open_project(page)
    expect(page.locator("#Question")).to_be_focused()
    page.keyboard.type("How is the oldest value")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("evicted from the cache?")
    page.keyboard.press("Enter")
    page.wait_for_url("**/conversations/**")
    expect(page.locator(".turn__asked")).to_have_text(re.compile("oldest value\\s+evicted"))
    expect(page.locator("a.citation").first).to_be_visible()

    expect(page.locator("#Question")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    expect(page.locator(".turn--answer")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".turn--answer a.citation").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/src/cache\.py\?lines="))


def test_every_stop_of_the_tab_key_can_be_seen(page: Page):
    open_project(page)
    ask(page)
    expect(page.locator("a.citation").first).to_be_visible()
    page.reload()
    expect(page.locator("#Question")).to_be_focused()
    page.evaluate("() => { document.body.tabIndex = -1; document.body.focus(); }")
    stops, unseen = 0, []
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement === document.body"):
            break
        stops += 1
        if not page.evaluate(SHOWS_FOCUS):
            unseen.append(page.evaluate("() => document.activeElement.outerHTML.slice(0, 200)"))
    assert stops > 20
    assert unseen == []


def test_j_and_k_walk_the_turns_and_brackets_the_sources(page: Page):
    open_project(page)
    ask(page, "cache values mail letter relay guide")
    expect(page.locator(".card").nth(1)).to_be_visible()
    expect(page.locator("a.citation").first).to_be_visible()
    page.keyboard.press("Escape")
    turns = page.locator(".turn")
    for key, turn in (("k", 1), ("k", 0), ("j", 1)):
        page.keyboard.press(key)
        expect(turns.nth(turn)).to_be_focused()
    cards = page.locator(".card")
    expect(cards.nth(0).locator("details")).to_have_attribute("open", "")
    page.keyboard.press("]")
    expect(cards.nth(1).locator("details")).to_have_attribute("open", "")
    expect(cards.nth(0).locator("details")).not_to_have_attribute("open", "")
    expect(cards.nth(1).locator("summary")).to_be_focused()
    page.keyboard.press("[")
    expect(cards.nth(0).locator("details")).to_have_attribute("open", "")


def test_keys_lead_to_search_help_conversations_and_whatever_the_palette_finds(page: Page):
    open_project(page)
    expect(page.locator("#Question")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#TopSearch")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_url("**/help/")

    page.go_back()
    expect(page.locator("#Question")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/conversations/")

    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog")
    expect(palette.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("docum")
    expect(palette.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/documents/")
    page.keyboard.press("Control+k")
    page.keyboard.type("nothing of that name")
    expect(palette.get_by_role("option")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()


def test_escape_closes_a_menu_and_leaves_the_focus_on_its_button(page: Page):
    open_project(page)
    ask(page)
    expect(page.locator("a.citation").first).to_be_visible()
    for name in ("Conversations", "Share", "Rename, pin, export or delete"):
        button = (
            page.locator("main summary")
            .filter(has_text=name)
            .or_(page.locator(f'main summary[aria-label="{name}"]'))
        )
        button.focus()
        page.keyboard.press("Enter")
        menu = page.locator("details.menu[open]")
        expect(menu).to_have_count(1)
        page.keyboard.press("Tab")
        expect(menu.locator(":focus")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(menu).to_have_count(0)
        expect(button).to_be_focused()


def test_a_finished_answer_can_be_asked_otherwise_with_keys(page: Page):
    open_project(page)
    ask(page)
    expect(page.locator("a.citation").first).to_be_visible()
    page.locator("summary", has_text="Edit").focus()
    page.keyboard.press("Enter")
    field = page.get_by_label("The question in other words")
    expect(field).to_have_value(QUESTION)
    field.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("How is a letter sent?")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".turn__asked")).to_have_text("How is a letter sent?")
    expect(last_answer(page)).to_contain_text("relay")
