"""A morning with reviews: from the button to findings that are read, decided and worked on."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Installation, sign_in
from tests.browser.test_accessible_pages import check, still
from tests.projects.repositories import Repository
from tests.reviews.rows import SENDING

SAVING = '''"""Notes in a database."""


def rename(cursor, table, name):
    """Give a note another name, and return how many had it."""
    return cursor.execute("UPDATE " + table + " SET name = '%s'" % name)
'''
CLAIM = re.compile("SQL", re.IGNORECASE)


@pytest.fixture(scope="module")
def barn(installation: Installation) -> str:
    """The address of a project whose repository has had two commits worth a look."""
    repository = Repository(installation.folder / "barn")
    files = {"README.md": "# Barn\n", "letters.py": '"""Letters to everybody."""\n'}
    head = repository.commit(files, message="Begin")
    files |= {"letters.py": SENDING}
    head = repository.commit(files, parents=[head], message="Send reminders", author="Cai")
    files |= {"notes.py": SAVING}
    repository.commit(files, parents=[head], message="Rename notes", author="Dora")
    installation.manage("add", str(installation.folder / "barn"), "--project", "barn", "--wait")
    ((project,),) = installation.sql("SELECT id FROM projects_project WHERE name = 'barn'")
    return f"/projects/{project}/"


@pytest.fixture(scope="module")
def morning(browser: Browser, installation: Installation, barn: str) -> Iterator[Page]:
    """A page of alice's after the first night, which she asked for and watched."""
    context = still(browser, installation)
    page = context.new_page()
    sign_in(page)
    page.goto(barn)
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.get_by_role("heading", name="No night yet")).to_be_visible()
    page.get_by_role("button", name="Review the last commits now").click()
    page.wait_for_url("**/nights/**")
    expect(page.locator(".finding").first).to_be_visible(timeout=60_000)
    yield page
    context.close()


def test_the_digest_tells_what_is_worth_a_look_and_the_lines_open(morning: Page, barn: str):
    morning.goto(f"{barn}reviews/")
    finding = morning.locator(".finding", has_text=CLAIM)
    expect(finding).to_have_count(1)
    expect(finding).to_contain_text("notes.py")
    expect(finding).to_contain_text("Dora")
    expect(finding.locator(".code, table").first).to_contain_text("UPDATE")
    finding.locator("a.path").click()
    expect(morning).to_have_url(re.compile(r"/at/[0-9a-f]{40}/notes\.py\?lines=6"))
    expect(morning.locator("main")).to_contain_text("UPDATE")


def test_findings_are_decided_with_keys_and_undone(morning: Page, barn: str):
    morning.goto(f"{barn}reviews/findings/")
    listed = morning.locator(".finding")
    before = listed.count()
    assert before >= 2
    morning.keyboard.press("j")
    expect(listed.first).to_be_focused()
    claim = listed.first.locator("h3").inner_text()
    morning.keyboard.press("d")
    expect(listed.first.get_by_label("Why")).to_be_focused()
    listed.first.get_by_label("Why").select_option("meant")
    listed.first.locator("form button", has_text="Dismiss").click()
    expect(listed).to_have_count(before - 1)

    morning.get_by_role("link", name="Dismissed").click()
    gone = morning.locator(".finding", has_text=claim)
    expect(gone).to_contain_text("it is meant so")
    gone.get_by_role("button", name="Undo").click()
    expect(morning.locator(".finding")).to_have_count(0)
    morning.get_by_role("link", name="Open").click()
    expect(listed).to_have_count(before)


def test_a_finding_becomes_a_task_that_leads_back(morning: Page, barn: str):
    morning.goto(f"{barn}reviews/findings/")
    finding = morning.locator(".finding", has_text=CLAIM)
    finding.locator("h3 a").click()
    morning.wait_for_url("**/findings/*/")
    morning.keyboard.press("t")
    morning.wait_for_url("**/tasks/**")
    expect(morning.locator("main")).to_contain_text("From a finding")
    morning.get_by_label("State").select_option("COMPLETED")
    morning.get_by_role("button", name="Set").click()
    expect(morning.locator(".messages, [role=status]").first).to_contain_text(
        re.compile("completed", re.IGNORECASE)
    )
    morning.locator("main .note a").click()
    expect(morning.get_by_role("link", name="Its task")).to_be_visible()


def test_a_standard_is_written_and_a_broken_one_is_explained(morning: Page, barn: str):
    morning.goto(f"{barn}reviews/standards/new/")
    morning.get_by_label("Title").fill("No shouting")
    morning.get_by_label("Check", exact=True).select_option("pattern")
    morning.get_by_label("Rule of the check").fill("([")
    morning.get_by_role("button", name="Keep").click()
    expect(morning.locator("main")).to_contain_text(re.compile("pattern", re.IGNORECASE))
    morning.get_by_label("Rule of the check").fill(r"\bSHOUT\b")
    morning.get_by_role("button", name="Keep").click()
    expect(morning.locator("main")).to_contain_text("No shouting")


PAGES = {
    "digest": "reviews/",
    "findings": "reviews/findings/",
    "record": "reviews/record/",
    "conventions": "reviews/conventions/",
    "standards": "reviews/standards/",
    "standard-new": "reviews/standards/new/",
    "plan": "reviews/plan/",
    "runs": "reviews/runs/",
    "tasks": "tasks/",
    "gaps": "gaps/",
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_reviews_has_no_serious_violation(morning: Page, barn: str, name: str):
    answered = morning.goto(barn + PAGES[name])
    assert answered
    assert answered.status == 200
    check(morning)


@pytest.mark.parametrize("kind", ["finding", "review", "nightlyrun"])
def test_nor_has_that_of_one_thing(morning: Page, barn: str, installation: Installation, kind: str):
    ((found,),) = installation.sql(f"SELECT id FROM reviews_{kind} ORDER BY created_at LIMIT 1")
    answered = morning.goto(f"/{'nights' if kind == 'nightlyrun' else kind + 's'}/{found}/")
    assert answered
    assert answered.status == 200
    check(morning)


def test_on_a_narrow_page_nothing_scrolls_sideways(morning: Page, barn: str):
    morning.set_viewport_size({"width": 360, "height": 780})
    for address in PAGES.values():
        morning.goto(barn + address)
        wide = morning.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= 360, address
