"""What somebody might type to bring a search down: each shall be answered within half a second."""

from collections import Counter
from time import perf_counter
from urllib.parse import urlencode

from bench.load import Door
from bench.measuring import show
from bench.timing import HEAD, row
from projects.models import Project

QUERIES = [
    r"/(x{1,200}){1,200}y/",
    r"/((a+)+)+$/",
    r"/(a|a)*b/",
    r"/(a|aa)+$/",
    r"/^(([a-z])+.)+[A-Z]([a-z])+$/",
    r"/([a-zA-Z]+)*\d/",
    r"/(.*)*(.*)*x/",
    r"/(.*a){30}/",
    r"/\w*\w*\w*\w*\w*!/",
    r"/(?:a?){60}a{60}/",
    r"/x{1000}/",
    r"/[\s\S]*/",
    "/[a-z]+/",
    "/./",
    "/" + "(" * 400 + "/",
    "/" + "a|" * 200 + "a/",
    "/[" + "\\w" * 200 + "]+/",
    "word " * 800,
    " ".join(f"term{number}" for number in range(600)),
    "self return def import class " * 130,
    " ".join(f"path:folder{number}" for number in range(250)),
    " ".join(f"-lang:l{number}" for number in range(350)),
    " ".join(f"-word{number}" for number in range(400)),
    "path:" + "%" * 1_000,
    "path:" + "*a" * 1_000,
    "symbol:" + "." * 1_000,
    'author:"' + "_%" * 500,
    '"' * 3_000,
    '"the" ' * 600,
    '"never closed ' + "and on " * 400,
    "a:" * 1_500,
    "-" * 3_000,
    "aB" * 2_000,
    "x" * 4_000,
    "a_b_" * 1_000,
    "{1:2}/3",
    "' OR 1=1 --",
    "\0\0 nothing \0",
    "\ud800\udfff lone",
    "🦉" * 1_000,
    "\u202e" * 500 + "right to left",
    "é" * 2_000,
    "中文" * 1_000,
    "since:9999-99-99 since:0000-00-00 since:99999999999w",
]


def show_hostile(door: Door, project: Project) -> None:
    client = door.connect()
    spent, told = [], Counter[int]()
    for query in [QUERIES[0], *QUERIES]:
        asked = urlencode({"q": query, "project": str(project.pk)}, errors="surrogatepass")
        started = perf_counter()
        answer = door.send(client, f"/api/v1/search?{asked}")
        answer.read()
        spent.append((perf_counter() - started) * 1000)
        told[answer.status] += 1
    answers = ", ".join(f"{times} × {status}" for status, times in sorted(told.items()))
    show("Over HTTP, what nobody should type", [HEAD, row(answers, spent, goal="most 500")])
    slowest = sorted(zip(spent[1:], QUERIES, strict=True), reverse=True)[:3]
    print("".join(f"\n  {ms:.0f} ms: {query[:60]!r}" for ms, query in slowest))
