"""Markdown as safe HTML: raw HTML is off, nothing loads from elsewhere, the sanitizer is last."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from knowledge.highlighting import highlight_lines

MAX_CHARACTERS = 120_000

TAGS = {
    *(
        "p",
        "br",
        "hr",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "pre",
        "code",
        "span",
    ),
    *("em", "strong", "s", "a", "ul", "ol", "li"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES: dict[str, set[str]] = {
    "*": set(),
    "a": {"href", "class"},
    "span": {"class"},
    "pre": {"class"},
    "ol": {"start"},
    "th": {"class"},
    "td": {"class"},
    **{f"h{level}": {"id"} for level in range(1, 7)},
}
CITATION = re.compile(r"\[(\d{1,3}(?:, ?\d{1,3}){0,9})\]")

# Gives the address that a relative link of a document leads to, or nothing.
Links = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str
    anchor: str


def render_markdown(
    text: str, *, citations: Mapping[int, str] | None = None, links: Links | None = None
) -> SafeString:
    """Return safe HTML; `[1]` becomes a link where `citations` has an address for 1."""
    if len(text) > MAX_CHARACTERS:
        return SafeString(f'<pre class="plain">{escape(text)}</pre>')
    env: dict[str, Any] = {"citations": citations or {}, "links": links}
    tokens = _parser().parse(text, env)
    _name_headings(tokens)
    for token in tokens:
        if token.children:
            token.children = _without_remote_parts(token.children, env)
    return _clean(_parser().renderer.render(tokens, _parser().options, env))


def headings_of(text: str) -> list[Heading]:
    """Return the headings of a document with the anchors that `render_markdown` gives them."""
    if len(text) > MAX_CHARACTERS:
        return []
    tokens = _parser().parse(text, {"citations": {}})
    return _name_headings(tokens)


def _clean(html: str) -> SafeString:
    return SafeString(
        nh3.clean(
            html,
            tags=TAGS,
            clean_content_tags={"script", "style"},
            attributes=ATTRIBUTES,
            url_schemes={"http", "https", "mailto"},
            link_rel="noreferrer nofollow",
        )
    )


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20})
    parser.enable(["table", "strikethrough"])
    parser.inline.ruler.before("link", "citation", _citation)
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("code_block", _fence)
    return parser


def _citation(state: StateInline, silent: bool) -> bool:
    """Read `[1]` or `[1, 2]`; before links, so that a text can't say where a number leads."""
    citations: Mapping[int, str] = state.env.get("citations") or {}
    match = CITATION.match(state.src, state.pos)
    if match is None or not citations or state.src[match.end() : match.end() + 1] == "(":
        return False
    if not silent:
        for number in map(int, match.group(1).split(",")):
            if number in citations:
                opening = state.push("link_open", "a", 1)
                opening.attrs = {"href": citations[number], "class": "citation"}
                opening.meta = {"ours": True}
            state.push("text", "", 0).content = (
                str(number) if number in citations else f"[{number}]"
            )
            if number in citations:
                state.push("link_close", "a", -1)
    state.pos = match.end()
    return True


def _fence(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    token = tokens[index]
    language = (token.info.split() or [""])[0][:30]
    lines = highlight_lines(token.content, language)
    shown = "\n".join(lines)
    return f'<pre class="code"><code>{shown}</code></pre>\n'


def _name_headings(tokens: Sequence[Token]) -> list[Heading]:
    """Give headings the ids that GitHub would, so that known anchors work here."""
    taken: dict[str, int] = {}
    headings = []
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        text = "".join(
            child.content
            for child in inline.children or []
            if child.type in {"text", "code_inline"}
        )
        anchor = _anchor(text, taken)
        opening.attrSet("id", anchor)
        headings.append(Heading(int(opening.tag[1]), text, anchor))
    return headings


def _anchor(text: str, taken: dict[str, int]) -> str:
    name = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-") or "section"
    count = taken.get(name, 0)
    taken[name] = count + 1
    return f"{name}-{count}" if count else name


def _without_remote_parts(tokens: Sequence[Token], env: EnvType) -> list[Token]:
    """Replace images by their words, and drop addresses that lead nowhere known."""
    kept = []
    for token in tokens:
        if token.type == "image":
            kept.append(_image_in_words(token))
            continue
        if token.type == "link_open" and not token.meta.get("ours"):
            _aim(token, env)
        kept.append(token)
    return kept


def _image_in_words(image: Token) -> Token:
    words = image.content or "image"
    host = _host_of(str(image.attrGet("src") or ""))
    return Token("text", "", 0, content=f"{words} ({host})" if host else words)


def _aim(link: Token, env: EnvType) -> None:
    """Keep web addresses and anchors; ask the document's own resolver about the rest."""
    href = str(link.attrGet("href") or "")
    links: Links | None = env.get("links")
    if href.startswith("#") or re.match(r"(?i)(https?://|mailto:)", href):
        return
    known = "" if links is None or href.startswith(("/", "\\")) or ":" in href else links(href)
    if known:
        link.attrs["href"] = known
    else:
        link.attrs.pop("href", None)


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return "elsewhere"
