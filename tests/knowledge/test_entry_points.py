import pytest

from knowledge.entry_points import (
    EntryPoint,
    entry_points_by_name,
    entry_points_in,
    file_of,
    is_manifest,
)


def told(path: str, text: str) -> list[tuple[str, str, str]]:
    return [(point.what, point.detail, point.target) for point in entry_points_in(path, text)]


def test_pyproject_names_commands() -> None:
    text = '[project.scripts]\nowl = "owl.cli:main"\n[tool.poetry.scripts]\nhoot = "owl.hoot"\n'

    assert told("pyproject.toml", text) == [
        ("Command", "owl", "owl.cli:main"),
        ("Command", "hoot", "owl.hoot"),
    ]


def test_setup_cfg_names_commands() -> None:
    text = "[options.entry_points]\nconsole_scripts =\n  owl = owl.cli:main\n  hoot = owl.hoot:go\n"

    assert told("setup.cfg", text) == [
        ("Command", "owl", "owl.cli:main"),
        ("Command", "hoot", "owl.hoot:go"),
    ]


def test_package_json_names_commands_the_module_and_scripts() -> None:
    text = (
        '{"name": "@a/owl", "bin": "cli.js", "main": "./i.js", "scripts": {"test": "x", "z": "y"}}'
    )

    assert told("package.json", text) == [
        ("Command", "owl", "cli.js"),
        ("Imported as", "@a/owl", "./i.js"),
        ("Script", "npm run test", ""),
    ]


def test_makefiles_offer_the_targets_that_people_know() -> None:
    text = "VERSION := 1\n.PHONY: run\nrun: deps\n\tgo\ndeps:\n\tget\ntest check: run\n\tt\n"

    assert told("Makefile", text) == [("Target", "make run", ""), ("Target", "make test", "")]
    assert told("justfile", "hunt:\n  go\n") == [("Target", "just hunt", "")]


def test_containers_and_processes_say_what_they_run() -> None:
    text = 'FROM a\nCMD ["old"]\nENTRYPOINT ["owl", "--serve"]\n'

    assert told("Dockerfile", text) == [("Container", "owl --serve", "")]
    assert told("Procfile", "web: gunicorn owl\n") == [("Process web", "gunicorn owl", "")]


def test_cargo_names_programs() -> None:
    assert told("Cargo.toml", '[[bin]]\nname = "owl"\npath = "src/o.rs"\n') == [
        ("Command", "owl", "src/o.rs")
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package.json", "{"),
        ("package.json", "[" * 100_000),
        ("package.json", '{"bin": 7, "scripts": [], "main": {}}'),
        ("pyproject.toml", "[project"),
        ("pyproject.toml", 'project = "no table"\ntool = 3'),
        ("cargo.toml", 'bin = "no list"'),
        ("cargo.toml", "bin = [1, {}]"),
        ("Dockerfile", ""),
    ],
)
def test_what_can_not_be_read_tells_nothing(path: str, text: str) -> None:
    assert entry_points_in(path, text) == []


def test_file_names_tell_where_a_program_starts() -> None:
    paths = ["manage.py", "src/owl/__main__.py", "cmd/owl/main.go", "src/main.rs", "owl/night.py"]

    assert [(p.what, p.detail) for p in entry_points_by_name(paths)] == [
        ("Management commands", "python manage.py"),
        ("Runs as a module", "python -m owl"),
        ("Command", "go run ./cmd/owl"),
        ("Main program", "cargo run"),
    ]


def test_a_module_at_the_top_has_no_name_to_run_it_by() -> None:
    assert list(entry_points_by_name(["__main__.py"])) == []


@pytest.mark.parametrize(
    ("target", "beside", "found"),
    [
        ("owl.cli:main", "pyproject.toml", "src/owl/cli.py"),
        ("owl", "pyproject.toml", "src/owl/__init__.py"),
        ("./index.js", "packages/a/package.json", "packages/a/index.js"),
        ("index.js", "package.json", ""),
        ("mouse:main", "pyproject.toml", ""),
        ("", "pyproject.toml", ""),
    ],
)
def test_a_target_leads_to_a_file_that_is_there(target: str, beside: str, found: str) -> None:
    paths = ["src/owl/cli.py", "src/owl/__init__.py", "packages/a/index.js"]

    assert file_of(target, beside, paths) == found


def test_manifests_are_known_by_name() -> None:
    assert is_manifest("a/package.json")
    assert is_manifest("Makefile")
    assert not is_manifest("package.jsonc")
    assert EntryPoint("Command", "owl", "a").target == ""
