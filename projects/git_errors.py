"""What can go wrong when a repository is read, in sentences for the person who added it."""

import re
import signal


class GitError(Exception):
    """A repository could not be read; `message` is a sentence for the person who added it."""

    sentence = "Git could not finish the work."

    def __init__(self, message: str = "", *, detail: str = "") -> None:
        self.message = message or self.sentence
        self.detail = detail  # for logs: what git said, without addresses and paths
        super().__init__(self.message)


class GitMissing(GitError):
    sentence = "The git program was not found; install git 2.31 or newer."


class RepositoryUnreachable(GitError):
    sentence = "The server could not be reached. Try again later."


class AccessDenied(GitError):
    sentence = "The server refused access; a private repository needs a token for its host."


class RepositoryMissing(GitError):
    sentence = "There is no repository at this address, or the token may not see it."


class BranchMissing(GitError):
    sentence = "The repository has no such branch."


class FolderMissing(GitError):
    sentence = "The repository has no such folder."


class RepositoryRefused(GitError):
    sentence = "The repository holds something that is not safe to read."


class RepositoryDamaged(GitError):
    sentence = "The repository is damaged or incomplete; `git fsck` may say more."


class RepositoryBusy(GitError):
    sentence = "Another sync of this repository is still running."


class SyncCancelled(GitError):
    sentence = "The sync was cancelled."


class LimitReached(GitError):
    sentence = "The repository is larger than the configured limits."

    def __init__(self, limit: str, message: str = "", *, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.limit = limit


_DAMAGED = (
    "bad object|bad tree|corrupt|did not send all necessary objects|does not point to a valid"
    "|index-pack failed|inflate|invalid index-pack|missing (blob|commit|object|tree)|not a git repo"
    "|not a valid object|nonexistent object|remote did not send|unable to (parse|read) "
)
_EXPLANATIONS: tuple[tuple[str, type[GitError], str], ...] = (
    (
        r"dubious ownership",
        RepositoryRefused,
        "The repository belongs to another user.",
    ),
    (
        r"returned error: 3\d\d|unable to update url base from redirection",
        RepositoryRefused,
        "The server redirects to another address; use the address that it leads to.",
    ),
    (
        r"Authentication failed|could not read (Username|Password)|returned error: 40[13]",
        AccessDenied,
        "",
    ),
    (
        r"returned error: 4(04|10)|repository '.*' not found|HTTP 404",
        RepositoryMissing,
        "",
    ),
    (r"couldn't find remote ref|no such ref was fetched", BranchMissing, ""),
    (
        r"certificate|SSL|TLS",
        RepositoryUnreachable,
        "The server's certificate could not be verified.",
    ),
    (
        r"Could not resolve host|Failed to connect|Couldn't connect|Connection (refused|timed out)"
        r"|returned error: [45]\d\d|Empty reply",
        RepositoryUnreachable,
        "",
    ),
    (
        r"RPC failed|early EOF|unexpected disconnect|Connection reset|Recv failure|hung up"
        r"|transfer closed",
        RepositoryUnreachable,
        "The connection to the server broke off. Try again later.",
    ),
    (r"bad pack header", RepositoryDamaged, ""),
    (
        r"not valid: is this a git repository|invalid server response|protocol error|bad line"
        r"|unexpected (flush|response)",
        RepositoryMissing,
        "What answers at this address is not a git repository.",
    ),
    (r"unable to access '[a-z]+://", RepositoryUnreachable, ""),
    (
        r"bad config|unable to access|Unable to read",
        RepositoryDamaged,
        "The repository's configuration cannot be read.",
    ),
    (r"No space left on device", GitError, "The disk is full."),
    (_DAMAGED, RepositoryDamaged, ""),
)
_STOPPED: tuple[tuple[str, str, str], ...] = (
    (
        "speed",
        r"Operation too slow|less than \d+ bytes/sec",
        "The server sent next to nothing.",
    ),
    ("size", r"File too large|signal 25|pack exceeds maximum", ""),
    ("memory", r"[Oo]ut of memory|mmap failed|malloc|Cannot allocate|signal 11", ""),
)
_FAULT = re.compile(r"\b[0-9a-f]{40,64}: ([a-z][A-Za-z]+): ")
_UNSAFE_FAULT = re.compile(r"(?m)^(?:fatal|error):.*[0-9a-f]{40,64}: ([a-z][A-Za-z]+): ")


def explain(said: str, code: int) -> GitError:
    """Return the error for what git said, in a sentence that names no address and no path."""
    detail = scrub(said)
    for limit, pattern, message in _STOPPED:
        if re.search(pattern, said):
            return LimitReached(limit, message, detail=detail)
    fault = _UNSAFE_FAULT.search(said)
    if fault:
        message = f"The repository holds entries that git refuses as unsafe ({fault[1]})."
        return RepositoryRefused(message, detail=detail)
    for pattern, error, message in _EXPLANATIONS:
        if re.search(pattern, said):
            return error(message, detail=detail)
    if code in {-signal.SIGXFSZ, 128 + signal.SIGXFSZ}:
        return LimitReached("size", detail=detail)
    return GitError(detail=detail)


def scrub(text: str) -> str:
    """Return the text without addresses, credentials and paths of this machine."""
    text = re.sub(r"[A-Za-z][A-Za-z0-9+.-]*://\S+", "<address>", text)
    text = re.sub(
        r"(?i)(authorization|basic|bearer)[: ]+(basic |bearer )?\S+", r"\1 <secret>", text
    )
    text = re.sub(r"(?<![\w<])/[^\s'\":]+", "<path>", text)
    return "".join(c for c in text if c.isprintable() or c == "\n")[-2000:]
