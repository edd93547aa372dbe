"""Adding and watching sources in a real browser, with a real worker behind."""

import time

from playwright.sync_api import Page, expect

from tests.projects.repositories import Repository


def new_source(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="garden").first.click()
    page.get_by_role("link", name="Sources").first.click()
    page.get_by_role("link", name="Add").first.click()


def wait_until_indexed(installation, name: str) -> None:
    for _ in range(200):
        found = installation.sql("SELECT state FROM projects_source WHERE name = %s", name)
        if found == [("ready",)]:
            return
        time.sleep(0.2)
    raise AssertionError(f"{name} was not indexed in 40 seconds: {found}")


def test_a_repository_added_by_its_path_becomes_searchable(page: Page, installation):
    Repository(installation.folder / "tools").commit(
        {"hammer.py": "def drive_nail(plank):\n    return plank.pierce()\n"}
    )
    new_source(page)
    page.get_by_label("A repository or folder on this machine").check()
    page.fill("[name=path]", str(installation.folder / "tools"))
    page.fill("[name=name]", "tools")
    page.get_by_role("button", name="Add and index").click()
    page.wait_for_url("**/sources/**")
    wait_until_indexed(installation, "tools")
    page.goto("/")
    page.get_by_role("link", name="garden").first.click()
    page.keyboard.press("Escape")
    page.fill("input[name=q]", "drive_nail")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("hammer.py")


def test_a_path_outside_the_roots_is_refused_with_a_sentence(page: Page, installation):
    new_source(page)
    page.get_by_label("A repository or folder on this machine").check()
    page.fill("[name=path]", "/etc")
    page.fill("[name=name]", "outside")
    page.get_by_role("button", name="Add and index").click()
    expect(page.locator("main")).to_contain_text("SOURCE_ROOTS")
    assert installation.sql("SELECT 1 FROM projects_source WHERE name = 'outside'") == []


def test_files_given_in_the_browser_become_searchable(page: Page, installation, tmp_path):
    note = tmp_path / "orchard.md"
    note.write_text("# Orchard\n\nThe quince trees are pruned in March.\n")
    new_source(page)
    page.get_by_label("Files from your computer").check()
    page.locator("input[type=file]").first.set_input_files(str(note))
    page.fill("[name=name]", "notes")
    page.get_by_role("button", name="Add and index").click()
    page.wait_for_url("**/sources/**")
    wait_until_indexed(installation, "notes")
    expect(page.locator("main")).to_contain_text("Indexed")
    page.locator("input[name=q]").first.focus()
    page.wait_for_timeout(2_500)  # longer than the page takes to notice that the work has ended
    page.fill("input[name=q]", "when are quince trees pruned")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("orchard.md")
