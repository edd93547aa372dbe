"""`manage.py spaces`: which model's vectors answer, and building another one beside."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from knowledge.comparing import compare
from knowledge.golden_questions import keep_golden
from knowledge.golden_sets import SetUnreadable, read_set
from knowledge.models import EmbeddingSpace
from knowledge.space_standing import SpaceStanding, standings
from knowledge.spaces import (
    SpaceRefused,
    activate,
    build,
    declare,
    drop_retired,
    retire,
    roll_back,
)
from knowledge.tending import index_spaces
from knowledge.vectors import index_name, vector_store
from projects.operators import find_project, first_admin
from providers.embedding import EmbedderUnavailable, Reach, built_in_model
from providers.server_rules import check_address, check_key_variable

ACTIONS = {
    "list": "show the spaces and how far each is",
    "build": "build a space for --model at --address beside the active one, or go on with one",
    "compare": "ask the golden questions of a space and of the active one",
    "activate": "let a built space answer",
    "rollback": "let the space answer again that did before",
    "retire": "give a space up, with its vectors and its cache",
    "index": "make the indexes that are missing or broken",
    "golden": "keep a set of golden questions for a project",
}


class Command(BaseCommand):
    help = "Look after the spaces of vectors. " + "; ".join(
        f"{name}: {text}" for name, text in ACTIONS.items()
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=ACTIONS, nargs="?", default="list")
        parser.add_argument("what", nargs="?", default="", help="a space's id, its model, or a set")
        parser.add_argument("--model", default="", help="the model, as its server names it")
        parser.add_argument("--address", default="", help="of the server; none: the built-in model")
        parser.add_argument("--key", default="", help="the name of the variable that holds the key")
        parser.add_argument("--project", default="", help="whose golden questions these are")

    def handle(self, *args: Any, **options: Any) -> None:
        act: Callable[[dict[str, Any]], None] = getattr(self, f"_{options['action']}")
        try:
            act(options)
        except (SpaceRefused, EmbedderUnavailable, SetUnreadable, OSError) as refusal:
            raise CommandError(str(refusal)) from refusal
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error

    def _list(self, options: dict[str, Any]) -> None:
        for row in standings():
            self.stdout.write(_line(row))

    def _build(self, options: dict[str, Any]) -> None:
        if options["what"]:
            space = _find(options["what"])
            build(by=first_admin())
            self.stdout.write(f"{space}: what is missing is being embedded.")
            return
        if options["key"]:
            check_key_variable(options["key"])
        if options["address"]:
            check_address(options["address"])
            reach = Reach("compatible", options["model"], options["address"], options["key"])
        else:
            reach = Reach("minilm", built_in_model("minilm"))
        space = declare(reach, by=first_admin())
        self.stdout.write(f"{space}: being built beside the active one.")

    def _compare(self, options: dict[str, Any]) -> None:
        found = compare(_find(options["what"]))
        for name in ("hit_at_1", "hit_at_5", "hit_at_10", "mrr", "ndcg_at_10"):
            if "this" in found:
                figures = f"{found['this'][name]:.3f} {found['other'][name]:.3f}"
                self.stdout.write(f"{name.replace('_', ' '):12} {figures}")
        self.stdout.write(found["verdict"])

    def _activate(self, options: dict[str, Any]) -> None:
        space = _find(options["what"])
        activate(space, by=first_admin())
        self.stdout.write(f"{space} answers from now on.")

    def _rollback(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"{roll_back(by=first_admin())} answers again.")

    def _retire(self, options: dict[str, Any]) -> None:
        space = _find(options["what"])
        retire(space, by=first_admin())
        drop_retired()
        self.stdout.write(f"{space} was retired; its vectors are gone.")

    def _index(self, options: dict[str, Any]) -> None:
        large = index_spaces()
        for space in large:
            valid = "is valid" if vector_store().prepare(space) else "is being built elsewhere"
            self.stdout.write(f"{index_name(space)} of {space} {valid}.")
        if not large:
            self.stdout.write("No space is so large that it needs an index.")

    def _golden(self, options: dict[str, Any]) -> None:
        project = find_project(options["project"])
        questions = read_set(Path(options["what"]))
        new = keep_golden(project, questions, by=first_admin())
        self.stdout.write(
            f"{len(questions)} questions of {project.name} are kept, {new} of them new."
        )


def _find(name: str) -> EmbeddingSpace:
    """Return the space with an id that begins so, or the living one of a model."""
    spaces = EmbeddingSpace.objects.exclude(state=EmbeddingSpace.State.RETIRED)
    found = [s for s in spaces if name and (str(s.pk).startswith(name) or s.model_name == name)]
    if len(found) != 1:
        known = ", ".join(f"{s.model_name} ({str(s.pk)[:8]})" for s in spaces)
        problem = "More than one space" if found else "No space"
        raise CommandError(f"{problem} is called “{name}”. There are: {known or 'none yet'}.")
    return found[0]


def _line(row: SpaceStanding) -> str:
    space = row.space
    return (
        f"{str(space.pk)[:8]}  {space.get_state_display():20} {row.percent:3} %"
        f"  {space.tokens_used:>12,} tokens  {space}{'  ' + space.error if space.error else ''}"
    )
