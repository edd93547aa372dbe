"""Which files of a source are read: what its owner asked for, and what no index should hold."""

from knowledge import languages
from projects.patterns import lenient_spec

IGNORE_FILE = ".nightowlignore"

# What the content of a file told: it is told again only when the content changes.
CONTENT_REASONS = frozenset({"binary", "generated"})


class Selection:
    """Says of each file why it is not read, if it is not."""

    def __init__(
        self, *, include: str = "", exclude: str = "", ignored: str = "", largest: int
    ) -> None:
        self._include = lenient_spec(include)
        self._exclude = lenient_spec(exclude)
        self._ignored = lenient_spec(ignored)
        self._largest = largest

    def reason_to_skip(self, path: str, kind: str, size: int | None) -> str:
        """Return why a file is not read; nothing when it is."""
        if kind == "symlink":
            return "not a file: symbolic link"
        if kind == "submodule":
            return "not a file: submodule"
        reasons = (
            (self._include and not self._include.match_file(path), "not among what to include"),
            (self._exclude and self._exclude.match_file(path), "excluded in the settings"),
            (self._ignored and self._ignored.match_file(path), f"ignored by {IGNORE_FILE}"),
        )
        chosen = next((reason for applies, reason in reasons if applies), "")
        by_path = chosen or languages.skip_reason(path)
        return by_path or ("too large" if (size or 0) > self._largest else "")
