"""Writing documents and walking through files in a real browser."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Installation, sign_in


def open_documents(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="garden").first.click()
    page.get_by_role("link", name="Documents").first.click()


def write(page: Page, title: str, text: str) -> None:
    open_documents(page)
    page.get_by_role("link", name="Write a document").first.click()
    page.get_by_label("Title").fill(title)
    page.get_by_label("Text").fill(text)


def test_a_document_is_previewed_written_found_and_brought_back(page: Page):
    write(page, "Pruning quinces", "# Pruning\n\nQuince trees are pruned in **March**.\n")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_label("Preview").locator("strong")).to_have_text("March")
    expect(page).to_have_url(re.compile("#Preview$"))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main h1")).to_have_text(["Pruning quinces", "Pruning"])

    page.keyboard.press("/")
    page.keyboard.type("when are quince trees pruned")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("pruning-quinces.md")

    open_documents(page)
    page.get_by_role("link", name="Pruning quinces").click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete the document").click()
    expect(page.locator("main")).to_contain_text("Pruning quinces was deleted.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("main h1")).to_have_text(["Pruning quinces", "Pruning"])


def test_of_two_windows_the_second_is_told(page: Page, browser: Browser, installation):
    write(page, "Watering", "Every evening.\n")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Edit").click()
    address = page.url
    context = browser.new_context(base_url=installation.url)
    other = context.new_page()
    sign_in(other)
    other.goto(address)
    other.get_by_label("Text").fill("Every morning.\n")
    other.get_by_role("button", name="Save").click()
    expect(other.locator("main")).to_contain_text("Every morning.")

    page.get_by_label("Text").fill("At noon.\n")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        page.get_by_role("button", name="Save").click()
    assert answered.value.status == 409
    expect(page.get_by_role("alert")).to_contain_text("Somebody changed this document meanwhile.")
    expect(page.get_by_label("Text")).to_have_value("At noon.\n")
    page.get_by_role("button", name="Save over it").click()
    expect(page.locator("main")).to_contain_text("At noon.")
    context.close()


def file_of(installation: Installation, path: str) -> str:
    [(source, head)] = installation.sql("SELECT id, head FROM projects_source WHERE name = 'code'")
    return f"/sources/{source}/at/{head}/{path}"


def test_the_tree_opens_folders_and_filters(page: Page, installation):
    page.goto(file_of(installation, "src/cache.py"))
    tree = page.locator("file-tree")
    expect(tree.get_by_role("link", name="cache.py")).to_have_attribute("aria-current", "page")
    expect(tree.get_by_role("link", name="guide.md")).to_have_count(0)

    tree.locator("summary", has_text="docs").click()
    expect(tree.get_by_role("link", name="guide.md")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(tree.get_by_role("link", name="guide.md")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(tree.locator("summary", has_text="docs")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(tree.get_by_role("link", name="guide.md")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("main h2", has_text="Caching").first).to_be_visible()

    field = page.get_by_label("Filter files by path")
    field.fill("mail")
    expect(tree.get_by_role("link", name="src/mail.py")).to_be_visible()
    expect(tree.get_by_role("link", name="guide.md")).to_have_count(0)
    field.fill("")
    expect(tree.get_by_role("link", name="guide.md")).to_be_visible()
    field.fill("mail")
    field.press("Enter")
    expect(page.locator("main")).to_contain_text("1 file with this in the path")


def test_without_scripts_files_are_walked_and_filtered(browser: Browser, installation):
    context = browser.new_context(base_url=installation.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    page.goto(file_of(installation, "src/cache.py"))
    page.locator("summary", has_text="docs").click()
    page.get_by_role("link", name="1 file", exact=True).click()
    page.get_by_role("link", name="guide.md").click()
    expect(page.locator("main h2", has_text="Caching").first).to_be_visible()
    page.get_by_label("Filter files by path").fill("mail")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="src/mail.py")).to_be_visible()
    context.close()
