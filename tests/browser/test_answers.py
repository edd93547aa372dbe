"""From a question to the lines that answer it, in a real browser against real processes."""

import re

from playwright.sync_api import Page, expect

from tests.browser.talking import QUESTION, ask, last_answer, open_project


def test_a_question_is_answered_with_a_citation_that_opens_the_lines(page: Page):
    open_project(page)
    ask(page)
    citation = page.locator("a.citation").first
    expect(citation).to_be_visible()
    expect(last_answer(page)).to_contain_text("Drop the value that was written first.")
    expect(page.locator("main")).to_contain_text("without a model")
    citation.click()
    page.wait_for_url(re.compile(r"/at/[0-9a-f]{40}/src/cache\.py\?lines=\d+-\d+#L\d+"))
    expect(page.locator("main")).to_contain_text("evict_oldest")
    page.go_back()
    expect(page.locator("a.citation").first).to_be_visible()


def test_an_answer_arrives_while_it_is_written(page: Page, model):
    model.pieces, model.delay = ["The ", "cache ", "evicts ", "the ", "oldest ", "[1]."], 0.4
    open_project(page)
    ask(page)
    expect(last_answer(page)).to_contain_text("The cache")
    expect(page.locator("a.citation")).to_have_count(0)
    expect(page.locator("a.citation").first).to_be_visible()
    expect(last_answer(page)).to_contain_text("The cache evicts the oldest")


def test_a_reload_continues_the_answer_and_shows_every_piece_once(page: Page, model):
    model.pieces, model.delay = [f"piece{n} " for n in range(20)], 0.2
    open_project(page)
    ask(page)
    expect(last_answer(page)).to_contain_text("piece3")
    page.reload()
    expect(last_answer(page)).to_contain_text("piece19")
    text = last_answer(page).inner_text()
    assert [text.count(f"piece{n} ") + text.count(f"piece{n}\n") for n in range(19)] == [1] * 19


def test_a_stopped_answer_keeps_its_text(page: Page, model):
    model.pieces, model.delay = [f"piece{n} " for n in range(200)], 0.1
    open_project(page)
    ask(page)
    expect(last_answer(page)).to_contain_text("piece3")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(last_answer(page)).to_contain_text("piece3")
    assert "piece199" not in page.inner_text("main")


def test_a_model_that_dies_mid_answer_leaves_its_text_and_a_clear_message(page: Page, model):
    model.mode = "dies"
    open_project(page)
    ask(page)
    expect(last_answer(page)).to_contain_text("The cache evicts")
    expect(page.locator("main")).to_contain_text("broke off its answer")
    page.reload()
    expect(last_answer(page)).to_contain_text("The cache evicts")
    expect(page.locator("main")).to_contain_text("What was written so far is kept")


def test_markup_in_an_answer_is_shown_not_run(page: Page, model):
    model.pieces = ["<img src=x onerror=\"document.title='owned'\">", " **bold** [1]"]
    open_project(page)
    ask(page)
    expect(last_answer(page).get_by_text("bold", exact=True)).to_be_visible()
    assert page.title() != "owned"
    assert page.locator(".turn img").count() == 0


def test_a_question_that_is_not_in_the_sources_is_said_so(page: Page):
    open_project(page)
    ask(page, "zeppelin gondola mooring procedure")
    expect(last_answer(page)).to_contain_text("This is not in the indexed sources")


def test_a_conversation_goes_on_and_is_found_again(page: Page):
    open_project(page)
    ask(page)
    expect(page.locator("a.citation").first).to_be_visible()
    page.fill("#Question", "and how is mail sent?")
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_count(4)
    open_project(page)
    expect(page.locator("main")).to_contain_text(QUESTION)
