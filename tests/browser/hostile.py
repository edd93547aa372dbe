"""Text that would run or load something if a page let it, and a browser that notices when one does.

`xss.jsonl` holds one such text a line: each sets `window.PWNED` or asks for something elsewhere.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Route

from tests.browser.conftest import Installation, is_complaint, sign_in
from tests.projects.repositories import Repository

PAYLOADS: list[str] = [
    json.loads(line)
    for line in Path(__file__).with_name("xss.jsonl").read_text(encoding="utf-8").split("\n")
    if line
]
A_NAME = 255  # characters: of a title, of an author

# Whatever is on a page although no text may bring it there; and everything reachable is touched.
LOOK = """() => {
  const found = [];
  const ours = new Set([location.origin]);
  for (const element of document.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      if (/^on|^srcdoc$|^hx-|^data-hx|^is$/i.test(name)) found.push(`${name}=${value}`);
    }
    for (const address of [element.href, element.src, element.action, element.formAction]) {
      if (typeof address !== "string" || !address) continue;
      const { protocol, origin } = new URL(address, location.href);
      const isLink = element.matches("a");
      if (!/^(https?|mailto):$/.test(protocol)) found.push(`${element.tagName} ${address}`);
      if (!isLink && !ours.has(origin)) found.push(`${element.tagName} ${address}`);
    }
  }
  // The one frame that may be there is made by us, has no origin, and draws a diagram.
  const never = "iframe:not([sandbox='allow-scripts'][src='/diagram/'])," +
    " object, embed, base, style, math, video, audio, marquee, xmp, main img," +
    " meta[http-equiv], script:not([src]), main script, main link, main title, main body," +
    " main svg script, main svg a, main svg animate, svg use:not([href^='/static/'])";
  for (const element of document.querySelectorAll(never)) found.push(element.outerHTML);
  // Not those of a tree, each of which would ask for what is in a folder.
  for (const details of document.querySelectorAll("main details:not(.tree *)")) details.open = true;
  for (const element of document.querySelectorAll("main *")) {
    for (const kind of ["pointerenter", "mouseover"]) {
      element.dispatchEvent(new PointerEvent(kind, { bubbles: kind === "mouseover" }));
    }
    if (element.tabIndex >= 0) element.focus({ preventScroll: true });
  }
  return found;
}"""


class Watched:
    """A page that tells of every execution, every dialog and every request to another origin."""

    def __init__(self, page: Page, installation: Installation) -> None:
        self.page = page
        self.seen: list[str] = []
        self._own = f"{installation.url}/"
        page.expose_function("tellOfExecution", lambda: self.seen.append("PWNED was set"))
        page.add_init_script(
            'Object.defineProperty(window, "PWNED", { set() { tellOfExecution(); } });'
        )
        page.on("dialog", lambda dialog: (self.seen.append(dialog.message), dialog.dismiss()))
        page.on("popup", lambda popup: self.seen.append(f"opened {popup.url}"))
        page.on("console", lambda m: self.seen.append(m.text) if is_complaint(m) else None)
        page.on("pageerror", lambda error: self.seen.append(str(error)))
        page.route(re.compile(f"^(?!{re.escape(self._own)}|data:image/)"), self._refuse)

    def _refuse(self, route: Route) -> None:
        self.seen.append(f"asked for {route.request.url}")
        route.abort()

    def wait_until_seen(self, told: str) -> None:
        for _ in range(100):
            if told in self.seen:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{told} was not noticed: {self.seen}")

    def look(self) -> None:
        """Touch what is on the page; fail if anything ran, loaded, or stands where it must not."""
        found = self.page.evaluate(LOOK)
        assert not found, found
        self.page.evaluate("() => new Promise((done) => setTimeout(done))")
        assert not self.seen, self.seen


@contextmanager
def watched_page(browser: Browser, installation: Installation) -> Iterator[Watched]:
    """Give a page without the content security policy: the pages' own escaping has to do."""
    context = browser.new_context(base_url=installation.url, bypass_csp=True)
    context.set_default_timeout(15_000)
    watched = Watched(context.new_page(), installation)
    sign_in(watched.page)
    yield watched
    context.close()


def mark(number: int) -> str:
    """A word beside the text of that number, which shows that it has reached the page."""
    return f"m{number:03}"


