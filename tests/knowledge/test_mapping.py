from collections.abc import Sequence
from uuid import uuid4

import numpy as np

from knowledge.areas import File, roles_of
from knowledge.entry_points import EntryPoint
from knowledge.importance import Definition, Importance
from knowledge.languages import language_of, layer_of
from knowledge.mapping import (
    Facts,
    Map,
    draw_map,
    entry_points_among,
    manifests_among,
    questions_about,
    readmes_among,
    voices_of,
    where_to_start,
)

Defined = tuple[str, str, str, float]  # name, kind, path, weight


def facts_of(ranks: dict[str, float], defined: Sequence[Defined] = (), *, size: int = 100) -> Facts:
    """Return facts of files with a rank each, and of symbols with a weight each."""
    files = [
        File(uuid4(), "code", path, language_of(path), layer_of(path), size, 3) for path in ranks
    ]
    number = {path: place for place, path in enumerate(ranks)}
    importance = Importance(
        files=np.array(list(ranks.values()), dtype=np.float64),
        definitions=np.array([weight for *_, weight in defined], dtype=np.float64),
        mentioned_by=np.array([round(rank * 10) for rank in ranks.values()], dtype=np.int64),
        used_by=np.array([7 for _ in defined], dtype=np.int64),
    )
    definitions = [Definition(name, number[path], kind, 1) for name, kind, path, _ in defined]
    return Facts(files, roles_of(files), definitions, importance)


def key_files(facts: Facts) -> list[str]:
    return [facts.files[key.file].path for key in draw_map(facts).key_files]


def key_symbols(facts: Facts) -> list[str]:
    return [symbol.definition.name for symbol in draw_map(facts).key_symbols]


def steps(facts: Facts, *entries: tuple[int, EntryPoint]) -> list[tuple[str, str]]:
    found = where_to_start(facts, draw_map(facts), entries)
    return [(facts.files[step.file].path, step.why) for step in found]


def test_key_files_come_by_their_weight() -> None:
    assert key_files(facts_of({"a.py": 0.1, "b.py": 0.7, "c.py": 0.2})) == ["b.py", "c.py", "a.py"]


def test_tests_and_documents_are_no_key_files_beside_code() -> None:
    facts = facts_of({"owl.py": 0.1, "tests/test_owl.py": 0.6, "README.md": 0.3})

    assert key_files(facts) == ["owl.py"]


def test_what_only_passes_on_or_supports_stands_back() -> None:
    facts = facts_of(
        {"owl/__init__.py": 0.3, "owl/utils.py": 0.25, "owl/night.py": 0.2, "owl/types.py": 0.1}
    )

    assert key_files(facts)[:2] == ["owl/night.py", "owl/types.py"]


def test_key_files_are_spread_over_areas() -> None:
    ranks = {f"src/heart/{n}.py": 0.9 for n in range(20)}
    ranks |= {f"src/{part}/{n}.py": 0.1 for part in ("eyes", "wings") for n in range(20)}

    folders = [path.split("/")[1] for path in key_files(facts_of(ranks))]

    assert folders.count("heart") == 3
    assert {"eyes", "wings"} < set(folders)


def test_documents_are_key_files_where_there_is_no_code() -> None:
    facts = facts_of({"LICENSE": 0.5, "guide.md": 0.2, "README.md": 0.1})

    assert key_files(facts) == ["README.md", "guide.md", "LICENSE"]


def test_key_symbols_are_types_and_functions_that_are_meant_for_others() -> None:
    facts = facts_of(
        {"owl.py": 0.5, "mouse.py": 0.3, "tests/test_owl.py": 0.2},
        [
            ("Owl", "class", "owl.py", 0.5),
            ("hunt", "method", "owl.py", 0.9),
            ("FEATHERS", "module", "owl.py", 0.9),
            ("_Hidden", "class", "owl.py", 0.9),
            ("TestOwl", "class", "tests/test_owl.py", 0.9),
            ("Mouse", "class", "mouse.py", 0.3),
            ("Unheard", "class", "mouse.py", 0.0),
        ],
    )

    assert key_symbols(facts) == ["Owl", "Mouse"]


def test_one_file_does_not_fill_the_key_symbols() -> None:
    defined = [(f"Owl{n}", "class", "owl.py", 0.9) for n in range(9)]
    facts = facts_of({"owl.py": 0.5, "m.py": 0.1}, [*defined, ("Mouse", "class", "m.py", 0.1)])

    assert key_symbols(facts) == ["Owl0", "Owl1", "Mouse"]


