"""Every page passes axe-core: no violation that it calls serious or critical, in either theme.

Not the admin: its markup and its colours are Django's own, and some of those are too pale.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.browser.conftest import PASSWORD, Installation, sign_in
from tests.browser.talking import ask, last_answer, open_project

Scheme = Literal["light", "dark"]
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 360, "height": 780}
BAD = ("serious", "critical")


def still(browser: Browser, installation: Installation) -> BrowserContext:
    """A context in which colours do not fade from one theme into the other."""
    context = browser.new_context(base_url=installation.url, viewport=WIDE, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    return context


@pytest.fixture(scope="module")
def talked(browser: Browser, installation: Installation) -> Iterator[Page]:
    """A page of alice's, who has asked, asked otherwise and been answered, and wrote a document."""
    context = still(browser, installation)
    page = context.new_page()
    sign_in(page)
    open_project(page)
    ask(page)
    expect(page.locator("a.citation").first).to_be_visible()
    page.locator("summary", has_text="Edit").click()
    page.get_by_label("The question in other words").fill("Which value does the cache evict?")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".branches").first).to_be_visible()
    expect(page.locator("a.citation").first).to_be_visible()
    ask(page, "zeppelin gondola mooring procedure")
    expect(last_answer(page)).to_contain_text("This is not in the indexed sources")
    open_project(page)
    page.get_by_role("link", name="Documents").first.click()
    page.get_by_role("link", name="Write a document").first.click()
    page.get_by_label("Title").fill("Grafting")
    page.get_by_label("Text").fill(
        "# Grafting\n\n- [x] in `March`\n\n> A quote.\n\n```py\nx = 1\n```\n"
    )
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Edit").wait_for()
    yield page
    context.close()


@pytest.fixture(scope="module")
def addresses(talked: Page, installation: Installation) -> dict[str, str]:
    def one(statement: str) -> object:
        return installation.sql(statement)[0][0]

    garden = one("SELECT id FROM projects_project WHERE name = 'garden'")
    project = f"/projects/{garden}"
    source = one("SELECT id FROM projects_source WHERE name = 'code'")
    head = one("SELECT head FROM projects_source WHERE name = 'code'")
    talk = one("SELECT conversation_id FROM conversations_message ORDER BY created_at DESC LIMIT 1")
    document = re.sub(r"[?#].*", "", talked.url)
    return {
        "home": "/",
        "project": f"{project}/",
        "conversation": f"/conversations/{talk}/",
        "conversations": f"{project}/conversations/",
        "search": f"{project}/search/?q=evict+the+oldest+value",
        "search-why": f"{project}/search/why/?q=evict+the+oldest+value",
        "overview": f"{project}/overview/",
        "sources": f"{project}/sources/",
        "source-new": f"{project}/sources/new/",
        "source": f"/sources/{source}/",
        "source-edit": f"/sources/{source}/settings/",
        "files": f"/sources/{source}/files/",
        "file": f"/sources/{source}/at/{head}/src/cache.py?lines=4-6#L4",
        "file-rendered": f"/sources/{source}/at/{head}/docs/guide.md",
        "documents": f"{project}/documents/",
        "document": document,
        "document-edit": f"{document}edit/",
        "document-history": f"{document}history/",
        "members": f"{project}/members/",
        "project-edit": f"{project}/settings/",
        "gaps": f"{project}/gaps/",
        "golden": f"{project}/golden/",
        "account": "/account/",
        "api-keys": "/account/keys/",
        "api-reference": "/api/docs/",
        "help": "/help/",
        "providers": "/providers/",
        "provider-new": "/providers/new/",
        "spaces": "/settings/search-model/",
    }


NAMES = [
    "home", "project", "conversation", "conversations", "search", "search-why", "overview",
    "sources", "source-new", "source", "source-edit", "files", "file", "file-rendered",
    "documents", "document", "document-edit", "document-history", "members", "project-edit",
    "gaps", "golden", "account", "api-keys", "api-reference", "help", "spaces",
    "providers", "provider-new",
]  # fmt: skip


def violations(page: Page) -> list[str]:
    """Return what axe-core finds serious or critical on a page."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['html'][:200]} {node['failureSummary'][-150:]}"
        for one in found
        if one["impact"] in BAD
        for node in one["nodes"]
    ]


EVERY_LOOK = [(WIDE, "light"), (WIDE, "dark"), (NARROW, "dark"), (NARROW, "light")]
# Each theme and each width once, for pages whose parts are all on those that are seen in full.
BOTH = [(WIDE, "light"), (NARROW, "dark")]
# Its hundreds of alike parts take axe-core ten seconds.
ONCE = {"api-reference": BOTH[:1]}
IN_FULL = {"conversation", "search", "search-why", "source", "file", "documents", "help"}


def check(page: Page, looks: Sequence[tuple[ViewportSize, Scheme]] = BOTH) -> None:
    for size, scheme in looks:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        found = violations(page)
        assert not found, (size["width"], scheme, found)


def test_axe_finds_what_is_wrong(talked: Page):
    talked.set_content('<html lang="en"><title>x</title><img><font color="#aaaaaa">Pale</font>')
    assert {found.partition(":")[0] for found in violations(talked)} == {
        "image-alt",
        "color-contrast",
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_no_serious_violation(talked: Page, addresses: dict[str, str], name: str):
    answered = talked.goto(addresses[name])
    assert answered
    assert answered.status == 200
    check(talked, EVERY_LOOK if name in IN_FULL else ONCE.get(name, BOTH))


def test_nor_has_a_conversation_with_everything_open(talked: Page, addresses: dict[str, str]):
    talked.goto(addresses["conversation"])
    expect(talked.locator(".branches").first).to_be_visible()
    talked.evaluate("() => document.querySelectorAll('details').forEach((d) => d.open = true)")
    check(talked)


@pytest.mark.parametrize("name", ["conversation", "conversations"])
def test_nor_has_any_menu_that_is_opened_alone(talked: Page, addresses: dict[str, str], name: str):
    talked.set_viewport_size(WIDE)
    talked.goto(addresses[name])
    menus = talked.locator("main details.menu > summary")
    assert menus.count()
    for n in range(menus.count()):
        menus.nth(n).click()
        found = violations(talked)
        assert not found, found
        talked.keyboard.press("Escape")


def test_nor_has_the_palette(talked: Page, addresses: dict[str, str]):
    talked.goto(addresses["project"])
    talked.keyboard.press("Control+k")
    expect(talked.get_by_role("dialog")).to_be_visible()
    check(talked)


def test_nor_has_the_door(browser: Browser, installation: Installation):
    context = still(browser, installation)
    page = context.new_page()
    page.goto("/login/")
    check(page)
    page.fill("[name=username]", "alice")
    page.fill("[name=password]", f"not {PASSWORD}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    check(page)
    context.close()
