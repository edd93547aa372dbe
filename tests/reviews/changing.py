"""Changes of a few files in real repositories, as the checks see them, without a night."""

from collections.abc import Collection, Mapping
from pathlib import Path

from knowledge.languages import language_of, layer_of
from projects.commits import CommitTree
from projects.companions import Companions
from projects.diffs import FileDiff, Step, diff_of, main_line
from reviews.changes import Change, ChangedFile
from reviews.inspecting import Asked, inspect
from tests.projects.repositories import Repository

Texts = Mapping[str, str | bytes]


def changed(path: Path, before: Texts, after: Texts, *, gone: Collection[str] = ()) -> Change:
    """Commit files, then what is other in them; return the second commit, inspected."""
    mirror, step = grown(path, before, after, gone=gone)
    diff = diff_of(mirror, step.sha, step.parent)
    files = [_file(one, before, after) for one in diff.files]
    paths = frozenset(name for one in diff.files for name in (one.path, one.old_path))
    return Change(step, files, CommitTree(mirror, step.sha), Companions(), paths)


def grown(
    path: Path, before: Texts, after: Texts, *, gone: Collection[str] = ()
) -> tuple[Path, Step]:
    """Commit files, then what is other in them; return the repository and its second step."""
    repository = Repository(path / "code.git", bare=True)
    removed = b"".join(b"D %s\n" % name.encode() for name in gone)
    # One run of git for both: hundreds of tests begin with this.
    repository.git("fast-import", "--quiet", stdin=_commit(before) + _commit(after) + removed)
    return repository.path, main_line(repository.path, repository.head())[-1]


def _commit(files: Texts) -> bytes:
    head = b"commit refs/heads/main\ncommitter Alice <a@example.org> 1767322800 +0000\ndata 1\nA\n"
    return head + b"".join(_put(name, text) for name, text in files.items())


def _put(name: str, text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(data), data)


def _file(diff: FileDiff, before: Texts, after: Texts) -> ChangedFile:
    file = ChangedFile(
        diff,
        language_of(diff.path),
        layer_of(diff.path),
        before.get(diff.old_path, ""),
        after.get(diff.path, ""),
        added=diff.added_lines(),
        removed=diff.removed_lines(),
    )
    asked = (file.path, file.language, file.layer, file.before, file.after, frozenset(file.added))
    file.inspection = inspect(Asked(*asked), [])
    return file