def test_failures_stand_behind_what_can_fail() -> None:
    defined = [("OwlError", "class", "a.py", 0.5), ("Owl", "class", "b.py", 0.4)]

    assert key_symbols(facts_of({"a.py": 0.5, "b.py": 0.5}, defined)) == ["Owl", "OwlError"]


def test_each_area_names_its_best() -> None:
    facts = facts_of(
        {"src/a.py": 0.2, "src/b.py": 0.8, "tests/test_a.py": 0.1},
        [("Owl", "class", "src/b.py", 0.5)],
    )

    drawn = draw_map(facts)

    assert [area.name for area in drawn.areas] == ["src", "tests"]
    assert [facts.files[n].path for n in drawn.files_of_areas[0]] == ["src/b.py", "src/a.py"]
    assert drawn.symbols_of_areas[0] == ["Owl"]


def test_languages_are_those_of_the_code() -> None:
    drawn = draw_map(facts_of({"a.py": 0.1, "b.py": 0.1, "c.go": 0.1, "README.md": 0.1}))

    assert drawn.languages == [("python", 2, 200), ("go", 1, 100)]


def test_empty_files_have_a_language_too() -> None:
    assert draw_map(facts_of({"a.py": 0.1}, size=0)).languages == [("python", 1, 0)]


def test_reading_starts_with_what_it_is_and_where_it_starts() -> None:
    facts = facts_of(
        {
            "README.md": 0.0,
            "docs/architecture.md": 0.0,
            "owl/cli.py": 0.1,
            "owl/heart.py": 0.8,
            "owl/leaf.py": 0.01,
        }
    )

    assert steps(facts, (2, EntryPoint("Command", "owl", "pyproject.toml"))) == [
        ("README.md", "what it is, and how to begin"),
        ("docs/architecture.md", "how it is meant to be used and understood"),
        ("owl/cli.py", "where owl starts"),
        ("owl/heart.py", "8 other files mention what it defines"),
        ("owl/leaf.py", "among the longest here"),
    ]


def test_reading_without_any_document_starts_with_code() -> None:
    assert steps(facts_of({"owl.py": 0.5})) == [("owl.py", "5 other files mention what it defines")]


def test_the_readme_of_a_part_does_not_introduce_the_whole() -> None:
    facts = facts_of({"src/owl/deep/README.md": 0.1, "docs/index.md": 0.1, "README.rst": 0.1})

    assert [facts.files[n].path for n in readmes_among(facts)] == ["README.rst", "docs/index.md"]


def test_manifests_of_examples_are_not_the_project_s() -> None:
    facts = facts_of({"examples/a/package.json": 0.1, "web/package.json": 0.1, "Makefile": 0.1})

    found = manifests_among(facts.files, facts.roles)

    assert [facts.files[n].path for n in found] == ["Makefile", "web/package.json"]


def test_an_entry_point_leads_to_the_file_that_defines_it() -> None:
    facts = facts_of(
        {"pyproject.toml": 0.1, "owl/__init__.py": 0.1, "owl/cli.py": 0.1, "owl/__main__.py": 0.1},
        [("hunt_now", "function", "owl/cli.py", 0.1)],
    )
    told = [
        (0, EntryPoint("Target", "make run", "pyproject.toml")),
        (0, EntryPoint("Command", "owl", "pyproject.toml", "owl:hunt_now")),
        (0, EntryPoint("Command", "owls", "pyproject.toml", "owl")),
        (0, EntryPoint("Command", "owl", "pyproject.toml", "owl:hunt_now")),
    ]

    found = [(facts.files[n].path, p.detail) for n, p in entry_points_among(facts, told)]

    assert found == [
        ("owl/cli.py", "owl"),
        ("owl/__init__.py", "owls"),
        ("owl/__main__.py", "python -m owl"),
        ("pyproject.toml", "make run"),
    ]


def test_questions_are_about_what_matters() -> None:
    defined = [("Owl", "class", "a/x.py", 0.9), ("Mouse", "class", "b/y.py", 0.5)]
    ranks = {f"{part}/{name}.py": 0.1 for part in "ab" for name in "xyzuvw"}

    drawn = draw_map(facts_of(ranks, defined))

    assert questions_about(drawn)[:2] == ["How does Owl work?", "How does Mouse work?"]
    assert questions_about(drawn)[2].startswith("What is ")
    assert questions_about(Map([], [], [], [])) == []


def test_code_speaks_louder_than_its_tests() -> None:
    code, tests, built = voices_of(["code", "tests", "built"])

    assert code > tests > built == 0
