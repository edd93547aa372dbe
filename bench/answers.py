"""What an answer takes that no model writes: the platform's own share of every answer."""

import json
from collections.abc import Sequence
from time import perf_counter

from bench.load import Door
from bench.measuring import show
from bench.timing import HEAD, WARMING, row
from projects.models import Project

FIRST_WORD = b"event: token"


def show_answers(door: Door, project: Project, questions: Sequence[str]) -> None:
    whole = [_time(door, project, question, stream=False) for question in questions]
    first = [_time(door, project, question, stream=True) for question in questions]
    rows = [HEAD]
    rows.append(row("an answer without a model, whole", whole[WARMING:], goal="p95 200"))
    rows.append(row("until its first word", first[WARMING:], goal="80 / 180"))
    show("Answers over HTTP", rows)


def _time(door: Door, project: Project, question: str, *, stream: bool) -> float:
    """Return the milliseconds until the answer, or its first word, is here."""
    client = door.connect()
    begun = door.send(client, "/api/v1/conversations", given={"project": str(project.pk)})
    conversation = json.loads(begun.read())["id"]
    started = perf_counter()
    answer = door.send(
        client,
        f"/api/v1/conversations/{conversation}/ask",
        given={"question": question, "stream": stream},
    )
    if stream:
        while (line := answer.readline()) and not line.startswith(FIRST_WORD):
            pass
        spent = perf_counter() - started
        assert line, "The answer ended without a word."
        answer.read()
    else:
        answer.read()
        spent = perf_counter() - started
        assert answer.status == 200, answer.status
    client.close()
    return spent * 1000
