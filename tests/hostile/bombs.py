"""Texts that cost a parser its stack, its memory or its afternoon, each in its own repository."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.hostile.building import of_files, of_large_files
from tests.hostile.fixtures import Hostile
from tests.knowledge.payloads import BOMBS as MARKDOWN_BOMBS

MANY = 40_000
MOST = 1_900_000  # a text that is just below the limit for a file
LIMIT_RAISED = 120_000_000


def names(count: int, seed: int = 1) -> Iterator[str]:
    """Names that no compressor finds a pattern in."""
    source = random.Random(seed)
    for _ in range(count):
        yield f"v{source.getrandbits(40):x}"


def joined(*, before: str = "", after: str = "\n", count: int = 15_000, end: str = "1\n") -> str:
    """Different names with the same text round each, in lines of ordinary length."""
    parts: list[str] = []
    for position, name in enumerate(names(count)):
        parts.append(before + name + after + ("\n" if position % 8 == 7 else ""))
    return "".join(parts)[:MOST] + end


def indented(levels: int, template: str, step: str = " ") -> str:
    rows = [f"{step * level}{template.format(name)}\n" for level, name in enumerate(names(levels))]
    return "".join(rows) + step * levels + "pass\n"


CODE: dict[str, tuple[str, Callable[[], str]]] = {
    "minus signs": ("a.py", lambda: "-" * 200_000 + "1"),
    "attributes": ("a.py", lambda: "a" + ".b" * 200_000),
    "sums": ("a.py", lambda: "1+" * 200_000 + "1"),
    "not not not": ("a.py", lambda: "not " * 100_000 + "1"),
    "open brackets": ("a.py", lambda: "[" * 100_000),
    "150 indents": ("a.py", lambda: indented(150, "if {}:")),
    "1000 indents": ("a.py", lambda: indented(1000, "if {}:")),
    "assignments": ("a.py", lambda: "x=" * 200_000 + "1"),
    "minus signs in lines": ("a.py", lambda: "(" + joined(before="-", after=" ")),
    "attributes in lines": ("a.py", lambda: "x = (a" + joined(before=".", after="")),
    "sums in lines": ("a.py", lambda: "x = (" + joined(after=" +")),
    "not in lines": ("a.py", lambda: "x = (" + joined(before="not ", after=" in ", count=MANY)),
    "lambdas": ("a.py", lambda: "x = " + joined(before="lambda ", after=": \\\n")),
    "many names": ("a.py", lambda: joined(before="def ", after="(): pass\n", count=MANY)),
    "decorators": ("a.py", lambda: joined(before="@", after="\n", end="def f(): pass\n")),
    "strings": ("a.py", lambda: "x = (" + joined(before="'", after="'")),
    "f-strings": ("a.py", lambda: "x = " + joined(before='f"{', after="", count=20_000)),
    "arrows": ("a.js", lambda: "x = " + joined(after=" => ")),
    "ternaries": ("a.js", lambda: "x = " + joined(after=" ? 1 : ")),
    "templates": ("a.js", lambda: "x = " + joined(before="`${", after="")),
    "else if": ("a.js", lambda: joined(before="if (", after=") {} else \n", end="{}\n")),
    "regular expressions": ("a.js", lambda: joined(before="/", after=" ")),
    "tags": ("a.tsx", lambda: "x = " + joined(before="<", after=">")),
    "generics": ("a.ts", lambda: "type X = " + joined(after="<")),
    "angles": ("A.java", lambda: "a<" * 10_000),
    "angles in lines": ("A.java", lambda: "class A { " + joined(after="<", count=MANY)),
    "annotations": ("A.java", lambda: joined(before="@", after=" ", end="class A {}\n")),
    "pointers": ("a.c", lambda: "int " + "*" * 15_000 + "\n" + joined(before="*", after="")),
    "preprocessor": ("a.c", lambda: joined(before="#if ", after="\n")),
    "casts": ("a.c", lambda: "x = " + joined(before="(", after=")")),
    "template arguments": ("a.cpp", lambda: "using X = " + joined(after="<")),
    "operators": ("a.cpp", lambda: joined(after=" << ")),
    "closures": ("a.rs", lambda: "let x = " + joined(before="|", after="| ")),
    "types": ("a.go", lambda: "var x " + joined(before="func(", after=" ", count=30_000)),
    "heredocs": ("a.sh", lambda: joined(before="cat <<", after="\n")),
    "ruby blocks": ("a.rb", lambda: joined(before="do |", after="|\n", end="1\n")),
    "php tags": ("a.php", lambda: joined(before="<?php ", after=" ?>\n")),
    "columns": ("a.sql", lambda: "CREATE TABLE t (" + joined(after=" int,")),
    "selects": ("a.sql", lambda: joined(before="SELECT ", after=" FROM (\n")),
    "c sharp": ("a.cs", lambda: "class A { " + joined(before="A<", after=" ")),
}

LAUGHS = "".join(f'  <!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">\n' for n in range(1, 10))
DATA: dict[str, tuple[str, Callable[[], str]]] = {
    "nested json": ("a.json", lambda: "[" * 100_000 + "]" * 100_000),
    "nested objects": ("a.json", lambda: '{"a":\n' * 100_000),
    "json keys": ("a.json", lambda: "{" + ",\n".join(f'"{n}": 1' for n in names(100_000)) + "}"),
    "json escapes": ("a.json", lambda: '"' + "\\" * 1_800_000),
    "json quotes": ("a.json", lambda: '"' * 1_800_001),
    "yaml aliases": (
        "a.yaml",
        lambda: (
            "a: &a [x, x, x]\n"
            + "".join(
                f"{chr(98 + n)}: &{chr(98 + n)} [{f'*{chr(97 + n)}, ' * 9}]\n" for n in range(24)
            )
        ),
    ),
    "yaml front matter": (
        "a.md",
        lambda: "---\na: &a [x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n---\n# Title\n",
    ),
    "yaml flow": ("a.yaml", lambda: "a: " + "{a: [" * 50_000),
    "yaml keys": ("a.yaml", lambda: joined(after=": 1\n")),
    "yaml steps": (
        "a.yaml",
        lambda: "".join(" " * n + f"{k}:\n" for n, k in enumerate(names(1500))),
    ),
    "xml laughs": (
        "a.xml",
        lambda: (
            f'<?xml version="1.0"?>\n<!DOCTYPE l [\n<!ENTITY lol0 "lol">\n{LAUGHS}]>\n<l>&lol9;</l>'
        ),
    ),
    "xml entity": (
        "a.xml",
        lambda: '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<a>&x;</a>\n',
    ),
    "svg script": (
        "a.svg",
        lambda: (
            '<svg xmlns="http://www.w3.org/2000/svg" onload="a(1)"><script>a(1)</script></svg>\n'
        ),
    ),
    "toml key": ("a.toml", lambda: "k" * 1_000_000 + " = 1\n"),
    "toml tables": ("a.toml", lambda: joined(before="[a.", after="]\n")),
    "csv columns": ("a.csv", lambda: "," * 1_800_000),
    "csv quotes": ("a.csv", lambda: '"a,b\n' * 300_000),
    "html tags": ("a.html", lambda: "<div>" * 300_000),
    "rst titles": ("a.rst", lambda: joined(after="\n=====\n")),
    "rst lines": ("a.rst", lambda: "=" * 1_000_000 + "\n" + "-" * 800_000),
    "diff": ("a.diff", lambda: "@@ -1 +1 @@\n" * 100_000),
    "spaces": ("a.md", lambda: " " * 1_800_000 + "x"),
    "blank lines": ("a.py", lambda: "\n" * 1_900_000),
    "tabs": ("Makefile", lambda: "\t" * 1_900_000),
    "one word": ("a.txt", lambda: "a" * 1_900_000),
    "generated mark": ("a.py", lambda: "# auto-generated" * 1_000 + "\n" + "x = 1\n"),
    "email addresses": ("a.txt", lambda: "://a:" + "a:" * 900_000),
    "title": ("a.md", lambda: "# " + "[" * 300_000 + "\n" + "x\n===\n" * 50_000),
    "title of stars": ("a.md", lambda: "\n".join("# " + "_a " * 90 for _ in range(6_000))),
}

# Name, what it is made of, how large it is.
LARGE: dict[str, tuple[str, bytes, int]] = {
    "minified 50 MB": ("app.js", b"function a(b){return b+1};var c=a(2);", 50_000_000),
    "a million lines": ("lines.txt", b"a line of an ordinary text\n", 27_000_000),
    "json 20 MB": ("data.json", b'{"key": "value", "list": [1, 2, 3]},\n', 20_000_000),
    "log 100 MB": ("app.log", b"2026-01-02 03:04:05 INFO served /index in 12 ms\n", 100_000_000),
    "sparse 100 MB": ("sparse.txt", b"\0", 100_000_000),
}
KEPT_OR_GIVEN_UP = "indexed|too long to read|too much memory|too large|too many"


def alone(path: Path, name: str, make: Callable[[], str]) -> Path:
    return of_files(path, {name: make(), "beside.py": "beside = 1\n"})


def large(path: Path, name: str, unit: bytes, size: int) -> Path:
    return of_large_files(path, {name: (unit, size)})


def all_large(path: Path) -> Path:
    return of_large_files(path, {name: (unit, size) for name, unit, size in LARGE.values()})


PARSER_BOMBS = [
    Hostile(
        name=name,
        build=partial(alone, name=file, make=make),
        outcomes={file: KEPT_OR_GIVEN_UP, "beside.py": "indexed"},
        absent=("root:x:0:0",) if name == "xml entity" else (),
        embeds=False,
    )
    for name, (file, make) in (CODE | DATA).items()
]
MARKDOWN = Hostile(
    name="markdown bombs",
    build=lambda path: of_files(
        path, {f"{name}.md": text for name, text in MARKDOWN_BOMBS.items()}
    ),
    indexed=len(MARKDOWN_BOMBS),
    embeds=False,
)
SIZES = [
    Hostile(
        name="large files",
        build=all_large,
        indexed=0,
        reasons={name: "too large" for name, _, _ in LARGE.values()},
    ),
    *(
        Hostile(
            name=f"{name}, limit raised",
            build=partial(large, name=file, unit=unit, size=size),
            outcomes={file: KEPT_OR_GIVEN_UP + "|binary"},
            max_file_bytes=LIMIT_RAISED,
            embeds=False,
        )
        for name, (file, unit, size) in LARGE.items()
    ),
]
