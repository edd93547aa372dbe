"""What a night finds that the sources do not tell: undocumented code, untested modules, churn."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import PurePosixPath

from django.utils import timezone

from knowledge.gaps import Seen, bring_in_line, close_answered
from knowledge.languages import kind_of, language_of, layer_of
from knowledge.models import KnowledgeGap
from projects.commits import CommitTree
from projects.companions import companions_before
from projects.models import Source
from reviews.changes import is_product
from reviews.conventions import module_of
from reviews.inspecting import Asked
from reviews.inspectors import Inspector, inspector
from reviews.merged import reviewed_sources
from reviews.models import NightlyRun, Review

RECENT = timedelta(days=30)
MOST_FILES = 200  # of recent changes that are looked at again
FEWEST_FILES = 3  # of a module, before its lack of tests is a gap
CHURN = 12  # changes of a module, among the last steps, that deserve a document
MOST_MODULES = 30


def find_gaps(run: NightlyRun) -> int:
    """Bring a project's gaps in line with its code; return how many are new."""
    undocumented: list[Seen] = []
    untested: list[Seen] = []
    churning: list[Seen] = []
    with inspector() as lent:
        for source in reviewed_sources(run):
            tree = CommitTree(source.mirror, source.head)
            undocumented += _undocumented(source, tree, lent)
            untested += _untested(tree)
            churning += _churning(source, tree)
    kinds = KnowledgeGap.Kind
    new = 0
    for kind, seen in (
        (kinds.UNDOCUMENTED, undocumented),
        (kinds.UNTESTED, untested),
        (kinds.CHURN, churning),
    ):
        new += bring_in_line(run.project_id, kind, _worst(seen))
    close_answered(run.project)
    return new


def _worst(seen: Iterable[Seen]) -> list[Seen]:
    """Return one gap for a module, where several sources have one of that name, the worst first."""
    by_module: dict[str, Seen] = {}
    for one in sorted(seen, key=lambda one: -one.times):
        by_module.setdefault(one.module, one)
    return list(by_module.values())[:MOST_MODULES]


def _undocumented(source: Source, tree: CommitTree, lent: Inspector) -> Iterator[Seen]:
    """Yield modules with public code that changed lately and says nowhere what it is for."""
    named: dict[str, list[str]] = {}
    for path in _changed_lately(source):
        text = tree.read(path) if is_product(path) else None
        if not text:
            continue
        asked = Asked(path, language_of(path), layer_of(path), "", text, frozenset())
        for outline in lent.ask(asked).after:
            is_worth = outline.is_public and outline.end_line - outline.start_line >= 3
            if is_worth and not (outline.is_documented or outline.has_bases or outline.is_stub):
                named.setdefault(module_of(path), []).append(f"{path}: {outline.name}")
    for module, symbols in named.items():
        if len(symbols) >= 3:
            reason = f"{module} has {len(symbols)} public definitions that nobody describes."
            yield Seen(module, reason, tuple(symbols[:5]), len(symbols))


def _changed_lately(source: Source) -> list[str]:
    recent = Review.objects.filter(source=source, reviewed_at__gte=timezone.now() - RECENT)
    paths: dict[str, None] = {}
    for changed in recent.order_by("-reviewed_at").values_list("changed_paths", flat=True):
        paths.update(dict.fromkeys(changed))
        if len(paths) >= MOST_FILES:
            break
    return list(paths)[:MOST_FILES]


def _untested(tree: CommitTree) -> Iterator[Seen]:
    """Yield modules none of whose files has a test named after it, or beside it."""
    modules: dict[str, list[str]] = {}
    tested: set[str] = set()
    for path in tree.paths():
        if layer_of(path) == "test":
            tested.update(_words_of(path))
        elif is_product(path):
            modules.setdefault(module_of(path), []).append(path)
    if not tested:
        return  # a project without tests knows that
    for module, paths in modules.items():
        names = {PurePosixPath(path).stem.lower() for path in paths} - {"__init__", "index"}
        folders = set(module.lower().split("/"))
        if len(names) >= FEWEST_FILES and not (names | folders) & tested:
            reason = f"{module} has {len(paths)} files and no tests."
            yield Seen(module, reason, tuple(sorted(paths)[:5]), len(paths))


def _words_of(path: str) -> set[str]:
    """Return the names that a test's path has: of its folders, and of what it tests."""
    at = PurePosixPath(path)
    stem = at.stem.lower()
    for affix in ("test_", "tests_", "spec_"):
        stem = stem.removeprefix(affix)
    for affix in ("_test", "_tests", ".test", ".spec", "_spec", "tests", "test", "spec"):
        stem = stem.removesuffix(affix)
    return {part.lower() for part in at.parts[:-1]} | {stem}


def _churning(source: Source, tree: CommitTree) -> Iterator[Seen]:
    """Yield modules that change often and that no document names."""
    changed: dict[str, int] = {}
    for paths in companions_before(source.mirror, source.head).steps:
        for module in {module_of(path) for path in paths if is_product(path)}:
            changed[module] = changed.get(module, 0) + 1
    there = {module_of(path) for path in tree.paths()}
    busy = [name for name, times in changed.items() if times >= CHURN and name in there]
    folders = {module: module.rpartition("/")[2] for module in busy if module != "."}
    mentions = tree.mentions(set(folders.values()))
    told = [mention.text for mention in mentions if kind_of(mention.path) == "docs"]
    documented = {module_of(path) for path in tree.paths() if kind_of(path) == "docs"}
    for module, folder in folders.items():
        if module not in documented and not any(folder in text for text in told):
            reason = f"{module} changed {changed[module]} times, and no document names it."
            yield Seen(module, reason, (), changed[module])
