"""Front matter: what documents say of themselves, however people write it."""

import json
import time

import pytest

from knowledge.chunking import chunk_document
from knowledge.front_matter import body_of, front_matter, known_names, with_known_names
from tests.knowledge.samples import assert_covers


def test_front_matter_becomes_metadata_and_stays_in_the_text() -> None:
    text = "---\ntitle: Naming\ncategory: style\ntags: [a, 2]\n"
    text += "since: 2026-01-02\nx: {y: 1}\n---\n# N\n"

    chunked = chunk_document("a.md", text)

    assert chunked.metadata == {
        "title": "Naming",
        "category": "style",
        "tags": ["a", "2"],
        "since": "2026-01-02",
    }
    assert chunked.notes == ""
    assert_covers(text, chunked.chunks)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("---\na: &a [x]\nb: [*a, *a]\n---\n", "anchors and aliases are not read"),
        ("---\na: [\n---\n", "not valid YAML"),
        ("---\n" + "[" * 2_000 + "\n---\n", "nested too deeply"),
        ("---\n" + "- " * 2_000 + "x\n---\n", "nested too deeply"),
        ("---\n" + "? " * 2_000 + "x\n---\n", "nested too deeply"),
        ("".join(["---\n", *(" " * i + "a:\n" for i in range(100)), "---\n"]), "nested too deeply"),
        ("---\na: !!python/object/apply:os.system [id]\n---\n", "not valid YAML"),
        ("---\n- a\n- b\n---\n", "not a list of keys"),
    ],
)
def test_front_matter_that_cannot_be_read_is_ignored_and_noted(text: str, note: str) -> None:
    metadata, notes = front_matter(text)

    assert metadata == {}
    assert notes == f"front matter ignored: {note}"


@pytest.mark.parametrize("text", ["", "---", "---\nnever closed\n", "text\n---\na: 1\n---\n"])
def test_text_without_front_matter_has_no_metadata(text: str) -> None:
    assert front_matter(text) == ({}, "")


def test_front_matter_that_is_too_large_is_text() -> None:
    assert front_matter("---\n" + "a: 1\n" * 5_000 + "---\n") == ({}, "")


@pytest.mark.parametrize(
    ("text", "metadata"),
    [
        ("tags: a, b", {"tags": ["a", "b"]}),
        ("tags: [a, b]", {"tags": ["a", "b"]}),
        ("tags:\n  - a\n  - b", {"tags": ["a", "b"]}),
        ("tags: '[a, \"b\"]'", {"tags": ["a", "b"]}),
        ("tags: one", {"tags": ["one"]}),
        ("tags: 7", {"tags": ["7"]}),
        ("tags:", {"tags": []}),
        ("Tags: a", {"tags": ["a"]}),
        ("keyFiles: a.ts, b.ts", {"keyFiles": ["a.ts", "b.ts"]}),
        ("key_files: [a.ts]", {"keyFiles": ["a.ts"]}),
        ("key-files: [a.ts]", {"keyFiles": ["a.ts"]}),
        ("Key Files: a.ts", {"keyFiles": ["a.ts"]}),
        ("columns: id, name", {"columns": ["id", "name"]}),
        ("columns:\n  id: uuid\n  name: text", {"columns": ["id", "name"]}),
        ("columns:\n  - name: id\n    type: uuid\n  - email: text", {"columns": ["id", "email"]}),
        ("columns: [1, null, [x], '']", {"columns": ["1"]}),
        ("title: [a, b]", {"title": "a, b"}),
        ("title: 2026", {"title": "2026"}),
        ("category: on", {"category": "True"}),
        ("area: {x: y}", {}),
        ("table:", {}),
        ("since: 2026-01-02", {"since": "2026-01-02"}),
        ("draft: true\nweight: 3\nshare: 0.5", {"draft": True, "weight": 3, "share": "0.5"}),
        ("nested: {a: 1}\nlist: [1, [2], {b: 3}, x]", {"list": ["1", "x"]}),
        ("1: one", {"1": "one"}),
        ('a: "x\\0y"', {"a": "x\ufffdy"}),
        ('title: "x\\ud800y"', {"title": "x\ufffdy"}),
        ("n: 0x" + "f" * 5_000, {}),
        ("key_files: a\nkeyFiles: b", {"keyFiles": ["a"]}),
    ],
)
def test_values_are_read_as_they_are_meant(text: str, metadata: dict[str, object]) -> None:
    found, note = front_matter(f"---\n{text}\n---\nbody\n")

    assert (found, note) == (metadata, "")
    json.dumps(found).encode()


def test_what_a_program_gives_keeps_its_own_keys() -> None:
    given = {"key-files": "a, b", "deep": {"er": [None]}, "n": None, "tags": ("x",), "Title": 3}

    assert with_known_names({**given, "tags": ["x"]}) == {
        "deep": {"er": [None]},
        "n": None,
        "keyFiles": ["a", "b"],
        "tags": ["x"],
        "title": "3",
    }


def test_long_lists_are_cut() -> None:
    assert len(known_names({"tags": list(range(1_000))})["tags"]) == 100


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("---\na: 1\n---\n# A\n", "# A\n"),
        ("---\na: 1\n...\n# A\n", "# A\n"),
        ("# A\n---\n", "# A\n---\n"),
        ("---\nnever closed", "---\nnever closed"),
        ("", ""),
    ],
)
def test_the_body_is_what_comes_after(text: str, body: str) -> None:
    assert body_of(text) == body


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "x" * 8_000,
        "a: |\n" + "  x\n" * 2_000,
        "\n".join(f"k{n}: {n}" for n in range(700)),
        "a: " + "'" * 8_000,
        "a: " + '"\\' * 4_000,
        "? " * 5,
        "%YAML 9.9",
        "a: !!binary " + "A" * 4_000,
        "a: 1e" + "9" * 4_000,
        "a: 2026-99-99",
        "<<: {a: 1}",
    ],
)
def test_odd_front_matter_is_read_quickly_or_refused(text: str) -> None:
    started = time.process_time()
    found, _ = front_matter(f"---\n{text}\n---\n")

    assert time.process_time() - started < 1
    json.dumps(found).encode()
