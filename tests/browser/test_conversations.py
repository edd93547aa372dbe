"""What people do with conversations: follow, stop, branch, keep, share, delete, copy."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, Installation, sign_in
from tests.browser.talking import QUESTION, ask, last_answer, open_project

PIECES = [f"piece{n} " for n in range(20)]
IN_ORDER = re.compile(r"\s+".join(piece.strip() for piece in PIECES))


@pytest.fixture
def second_tab(page: Page) -> Iterator[Page]:
    """Another tab of the same person."""
    opened = page.context.new_page()
    yield opened
    opened.close()


def ask_and_see(page: Page, question: str = QUESTION) -> None:
    open_project(page)
    ask(page, question)
    expect(page.locator("a.citation").first).to_be_visible()


def open_menu(page: Page, name: str) -> None:
    page.locator("main summary").filter(has_text=name).or_(
        page.locator(f'main summary[aria-label="{name}"]')
    ).first.click()


def test_two_tabs_show_every_piece_of_a_running_answer_once(page: Page, second_tab: Page, model):
    model.pieces, model.held_at = PIECES, 10
    open_project(page)
    ask(page)
    expect(last_answer(page)).to_contain_text("piece9")
    second_tab.goto(page.url)
    expect(last_answer(second_tab)).to_contain_text("piece9")
    assert "piece10" not in second_tab.inner_text("main")
    model.let_go.set()
    for tab in (page, second_tab):
        expect(tab.locator(".prose")).to_have_text(IN_ORDER)
        expect(tab.get_by_role("button", name="Stop")).to_have_count(0)
        assert tab.inner_text("main").count("piece7") == 1


def test_a_stop_in_one_tab_ends_the_answer_in_the_other_and_says_so(
    page: Page, second_tab: Page, model
):
    model.pieces, model.delay = [f"piece{n} " for n in range(400)], 0.1
    open_project(page)
    ask(page)
    second_tab.goto(page.url)
    expect(last_answer(second_tab)).to_contain_text("piece3")
    second_tab.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.get_by_role("button", name="Again")).to_be_visible()
    expect(second_tab.locator("main")).to_contain_text("You stopped this answer")
    expect(page.get_by_text("This answer was stopped. What was written stays.")).to_be_visible()
    shown = page.locator(".prose").inner_text()
    assert shown == second_tab.locator(".prose").inner_text()
    assert "piece3" in shown
    assert "piece399" not in shown


def test_a_question_in_other_words_is_a_branch_that_the_pager_leads_back_from(page: Page):
    ask_and_see(page)
    open_menu(page, "Edit")
    page.get_by_label("The question in other words").fill("How is a letter sent?")
    page.get_by_role("button", name="Ask again").click()
    asked, pager = page.locator(".turn__asked"), page.locator(".turn--question .branches__place")
    expect(asked).to_have_text("How is a letter sent?")
    expect(pager).to_have_text("Version 2/ of 2")
    expect(last_answer(page)).to_contain_text("relay")
    page.get_by_role("button", name="Version before").click()
    expect(asked).to_have_text(QUESTION)
    expect(pager).to_have_text("Version 1/ of 2")
    expect(last_answer(page)).to_contain_text("written first")
    expect(page.get_by_role("button", name="Version before")).to_be_disabled()
    page.get_by_role("button", name="Version after").click()
    expect(asked).to_have_text("How is a letter sent?")
    expect(page.locator(".turn")).to_have_count(2)


def test_an_answer_is_written_anew_beside_the_first(page: Page, model):
    model.pieces = ["First ", "thoughts [1]."]
    ask_and_see(page)
    model.pieces = ["Second ", "thoughts [1]."]
    page.get_by_role("button", name="Again").click()
    expect(last_answer(page)).to_contain_text("Second thoughts")
    expect(page.locator(".turn--answer .branches__place")).to_have_text("Version 2/ of 2")
    page.get_by_role("button", name="Version before").click()
    expect(last_answer(page)).to_contain_text("First thoughts")
    expect(last_answer(page)).not_to_contain_text("Second thoughts")


def test_a_conversation_is_renamed_pinned_deleted_and_brought_back(page: Page):
    ask_and_see(page)
    open_menu(page, "Rename, pin, export or delete")
    page.get_by_label("Title").fill("About evicting")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("About evicting")
    ask_and_see(page, "How is a letter sent to an address?")
    page.get_by_label("Where you are").get_by_role("link", name="Conversations").click()
    rows = page.locator(".rows li")
    row = rows.filter(has_text="About evicting")
    expect(rows.first).not_to_contain_text("About evicting")
    row.locator("summary").click()
    row.get_by_role("button", name="Pin to the top").click()
    expect(rows.first).to_contain_text("About evicting")
    expect(page.get_by_role("heading", level=2).first).to_have_text("Pinned")

    rows.first.locator("summary").click()
    rows.first.get_by_role("button", name="Delete").click()
    expect(page.locator("main")).to_contain_text("“About evicting” was deleted.")
    expect(rows.filter(has_text="About evicting")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("About evicting")
    expect(last_answer(page)).to_contain_text("written first")


@pytest.fixture(scope="module")
def bob(installation: Installation) -> str:
    """Another person of the project, who may look."""
    made = (
        "from accounts.models import User; from projects.models import Membership, Project;"
        f"bob = User.objects.create_user('bob', {PASSWORD!r});"
        "garden = Project.objects.get(name='garden');"
        "Membership.objects.create(project=garden, user=bob, role=Membership.Role.VIEWER)"
    )
    installation.manage("shell", "--no-imports", "-c", made)
    return "bob"


def test_what_is_shared_others_of_the_project_read_but_cannot_ask_in(
    page: Page, browser: Browser, installation: Installation, bob: str
):
    ask_and_see(page)
    context = browser.new_context(base_url=installation.url)
    other = context.new_page()
    sign_in(other, bob)
    answered = other.goto(page.url)
    assert answered
    assert answered.status == 404

    open_menu(page, "Share")
    page.get_by_role("button", name="Share in garden").click()
    open_menu(page, "Shared")
    address = page.locator(".menu__link code").inner_text()
    other.goto(address)
    expect(other.locator(".turn__asked")).to_have_text(QUESTION)
    expect(last_answer(other)).to_contain_text("written first")
    expect(other.locator("main")).to_contain_text("lets everybody in garden read this conversation")
    expect(other.locator("main textarea")).to_have_count(0)
    expect(other.locator("main form[method=post]")).to_have_count(0)

    page.get_by_role("button", name="Stop sharing").click()
    expect(page.locator("main summary", has_text="Share")).to_be_visible()
    again = other.reload()
    assert again
    assert again.status == 404
    context.close()


def test_a_shared_answer_is_followed_by_others_while_it_is_written(
    page: Page, browser: Browser, installation: Installation, bob: str, model
):
    model.pieces, model.held_at = PIECES, 10
    open_project(page)
    ask(page)
    expect(last_answer(page)).to_contain_text("piece9")
    open_menu(page, "Share")
    page.get_by_role("button", name="Share in garden").click()
    context = browser.new_context(base_url=installation.url)
    other = context.new_page()
    sign_in(other, bob)
    other.goto(page.url)
    expect(last_answer(other)).to_contain_text("piece9")
    expect(other.get_by_role("button", name="Stop")).to_have_count(0)
    model.let_go.set()
    expect(other.locator(".prose")).to_have_text(IN_ORDER)
    context.close()


def test_others_are_not_told_that_they_stopped_what_they_only_read(
    page: Page, browser: Browser, installation: Installation, bob: str, model
):
    model.pieces, model.held_at = PIECES, 10
    open_project(page)
    ask(page)
    expect(last_answer(page)).to_contain_text("piece9")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("main")).to_contain_text("You stopped this answer.")
    open_menu(page, "Share")
    page.get_by_role("button", name="Share in garden").click()
    context = browser.new_context(base_url=installation.url)
    other = context.new_page()
    sign_in(other, bob)
    other.goto(page.url)
    expect(last_answer(other)).to_contain_text("This answer was stopped. What was written stays.")
    context.close()


def test_a_model_that_is_not_there_is_named_before_a_word_is_written(page: Page, model):
    model.mode = "broken"
    open_project(page)
    ask(page)
    expect(last_answer(page).get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    model.mode = "well"
    page.get_by_role("button", name=re.compile("^(Ask again|Again)$")).click()
    expect(last_answer(page)).to_contain_text("The cache evicts the oldest")


def test_a_citation_lights_its_passage_for_the_mouse_and_for_the_keyboard(page: Page):
    ask_and_see(page)
    citation, card = page.locator("a.citation").first, page.locator(".card--pointed")
    expect(card).to_have_count(0)
    citation.hover()
    expect(card).to_have_attribute("data-source", citation.inner_text())
    page.mouse.move(0, 0)
    expect(card).to_have_count(0)
    citation.focus()
    expect(card).to_have_attribute("data-source", citation.inner_text())
    expect(card.locator("details")).to_have_attribute("open", "")


def test_copying_an_answer_gives_its_markdown(page: Page, model):
    model.pieces = ["The **oldest** ", "goes:\n\n```py\npop()\n```\n\nfirst [1]."]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask_and_see(page)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.locator(".turn__actions copy-button")).to_have_text("Copied")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied.startswith("The **oldest** goes:\n\n```py\npop()\n```\n\nfirst [1].")
    assert "src/cache.py" in copied
    code = page.locator(".code-block copy-button button")
    code.click()
    expect(code).to_have_text("Copied")
    assert page.evaluate("() => navigator.clipboard.readText()").rstrip() == "pop()"
