"""What holds for every template, style and script."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((ROOT / "static/css").glob("*.css"))
SCRIPTS = sorted((ROOT / "static/js").glob("*.js"))
TOKENS = (ROOT / "static/css/tokens.css").read_text()
PAIRS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", TOKENS
    )
}
GROUNDS = ["page", "surface", "sunken"]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


TEXT = [
    *("text", "text-quiet", "accent", "accent-strong", "good", "attention", "bad", "info"),
    *(name for name in PAIRS if name.startswith("code-")),
]
ON_ITS_GROUND = [
    *(("accent-strong", "accent-soft"), ("on-accent", "accent"), ("on-accent", "accent-strong")),
    *(("bad", "bad-soft"), ("attention", "attention-soft"), ("info", "info-soft")),
    *(("good", "good-soft"), ("text", "lit"), ("text", "mark"), ("text-quiet", "lit")),
    *((name, "lit") for name in PAIRS if name.startswith("code-")),
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"), [*((t, g) for t in TEXT for g in GROUNDS), *ON_ITS_GROUND]
)
def test_text_can_be_read_on_what_is_behind_it(text: str, ground: str, theme: int) -> None:
    assert contrast(PAIRS[text][theme], PAIRS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_the_edges_of_fields_can_be_seen(ground: str, theme: int) -> None:
    assert contrast(PAIRS["line-strong"][theme], PAIRS[ground][theme]) >= 3


@pytest.mark.parametrize("style", STYLES, ids=lambda path: path.name)
def test_only_the_tokens_name_colours(style: Path) -> None:
    if style.name == "tokens.css":
        return
    named = re.findall(r"#[0-9a-fA-F]{3,8}\b(?![\w-]*\s*\{)|\brgba?\((?!0 0 0)", style.read_text())

    assert named == []


@pytest.mark.parametrize("style", STYLES, ids=lambda path: path.name)
def test_styles_use_only_tokens_that_there_are(style: Path) -> None:
    known = set(re.findall(r"--([\w-]+):", TOKENS))

    assert set(re.findall(r"var\(--([\w-]+)", style.read_text())) <= known


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_scripts_styles_or_unescaped_text(template: Path) -> None:
    text = template.read_text()

    assert "|safe" not in text
    assert "autoescape off" not in text
    assert not re.search(
        r"\sstyle=|\son\w+=|javascript:|<style|<script(?!(?: type=\"module\")? src=)", text
    )


@pytest.mark.parametrize("path", [*TEMPLATES, *STYLES, *SCRIPTS], ids=lambda path: path.name)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    loads = re.findall(
        r"(?:src|href|url|import)\s*[=(]?\s*[\"']?(?:https?:)?//[\w.]", path.read_text()
    )

    assert loads == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_icon_that_is_drawn_exists(template: Path) -> None:
    sprite = (ROOT / "static/icons.svg").read_text()

    for name in re.findall(r"{% icon \"([\w-]+)\"", template.read_text()):
        assert f'id="{name}"' in sprite, name


def test_the_sprite_holds_nothing_that_no_page_draws() -> None:
    drawn = "".join(path.read_text() for path in TEMPLATES)
    names = re.findall(r'symbol id="([\w-]+)"', (ROOT / "static/icons.svg").read_text())

    assert [name for name in names if f'"{name}"' not in drawn and f"#{name}" not in drawn] == []


def test_every_element_in_the_templates_has_its_script() -> None:
    used = {
        name for path in TEMPLATES for name in re.findall(r"<([a-z]+-[a-z]+)", path.read_text())
    }
    entry = (ROOT / "static/js/nightowl.js").read_text()

    for name in used:
        script = ROOT / f"static/js/{name}.js"
        assert f'customElements.define("{name}"' in script.read_text()
        assert f"./{name}.js" in entry


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_make_no_code_out_of_text(script: Path) -> None:
    assert not re.search(
        r"\beval\(|new Function|document\.write|insertAdjacentHTML", script.read_text()
    )


def test_only_pieces_made_by_the_server_are_put_in_as_html() -> None:
    users = {path.name for path in SCRIPTS if "innerHTML" in path.read_text()}

    assert users == {"answer-stream.js", "job-progress.js"}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_fields_and_buttons_have_names(template: Path) -> None:
    text = template.read_text()

    for tag in re.findall(r"<(?:input|textarea|select)\b[^>]*>", text):
        if 'type="hidden"' in tag or " hidden" in tag or 'type="radio"' in tag:
            continue
        identifier = re.search(r'\bid="([^"]+)"', tag)
        labelled = identifier and f'for="{identifier.group(1)}"' in text
        assert labelled or "aria-label=" in tag, tag
