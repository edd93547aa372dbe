from collections.abc import Sequence
from uuid import uuid4

import pytest

from knowledge.areas import MOST_AREAS, File, areas_of, leading_role, roles_of
from knowledge.languages import language_of, layer_of


def file(path: str, source: str = "code", chunks: int = 1) -> File:
    return File(uuid4(), source, path, language_of(path), layer_of(path), 100, chunks)


def parted(files: Sequence[File]) -> dict[tuple[str, str], int]:
    """Return how many files each area has, by role and name."""
    areas = areas_of(files, roles_of(files), lambda number: files[number].chunks)
    return {(area.role, area.name): len(area.files) for area in areas}


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("src/owl.py", "code"),
        ("tests/test_owl.py", "tests"),
        ("src/owl.test.ts", "tests"),
        ("bench/run.py", "tests"),
        ("examples/a/owl.py", "examples"),
        ("project_template/manage.py", "examples"),
        ("docs/conf.py", "documentation"),
        ("README.md", "documentation"),
        ("src/owl/README.md", "documentation"),
        ("notes.txt", "documentation"),
        ("src/py.typed", "data"),
        ("requirements-dev.txt", "build"),
        ("pyproject.toml", "build"),
        (".github/workflows/a.yml", "build"),
        ("scripts/release.py", "build"),
        ("vite.config.ts", "build"),
        ("src/owl/config.py", "code"),
        ("owl.egg-info/SOURCES.txt", "built"),
        ("src/locales/de.ts", "translations"),
        ("owl/migrations/0001_first.py", "migrations"),
        ("data/owls.csv", "data"),
    ],
)
def test_a_path_tells_what_a_file_is_for(path: str, role: str) -> None:
    assert roles_of([file(path)]) == [role]


def test_what_was_built_from_a_source_beside_it_is_not_code() -> None:
    paths = ["src/v4/owl.ts", "v4/owl.js", "v4/owl.d.cts", "v4/mouse.js"]

    assert roles_of([file(path) for path in paths]) == ["code", "built", "built", "code"]


def test_code_alone_is_code_whatever_its_ending() -> None:
    assert roles_of([file("lib/owl.js"), file("types/owl.d.ts")]) == ["code", "code"]


def test_code_leads_unless_it_is_a_small_part() -> None:
    docs = [file(f"docs/{n}.md", chunks=10) for n in range(20)]

    assert leading_role(docs, roles_of(docs)) == "documentation"
    for chunks, role in ((1, "documentation"), (30, "code")):
        files = [*docs, file("owl.py", chunks=chunks)]
        assert leading_role(files, roles_of(files)) == role
    assert leading_role([], []) == "code"


def test_a_small_project_is_one_area_with_what_stands_beside_it() -> None:
    files = [file("owl/a.py"), file("owl/b.py"), file("tests/test_a.py"), file("README.md")]

    assert parted(files) == {
        ("code", "owl"): 2,
        ("tests", "tests"): 1,
        ("documentation", ""): 1,
    }


def test_a_large_folder_is_split() -> None:
    files = [file(f"src/owl/{part}/{n}.py") for part in ("eyes", "wings") for n in range(10)]

    assert parted(files) == {("code", "src/owl/eyes"): 10, ("code", "src/owl/wings"): 10}


def test_small_folders_join_the_one_above() -> None:
    files = [file(f"src/owl/{n}.py") for n in range(30)]
    files += [file(f"src/owl/{part}/only.py") for part in ("a", "b", "c")]

    assert parted(files) == {("code", "src/owl"): 33}


def test_there_are_never_too_many_areas() -> None:
    files = [file(f"src/part{part}/{n}.py") for part in range(40) for n in range(4)]

    areas = parted(files)

    assert len(areas) <= MOST_AREAS
    assert sum(areas.values()) == 160


def test_weightier_code_comes_first() -> None:
    files = [file(f"a/{n}.py") for n in range(10)] + [file(f"b/{n}.py", chunks=9) for n in range(8)]

    assert list(parted(files)) == [("code", "b"), ("code", "a")]


def test_several_sources_are_told_apart() -> None:
    files = [file(f"src/{n}.py", source) for source in ("api", "web") for n in range(5)]
    files += [file("tests/test_a.py", "api")]

    assert parted(files) == {
        ("code", "api/src"): 5,
        ("code", "web/src"): 5,
        ("tests", "api/tests"): 1,
    }


def test_documents_alone_are_parted_by_folder() -> None:
    files = [file(f"{part}/{n}.md") for part in ("guide", "reference") for n in range(8)]

    assert parted(files) == {("documentation", "guide"): 8, ("documentation", "reference"): 8}


def test_a_stray_does_not_hide_where_a_role_lives() -> None:
    files = [file("owl.py", chunks=99), file("README.md")]
    files += [file(f"docs/{n}.md") for n in range(9)]

    assert parted(files)["documentation", "docs"] == 10


def test_nothing_has_no_areas() -> None:
    assert parted([]) == {}


def test_thousands_of_files_are_parted_at_once() -> None:
    files = [file(f"a/b{n % 7}/c{n % 53}/d{n % 211}/{n}.py") for n in range(8_000)]

    assert sum(parted(files).values()) == 8_000
