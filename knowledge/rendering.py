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
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from knowledge.headings import Anchors, slug_of_plain
from knowledge.highlighting import highlight_lines
from knowledge.parsing_markdown import MAX_CHARACTERS, parser_of_citations

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
# What makes a text read differently from what it is. The joiners that languages and emoji need are
# left alone in prose; code shows those, too.
DECEIVING = re.compile("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")

# Gives the address that a relative link of a document leads to here, or nothing.
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
        return SafeString(f'<pre class="plain">{_unmasked(escape(text))}</pre>')
    env: dict[str, Any] = {"citations": citations or {}}
    tokens = _parser().parse(text, env)
    _name_headings(tokens)
    return _rendered(tokens, env, links)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document that was parsed once: its headings, where its links lead, and then its HTML."""

    headings: list[Heading]
    # Relative addresses of links and images, as they are written.
    targets: set[str]
    tokens: Sequence[Token]

    def html(self, links: Links) -> SafeString:
        return _rendered(self.tokens, {"citations": {}}, links)


def parse_document(text: str) -> Parsed | None:
    """Return a document with the headings and targets that are in it; None for a huge one."""
    if len(text) > MAX_CHARACTERS:
        return None
    tokens = _parser().parse(text, {"citations": {}})
    inner = [child for token in tokens for child in token.children or []]
    addresses = {
        str(token.attrGet("href" if token.type == "link_open" else "src") or "")
        for token in inner
        if token.type in {"link_open", "image"}
    }
    targets = {address for address in addresses if _is_relative(address)}
    return Parsed(_name_headings(tokens), targets, tokens)


def _rendered(tokens: Sequence[Token], env: dict[str, Any], links: Links | None) -> SafeString:
    for token in tokens:
        if token.children:
            token.children = _without_remote_parts(token.children, links)
    return _clean(_parser().renderer.render(tokens, _parser().options, env))


def _clean(html: str) -> SafeString:
    cleaned = nh3.clean(
        html,
        tags=TAGS,
        clean_content_tags={"script", "style"},
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noreferrer nofollow",
    )
    return SafeString(_unmasked(cleaned))


def _unmasked(html: str) -> str:
    """Show the characters that deceive; they stand in no attribute, only in the text."""
    return DECEIVING.sub(
        lambda match: f'<span class="invisible">U+{ord(match.group()):04X}</span>', html
    )


@cache
def _parser() -> MarkdownIt:
    parser = parser_of_citations()
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("code_block", _fence)
    return parser


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
    kind = "code code--diagram" if language == "mermaid" else "code"
    return f'<pre class="{kind}"><code>{shown}</code></pre>\n'


def _name_headings(tokens: Sequence[Token]) -> list[Heading]:
    """Give headings the ids that GitHub would, so that known anchors work here."""
    anchors = Anchors()
    headings = []
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        text = "".join(
            child.content
            for child in inline.children or []
            if child.type in {"text", "code_inline"}
        )
        anchor = anchors.unique(slug_of_plain(text.strip()) or "section")
        opening.attrSet("id", anchor)
        headings.append(Heading(int(opening.tag[1]), text, anchor))
    return headings


def _without_remote_parts(tokens: Sequence[Token], links: Links | None) -> list[Token]:
    """Put links or words in place of images, and drop addresses that lead nowhere known."""
    kept = []
    is_linked = False
    for token in tokens:
        if token.type == "image":
            kept += _image_in_words(token, None if is_linked else links)
            continue
        if token.type == "link_open":
            if not token.meta.get("ours"):
                _aim(token, links)
            is_linked = True
        elif token.type == "link_close":
            is_linked = False
        kept.append(token)
    return kept


def _image_in_words(image: Token, links: Links | None) -> list[Token]:
    """An image's words; they lead to the file where it is one that is known here."""
    words, address = image.content or "image", str(image.attrGet("src") or "")
    host = _host_of(address)
    text = Token("text", "", 0, content=f"{words} ({host})" if host else words)
    known = links(address) if links is not None and _is_relative(address) else ""
    if not known:
        return [text]
    return [Token("link_open", "a", 1, attrs={"href": known}), text, Token("link_close", "a", -1)]


def _aim(link: Token, links: Links | None) -> None:
    """Keep web addresses and anchors; ask the document's own resolver about the rest."""
    href = str(link.attrGet("href") or "")
    if href.startswith("#") or re.match(r"(?i)(https?://|mailto:)", href):
        return
    known = links(href) if links is not None and _is_relative(href) else ""
    if known:
        link.attrs["href"] = known
    else:
        link.attrs.pop("href", None)


def _is_relative(address: str) -> bool:
    """Whether it leads to another file: neither into the page itself nor elsewhere."""
    return bool(address) and not address.startswith(("#", "//", "\\")) and ":" not in address


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return "elsewhere"
