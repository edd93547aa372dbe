"""What the documentation says is so: variables, commands, addresses, links, and what shows what."""

import ast
import os
import re
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.urls import resolve

from config.api import NothingHere
from knowledge.headings import markdown_headings
from providers.compatible import USUAL_KEY_VARIABLE
from providers.embedding import KEY_VARIABLE

ROOT = Path(settings.BASE_DIR)
NOT_OURS = {"var", "staticfiles", "test-results", "node_modules", "__pycache__"}
APPS = ("accounts", "projects", "providers", "knowledge", "conversations", "reviews", "portal")
DJANGOS_COMMANDS = {"migrate", "collectstatic", "changepassword", "createsuperuser", "check"}
PROMISES = {"A": 79, "B": 125, "C": 72, "D": 62, "E": 101}
NOT_YET = "not built yet"
LARGEST_PICTURE = 300_000
# In two parts, so that this file is no exception to its own rule.
REGISTRIES = [
    "".join(parts)
    for parts in (
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("npmjs", "."),
        ("registry.", "yarnpkg"),
        ("crates", ".io"),
        ("docker", ".io"),
        ("ghcr", ".io"),
        ("quay", ".io"),
        ("proxy.", "golang"),
        ("ruby", "gems.org"),
    )
]


def files_of_ours() -> list[Path]:
    """Every file of the checkout that is not made by running it."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in NOT_OURS and (not name.startswith(".") or name == ".ci")
        ]
        found += [Path(folder, name) for name in names if name != ".env"]
    return sorted(found)


FILES = files_of_ours()
PAGES = [path for path in FILES if path.suffix == ".md" and "tests" not in path.parts]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table_rows(text: str) -> Iterator[list[str]]:
    """The cells of every table row but titles and rules."""
    for line in text.splitlines():
        if line.startswith("| ") and not re.fullmatch(r"[|: -]+", line):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def named(text: str) -> list[str]:
    """What a text names in backticks."""
    return re.findall(r"`([^`\n]+)`", text)


def without_fences(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


# --- Variables -----------------------------------------------------------------------------


def documented_variables() -> dict[str, str]:
    """Every variable that a table of the page names, with what its row says of its default."""
    rows = [row for row in table_rows(page("docs/configuration.md")) if len(row) == 3]
    return {
        name: default
        for first, default, _ in rows
        for name in named(first)
        if re.fullmatch(r"[A-Z][A-Z0-9_]+(?:…)?", name)
    }


def variables_of_settings() -> dict[str, object]:
    """Every variable that the settings read, with its default where that is a plain value."""
    found: dict[str, object] = {}
    for node in ast.walk(ast.parse(page("config/settings.py"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "env" and node.args:
            name = ast.literal_eval(node.args[0])
            values = [k.value for k in node.keywords if k.arg == "default"]
            plain = values[0] if values and isinstance(values[0], ast.Constant) else None
            found.setdefault(name, plain.value if plain else None)
    return found


def variables_read_elsewhere() -> set[str]:
    read = set()
    for path in FILES:
        if path.suffix == ".py" and "tests" not in path.parts:
            text = path.read_text(encoding="utf-8")
            read |= set(re.findall(r"environ(?:\.get|\.setdefault)?[(\[]\"([A-Z_]+)\"", text))
    read |= set(re.findall(r"values\.get\(\"([A-Z_]+)\"", page("supervisor/configuration.py")))
    read |= set(re.findall(r"^([A-Z_]+) \?=", page("Makefile"), re.MULTILINE))
    read |= set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", page("docker-compose.yml")))
    read |= {"GIT_SSL_CAINFO", "GIT_SSL_CAPATH"} & set(re.findall(r"\w+", page("projects/git.py")))
    read |= {"WEB_CONCURRENCY"} & set(re.findall(r"\w+", page("Dockerfile")))
    return (read | {KEY_VARIABLE, *USUAL_KEY_VARIABLE.values()}) - {"DJANGO_SETTINGS_MODULE"}


def test_every_variable_that_is_read_is_documented() -> None:
    named_anywhere = set(named(page("docs/configuration.md")))
    read = set(variables_of_settings()) | variables_read_elsewhere()

    assert len(variables_of_settings()) > 20
    assert read <= named_anywhere


def test_every_documented_variable_is_read() -> None:
    read = set(variables_of_settings()) | variables_read_elsewhere()
    patterns = {name for name in documented_variables() if name.endswith("…")}

    assert patterns == {"GIT_TOKEN_…"}
    assert set(documented_variables()) - patterns <= read


@pytest.mark.parametrize(("name", "default"), variables_of_settings().items())
def test_defaults_are_those_of_the_settings(name: str, default: object) -> None:
    said = documented_variables()[name]

    if isinstance(default, bool):
        assert str(default).lower() in named(said)
    elif default:
        assert str(default) in named(said)
    elif default is not None:
        assert not re.fullmatch(r"`[^`]*`", said)


def test_the_example_names_documented_variables_only() -> None:
    example = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", page(".env.example"), re.MULTILINE))
    documented = {name for name in documented_variables() if not name.endswith("…")}

    assert len(example) > 10
    assert {n for n in example if not n.startswith("GIT_TOKEN_")} <= documented


# --- Links ---------------------------------------------------------------------------------


def links() -> list[tuple[str, str]]:
    return [
        (str(path.relative_to(ROOT)), target)
        for path in PAGES
        for target in re.findall(r"\]\(([^()\s]+)\)", without_fences(path.read_text("utf-8")))
        if not re.match(r"[a-z]+:", target)
    ]


@pytest.mark.parametrize(("source", "target"), links())
def test_a_link_leads_somewhere(source: str, target: str) -> None:
    name, _, anchor = target.partition("#")
    path = (ROOT / source).parent / name if name else ROOT / source

    assert path.exists()
    if anchor:
        headings = markdown_headings(path.read_text(encoding="utf-8"))
        assert anchor in {heading.anchor.removeprefix("#") for heading in headings}


def test_every_page_can_be_reached_from_the_first() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".md":
            continue
        reached.add(path)
        here = str(path.relative_to(ROOT))
        waiting += [
            (path.parent / target.partition("#")[0]).resolve()
            for source, target in links()
            if source == here and not target.startswith("#")
        ]

    assert set(PAGES) <= reached


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs/images").iterdir())

    assert pictures
    assert all(picture.stat().st_size < LARGEST_PICTURE for picture in pictures)


# --- Commands ------------------------------------------------------------------------------


def commands_of_ours() -> list[str]:
    return sorted(name for name, app in get_commands().items() if app in APPS)


def test_every_command_of_ours_is_documented() -> None:
    documented = re.findall(r"^\| `manage\.py ([\w-]+)", page("docs/operations.md"), re.MULTILINE)

    assert set(commands_of_ours()) <= set(documented)


def test_every_command_that_is_named_exists() -> None:
    known = set(get_commands())
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r"manage\.py ([a-z_]+(?:-[a-z]+)*)", text):
            assert name in known, f"{path.name}: {name}"
            assert name in DJANGOS_COMMANDS or name in commands_of_ours()


@pytest.mark.parametrize("name", commands_of_ours())
def test_a_command_has_the_options_that_the_page_says(name: str) -> None:
    usage = re.search(
        rf"^\| `(manage\.py {name}\b[^`]*)`", page("docs/operations.md"), re.MULTILINE
    )
    assert usage is not None
    plain = {o for a in BaseCommand().create_parser("", "")._actions for o in a.option_strings}
    command = load_command_class(get_commands()[name], name)
    parser: ArgumentParser = command.create_parser("manage.py", name)
    ours = {option for action in parser._actions for option in action.option_strings} - plain

    assert set(re.findall(r"--[a-z]+(?:-[a-z]+)*", usage[1])) == ours


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", page("Makefile"), re.MULTILINE))
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r"(?:`|^)(?:[A-Z]+=\S+ )*make ([a-z][a-z-]+)", text, re.MULTILINE):
            assert name in targets, f"{path.name}: make {name}"


def test_every_mode_of_the_supervisor_that_is_named_exists() -> None:
    modes = set(re.findall(r"add_parser\(\"(\w+)\"", page("supervisor/__main__.py")))
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"-m supervisor (\w+)", text)) <= modes, path.name


# --- The API -------------------------------------------------------------------------------


def test_every_address_of_the_api_is_documented_with_its_methods() -> None:
    described = yaml.safe_load(page("docs/openapi.yaml"))["paths"]
    expected = {path: {method.upper() for method in methods} for path, methods in described.items()}
    documented = {
        named(row[0])[0]: set(re.findall(r"\b(?:GET|POST|PATCH|DELETE)\b", row[1]))
        for row in table_rows(page("docs/api.md").partition("## All addresses")[2])
        if row[0].startswith("`/api/v1/")
    }

    assert documented == expected


def test_every_address_that_is_named_leads_to_a_view() -> None:
    for path in PAGES:
        for named_address in re.findall(
            r"(?<!\w)/api/[\w{}$/-]+", path.read_text(encoding="utf-8")
        ):
            address = re.sub(r"\{\w+\}|\$[A-Z]+", str(uuid4()), named_address)
            view = getattr(resolve(address).func, "cls", None)
            alone = address in {"/api/v1/", "/api/"}
            assert alone or view is not NothingHere, f"{path.name}: {named_address}"


# --- What shows what -----------------------------------------------------------------------


def promises() -> dict[str, list[str]]:
    rows = [row for row in table_rows(page("docs/coverage.md")) if row[0] != "Id"]
    assert all(len(row) == 4 for row in rows)
    return {row[0]: row for row in rows}


def test_every_promise_has_one_row() -> None:
    ids = Counter(row[0] for row in table_rows(page("docs/coverage.md")) if row[0] != "Id")
    expected = {
        f"{letter}{number:02d}"
        for letter, last in PROMISES.items()
        for number in range(1, last + 1)
    }

    assert set(ids) == expected
    assert set(ids.values()) == {1}


def test_every_promise_is_shown_by_something_or_said_to_be_missing() -> None:
    for name, (_, promise, where, shown) in promises().items():
        assert promise, name
        assert where, name
        by_test = "::test_" in shown
        by_command = any(word in shown for word in ("`make ", "`manage.py ", "`pg_dump`"))
        assert by_test or by_command or NOT_YET in shown, name


def test_what_coverage_names_exists() -> None:
    for name, row in promises().items():
        for thing in named(" ".join(row[2:])):
            place, _, test = thing.partition("::")
            if "/" not in place or place.startswith("/"):
                continue
            assert (ROOT / place).exists(), f"{name}: {place}"
            if test:
                text = (ROOT / place).read_text(encoding="utf-8")
                assert re.search(rf"^(?:async )?def {test}\(", text, re.MULTILINE), (
                    f"{name}: {test}"
                )


def test_every_file_that_a_page_names_exists() -> None:
    roots = {path.name for path in ROOT.iterdir()} - NOT_OURS
    for path in PAGES:
        for thing in named(without_fences(path.read_text(encoding="utf-8"))):
            if re.fullmatch(r"[\w.-]+/[\w./-]+", thing) and thing.split("/")[0] in roots:
                assert (ROOT / thing.rstrip("/")).exists(), f"{path.name}: {thing}"


def test_every_model_is_in_the_table_of_data() -> None:
    told = {
        name
        for row in table_rows(page("docs/architecture.md"))
        for name in named(row[0])
        if re.fullmatch(r"[a-z]+\.[A-Z]\w+", name)
    }
    ours = {m._meta.label for label in APPS for m in apps.get_app_config(label).get_models()}

    assert told == ours


def test_every_dependency_has_its_reason() -> None:
    required = set(re.findall(r"^([A-Za-z][\w-]*)", page("requirements.txt"), re.MULTILINE))
    explained = {
        name
        for row in table_rows(page("docs/decisions/0011-dependencies.md"))
        for name in named(row[0])
    }

    assert explained == required


# --- What stands in no file ----------------------------------------------------------------


def test_no_file_names_a_registry_or_a_developers_machine() -> None:
    own_folder = re.compile(rf"(?<![\w~.]){re.escape(str(ROOT))}(?![\w-])")
    someones_home = re.compile(r"(?<![\w~.$])/(?:home|Users)/\w+/\w")
    for path in FILES:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        assert not own_folder.search(text), path
        assert not [host for host in REGISTRIES if host in text], path
        assert "tests" in path.parts or not someones_home.search(text), path