def packed(numbers: Sequence[int], *, longest: int) -> list[list[int]]:
    """Return the numbers in groups whose texts, one after the other, are no longer than that."""
    groups: list[list[int]] = [[]]
    for number in numbers:
        if len(joined([*groups[-1], number])) > longest:
            groups.append([])
        groups[-1].append(number)
    return groups


def joined(numbers: Sequence[int]) -> str:
    """Return texts as one line that holds each with its mark, as a title or a name may."""
    texts = [f"{PAYLOADS[number]} {mark(number)}" for number in numbers]
    return " ".join(" ".join(texts).replace("\0", "").split())


GROUPS = packed(range(len(PAYLOADS)), longest=A_NAME)


def as_path(numbers: Sequence[int]) -> str:
    """The path of a file. Two slashes become two backslashes, which lead elsewhere as well."""
    texts = [f"{PAYLOADS[number]} {mark(number)}" for number in numbers]
    return " ".join(texts).replace("//", "\\\\").replace("\0", "\ufffd") + ".md"


def as_content(numbers: Sequence[int], word: str) -> str:
    # With a NUL it would be no text: nobody would read it.
    texts = [f"{PAYLOADS[number]}\n\n{word} {mark(number)}\n\n" for number in numbers]
    return "".join(texts).replace("\0", "\ufffd")


def as_author(numbers: Sequence[int]) -> str:
    """Git ends a name at an angle, so these are left for the database."""
    return joined(numbers).translate({ord("<"): "‹", ord(">"): "›"})


def make_repository(path: Path) -> None:
    """One commit for each group: its author, its file's name and what stands in the file."""
    repository = Repository(path, bare=True)
    code = "\n".join(PAYLOADS).replace("\0", "\ufffd")
    files = [("A", "all.html", code)]
    for at, numbers in enumerate(GROUPS):
        content = as_content(numbers, f"quarry{at // 3}")
        files.append((as_author(numbers), as_path(numbers), content))
    lines = [b"feature done"]
    for at, (author, name, content) in enumerate(files):
        person = f"{author} <a@example.org> {1_760_000_000 + at} +0000"
        quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        head = f"commit refs/heads/main\nauthor {person}\ncommitter {person}\ndata 2\nx\n\n"
        data = content.encode()
        lines.append(f'{head}M 100644 inline "{quoted}"'.encode())
        lines.append(b"data %d\n%s" % (len(data), data))
    repository.git("fast-import", "--quiet", stdin=b"\n".join([*lines, b"done\n"]))


STORE = """
import json, pathlib
from conversations.models import Conversation, Message
from projects.models import Project
project = Project.objects.get(name="quarry")
for given in json.loads(pathlib.Path({file!r}).read_text()):
    conversation = Conversation.objects.create(
        project=project, user=project.owner, title=given["title"], titled_by="person"
    )
    tip = None
    for turn in given["turns"]:
        tip = conversation.add(tip, turn).pk
    print(conversation.pk)
"""


def store_conversations(installation: Installation) -> list[str]:
    """Keep one conversation for each group, each text in a turn of its own; return their ids."""
    given = [
        {"title": joined(group), "turns": [turn for n in group for turn in _turns(n)]}
        for group in GROUPS
    ]
    file = installation.folder / "conversations.json"
    file.write_text(json.dumps(given))
    printed = installation.manage("shell", "--no-imports", "-c", STORE.format(file=str(file)))
    return printed.split()


def _turns(number: int) -> list[dict[str, object]]:
    """Return a question and its answer; whatever of them a page shows holds the text."""
    text = PAYLOADS[number].replace("\0", "")
    passage = {
        "number": 1,
        "file_path": as_path([number]),
        "symbol": text,
        "text": text,
        "language": "html",
        "commit": "c" * 40,
        "start_line": 1,
        "end_line": text.count("\n") + 1,
        "url": f"/help/?{mark(number)}",
    }
    answer = {
        "role": "assistant",
        "content": f"{text}\n\n{mark(number)} [1]",
        "note": text[:255],
        "sought": text,
        "state": "interrupted",
        "error": text,
        "sources": [passage],
        "indexed": [{"source": text, "commit": text, "at": None}],
        "feedback": "down",
        "feedback_reason": text,
    }
    return [{"role": "user", "content": text}, answer]
