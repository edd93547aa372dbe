"""How fast vectors are filled in, beside the bare embedder on the same texts."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import syncs
from bench.measuring import Span, clocked, rate, show
from knowledge import spaces
from knowledge.models import Chunk, EmbeddedText, EmbeddingSpace, Vector
from projects import jobs
from projects.models import Job, Project, Source
from providers.embedding import Effort, Reach, embedder

HEAD = ("what", "seconds", "texts/s", "chunks/s", "against the floor")
FOLDER = "src"


def show_vectors(repository: Path, tree: Path, project: Project) -> None:
    """Embed one package with the built-in model, and a whole tree with an endpoint of 20 ms."""
    source = syncs.add(project, "vectors", repository)
    Source.objects.filter(pk=source.pk).update(folder_path=FOLDER)
    source.refresh_from_db()
    syncs.sync(source)
    space = spaces.follow_environment()
    if space is None:
        raise SystemExit("There is no space to embed into.")
    show(
        f"Vectors: {repository.name}, {FOLDER}/, {space}", _beside_the_bare_embedder(source, space)
    )
    large = syncs.add(project, "many vectors", tree)
    syncs.sync(large)
    with _endpoint() as address:
        rows = _through_an_endpoint(large, address)
    show(f"Vectors: {tree.name}, an endpoint that takes 20 ms a request", rows)


def _beside_the_bare_embedder(source: Source, space: EmbeddingSpace) -> list[tuple[str, ...]]:
    chunks = list(Chunk.objects.filter(document__source=source))
    texts = sorted({text for c in chunks for text in (c.chunk_text, c.header)}, key=len)
    model = embedder(spaces.reach_of(space))
    model.embed(texts[:8], Effort())  # loads the weights
    with clocked() as bare:
        model.embed(texts, Effort())
    EmbeddedText.objects.filter(space=space).delete()
    Vector.objects.filter(chunk__in=chunks).delete()
    ours = _embed(source)
    again = _embed(source)
    share = f"{bare.seconds / ours.seconds:.1%} of its speed"
    return [
        HEAD,
        _row("the bare embedder, the same texts", bare, len(texts), len(chunks), "floor"),
        _row("embedding as a worker does", ours, len(texts), len(chunks), share),
        _row("again, nothing to embed", again, 0, 0, ""),
    ]


def _through_an_endpoint(source: Source, address: str) -> list[tuple[str, ...]]:
    reach = Reach("compatible", "stub", base_url=address)
    space = spaces.declare(reach)
    try:
        others = EmbeddingSpace.objects.exclude(pk=space.pk)
        states = dict(others.values_list("pk", "state"))
        others.update(state=EmbeddingSpace.State.RETIRED)
        span = _embed(source)
        for pk, state in states.items():
            EmbeddingSpace.objects.filter(pk=pk).update(state=state)
        chunks = Vector.objects.filter(space=space).count()
        texts = EmbeddedText.objects.filter(space=space).count()
    finally:
        spaces.retire(space)
        spaces.drop_retired()
        space.delete()
    return [HEAD, _row("embedding as a worker does", span, texts, chunks, "")]


def _embed(source: Source) -> Span:
    job = jobs.enqueue(source, Job.Kind.EMBED)
    with clocked() as span:
        jobs.run_next(job.pk)
    job.refresh_from_db()
    if job.state != Job.State.DONE:
        raise SystemExit(f"Embedding {source} ended as {job.state}: {job.error}")
    return span


@contextmanager
def _endpoint() -> Iterator[str]:
    command = [sys.executable, "-m", "bench.endpoint"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def _row(name: str, span: Span, texts: int, chunks: int, against: str) -> tuple[str, ...]:
    paces = (rate(texts, span.seconds), rate(chunks, span.seconds)) if texts else ("", "")
    return (name, f"{span.seconds:.2f}", *paces, against)
