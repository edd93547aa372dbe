"""Diagrams of answers are drawn where they can do nothing, or stay text."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.talking import ask, last_answer, open_project

# With a line break, and a kind as class diagrams have it.
CLASSES = "classDiagram\n  class Owl {\n    <<interface>>\n    hunt()\n  }\n  Owl <|-- Barn\n"
DIAGRAM = "graph TD\n  Cache-->|evicts|Oldest\n  Cache-->Guide\n"


def answer_with(page: Page, model, text: str) -> None:
    model.pieces = ["So it goes [1]:\n\n", f"```mermaid\n{text}```\n\n", "That is all."]
    open_project(page)
    ask(page)
    expect(last_answer(page).get_by_text("That is all.")).to_be_visible(timeout=15_000)
    expect(last_answer(page).locator('[data-part="actions"]')).to_be_visible()


def test_a_diagram_is_drawn_and_its_text_is_kept(page: Page, model):
    answer_with(page, model, DIAGRAM)
    drawing = page.frame_locator("iframe.diagram")
    expect(drawing.locator("svg")).to_be_visible()
    expect(drawing.locator("body")).to_contain_text("Oldest")
    expect(page.get_by_text("Diagram as text")).to_be_visible()
    page.get_by_text("Diagram as text").click()
    expect(last_answer(page).locator(".prose pre")).to_contain_text("Cache-->|evicts|Oldest")
    assert int(page.locator("iframe.diagram").get_attribute("height")) > 50
    page.reload()
    expect(page.frame_locator("iframe.diagram").locator("svg")).to_be_visible()


def test_what_looks_like_markup_and_is_none_is_drawn(page: Page, model):
    answer_with(page, model, CLASSES)
    drawing = page.frame_locator("iframe.diagram")
    expect(drawing.locator("body")).to_contain_text("interface")
    expect(drawing.locator("body")).to_contain_text("Barn")


def test_what_is_no_diagram_stays_text(page: Page, model):
    answer_with(page, model, "graph TD\n  A--(((>>> nonsense\n")
    expect(page.locator("iframe.diagram")).to_have_count(0)
    expect(last_answer(page).locator(".prose pre")).to_contain_text("nonsense")


@pytest.mark.parametrize(
    "attack",
    [
        'graph TD\n  A["<img src=x onerror=window.top.PWNED=1>"]-->B\n',
        'graph TD\n  A["<script>parent.PWNED=1</script>"]-->B\n',
        'graph TD\n  A-->B\n  click A href "javascript:window.top.PWNED=1"\n',
        'graph TD\n  A["<img src=//x.test/a.png>"]-->B\n  style A fill:url(//x.test/b)\n',
        '%%{init: {"securityLevel": "loose", "htmlLabels": true}}%%\ngraph TD\n'
        '  A["<img src=//x.test/c.png onerror=parent.PWNED=1>"]-->B\n',
        '---\nconfig:\n  securityLevel: loose\n  themeCSS: "*{background:url(//x.test/d)}"\n---\n'
        "graph TD\n  A-->B\n",
    ],
)
def test_a_diagram_runs_nothing_and_loads_nothing(page: Page, model, attack: str, installation):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer_with(page, model, attack)
    page.wait_for_timeout(1500)
    assert page.evaluate("window.PWNED") is None
    assert [url for url in asked if not url.startswith((installation.url, "data:"))] == []


def test_the_frame_has_no_origin_and_no_network(page: Page, installation):
    answer = page.request.get("/diagram/")
    policy = answer.headers["content-security-policy"]
    assert "sandbox allow-scripts" in policy
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert "allow-same-origin" not in policy
