"""What every journey through a conversation does: open the project, ask, look at the answer."""

from playwright.sync_api import Locator, Page

QUESTION = "How is the oldest value evicted from the cache?"


def open_project(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="garden").first.click()


def ask(page: Page, question: str = QUESTION) -> None:
    page.fill("#Question", question)
    page.keyboard.press("Enter")
    page.wait_for_url("**/conversations/**")


def last_answer(page: Page) -> Locator:
    return page.locator(".turn").last
