"""Reading a source's pages as a browser would: they open, quickly, and nothing in them runs."""

import re
import time
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse

from knowledge.models import Document
from projects.models import Source

RUNNING = frozenset({"iframe", "object", "embed", "base", "applet", "frame", "style", "math"})
ADDRESSES = frozenset({"href", "src", "action", "formaction", "srcset", "ping", "xlink:href"})


class Page(HTMLParser):
    """Complains of whatever a browser would run, or load from elsewhere."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.complaints: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.complaints += [f"<{tag}>"] * (tag in RUNNING)
        if tag == "script" and not given.get("src", "").startswith("/static/"):
            self.complaints.append("a script of somebody else")
        if tag == "meta" and "http-equiv" in given:
            self.complaints.append("<meta http-equiv>")
        for name, value in given.items():
            if name.startswith("on") or name in {"style", "srcdoc"}:
                self.complaints.append(f"{name} on <{tag}>")
            if name in ADDRESSES and not self._is_harmless(tag, value):
                self.complaints.append(f"{name}={value[:60]!r} on <{tag}>")

    @staticmethod
    def _is_harmless(tag: str, address: str) -> bool:
        if tag == "a":  # following a link is the reader's own choice
            return re.match(r"(?i)(https?://|mailto:|[/?#]|$)", address) is not None
        return re.match(r"/(?![/\\])|[?#]|$", address) is not None


class Pages:
    """The pages of one source, for somebody who may see it."""

    def __init__(self, client: Client, source: Source) -> None:
        self.client = client
        self.source = source
        self.slowest = 0.0
        self.seen: list[str] = []

    def open(self, address: str) -> str:
        """Return a page, which must be there, and safe; its time is that of the processor."""
        started = time.thread_time()
        answer = self.client.get(address)
        self.slowest = max(self.slowest, time.thread_time() - started)
        assert answer.status_code == 200, f"{answer.status_code} at {address[:200]}"
        html = answer.content.decode()
        self.seen.append(html)
        if answer["Content-Type"].startswith("text/html"):
            assert Page(html).complaints == [], address[:200]
            assert "script-src 'self'" in answer["Content-Security-Policy"]
        else:
            assert answer["X-Content-Type-Options"] == "nosniff"
        return html

    def open_overviews(self) -> None:
        home = reverse("source", args=[self.source.pk])
        for address in (
            home,
            f"{home}?state=indexed",
            f"{home}?state=skipped",
            f"{home}?state=failed",
            reverse("source-progress", args=[self.source.pk]),
            reverse("sources", args=[self.source.project_id]),
        ):
            self.open(address)
        if Document.objects.filter(source=self.source).exists():
            self.open(reverse("files", args=[self.source.pk]))

    def open_files(self, most: int) -> None:
        """Open indexed files by the links that the pages show, and the rest by their paths."""
        shown = self.open(reverse("source", args=[self.source.pk]) + "?state=indexed")
        links = re.findall(rf'href="(/sources/{self.source.pk}/at/[^"]+)"', shown)
        addresses = [unescape(link) for link in links[:most]]
        paths = Document.objects.filter(source=self.source, state=Document.State.INDEXED)
        addresses += [
            reverse("file", args=[self.source.pk, self.source.head, path])
            for path in paths.order_by("path").values_list("path", flat=True)[len(addresses) : most]
        ]
        for address in addresses:
            if "?view=lines" in self.open(address):
                self.open(address + "?view=lines")
            self.open(address.replace("/at/", "/raw/", 1))

    def search(self, words: str) -> str:
        address = reverse("search", args=[self.source.project_id])
        return self.open(f"{address}?{urlencode({'q': words})}")

    def read_by_api(self, most: int) -> Iterator[str]:
        """What programs are told: the source, its jobs, its documents with their texts."""
        query = f"?project={self.source.project_id}"
        for address in (
            f"/api/v1/sources/{self.source.pk}/",
            f"/api/v1/jobs/{query}",
            f"/api/v1/documents/{query}",
        ):
            yield self.open(address)
        for pk in Document.objects.filter(source=self.source).values_list("pk", flat=True)[:most]:
            yield self.open(f"/api/v1/documents/{pk}/")
