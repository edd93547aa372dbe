"""Whole syncs as a worker runs them: a first one, and then what changes cost beside it."""

from pathlib import Path

from bench import corpora
from bench.measuring import Span, clocked, memory_of_tree, rate, show
from knowledge.models import Chunk, Document
from projects import jobs
from projects.models import Job, Project, Source

RENAMED = 500
HEAD = ("what", "seconds", "of the first", "files", "files/s", "chunks/s", "MB above idle")


def sync(source: Source, *, with_memory: bool = False) -> Span:
    """Run a sync as a worker does, without the embedding behind it."""
    Source.objects.filter(pk=source.pk).update(may_shrink=True)
    job = jobs.enqueue(source)
    idle = memory_of_tree() if with_memory else 0.0
    with clocked(with_memory=with_memory) as span:
        jobs.run_next(job.pk)
    span.megabytes = max(0.0, span.megabytes - idle)
    job.refresh_from_db()
    if job.state != Job.State.DONE:
        raise SystemExit(f"The sync of {source} ended as {job.state}: {job.error}")
    return span


def show_tree(repository: Path, project: Project, work: Path) -> None:
    """Index a tree whole, then what small and wide changes of it cost."""
    bare = corpora.copy_at(repository, corpora.head(repository), work / f"{repository.name}.git")
    source = add(project, repository.name, bare)
    first = sync(source, with_memory=True)
    rows = [HEAD, _row("first sync, whole", first, first, _files(source), _chunks(source))]
    rows += _small_changes(source, bare, first)
    show(f"Until words are searchable: {repository.name}", rows)


def show_history(repository: Path, project: Project, work: Path) -> None:
    """Follow the releases of a history, one merge after the other."""
    releases = corpora.releases(repository)
    bare = corpora.copy_at(repository, releases[0], work / f"{repository.name}.git")
    source = add(project, repository.name, bare)
    first = sync(source, with_memory=True)
    rows = [HEAD, _row("first release, whole", first, first, _files(source), _chunks(source))]
    for number, commit in enumerate(releases[1:], 2):
        corpora.move(bare, commit)
        rows.append(_change(f"release {number}, a merge", source, first))
    rows += _small_changes(source, bare, first)
    show(f"What changes cost: {repository.name}", rows)


def _small_changes(source: Source, bare: Path, first: Span) -> list[tuple[str, ...]]:
    corpora.change_two_files(bare)
    two = _change("a commit of two files", source, first)
    same = _row("nothing changed", sync(source), first, 0, 0)
    known = set(_bodies(source))
    _, count = corpora.rename_many(bare, RENAMED)
    renames = _change(f"a rename of {count} files", source, first)
    new = len(set(_bodies(source)) - known)
    return [two, same, (f"{renames[0]}, {new} bodies to embed", *renames[1:])]


def _change(name: str, source: Source, first: Span) -> tuple[str, ...]:
    before = _stamps(source)
    span = sync(source)
    return _row(name, span, first, *_changed(source, before))


def _bodies(source: Source) -> list[bytes]:
    rows = Chunk.objects.filter(document__source=source).values_list("body_hash", flat=True)
    return [bytes(body) for body in rows]


def add(project: Project, name: str, repository: Path) -> Source:
    Source.objects.filter(project=project, name=name).delete()
    return Source.objects.create(
        project=project, name=name, path=str(repository), path_is_trusted=True
    )


def _stamps(source: Source) -> dict[str, object]:
    return dict(Document.objects.filter(source=source).values_list("path", "updated_at"))


def _changed(source: Source, before: dict[str, object]) -> tuple[int, int]:
    """Return how many files a sync touched, and the passages that it wrote for them."""
    after = _stamps(source)
    touched = [path for path, stamp in after.items() if before.get(path) != stamp]
    chunks = Chunk.objects.filter(document__source=source, document__path__in=touched).count()
    return len(touched) + len(set(before) - set(after)), chunks


def _files(source: Source) -> int:
    return Document.objects.filter(source=source).count()


def _chunks(source: Source) -> int:
    return Chunk.objects.filter(document__source=source).count()


def _row(name: str, span: Span, first: Span, files: int, chunks: int) -> tuple[str, ...]:
    return (
        name,
        f"{span.seconds:.2f}",
        f"{span.seconds / first.seconds:.3f}",
        f"{files:,}",
        rate(files, span.seconds),
        rate(chunks, span.seconds),
        f"{span.megabytes:.0f}" if span.megabytes else "",
    )
