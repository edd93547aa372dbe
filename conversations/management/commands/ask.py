"""`manage.py ask "…" --project P`: an answer with its citations, on a terminal."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations import asking
from conversations.exporting import citation_line, freshness_line
from conversations.finishing import answer_now
from conversations.models import Message
from projects.operators import find_project, operator_of


class Command(BaseCommand):
    help = "Ask about a project; works without a worker and without the web."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("question")
        parser.add_argument("--project", required=True)
        parser.add_argument("--json", action="store_true", help="print one object")

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        if not options["question"].strip():
            raise CommandError("Ask something.")
        conversation = asking.begin(operator_of(project), project)
        try:
            answer = answer_now(asking.ask(conversation, options["question"]))
        except asking.QuestionRefused as refusal:
            conversation.delete()
            raise CommandError(str(refusal)) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(_as_object(answer), indent=1))
        else:
            self._print(answer)
        if answer.state != Message.State.COMPLETE:
            raise CommandError(answer.error or f"The answer is {answer.state}.")

    def _print(self, answer: Message) -> None:
        self.stdout.write(answer.content)
        if answer.sources:
            self.stdout.write("")
        for source in answer.sources or []:
            self.stdout.write(citation_line(source))
        for line in (answer.note, freshness_line(answer.indexed) if answer.indexed else ""):
            if line:
                self.stderr.write(line)


def _as_object(answer: Message) -> dict[str, Any]:
    return {
        "answer": answer.content,
        "state": answer.state,
        "note": answer.note,
        "error": answer.error,
        "conversation": str(answer.conversation_id),
        "sources": answer.sources or [],
    }
