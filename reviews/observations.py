"""What a check says of a change, before anybody weighed it: a claim about lines, with evidence."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["info", "warning", "critical"]
Category = Literal[
    "convention", "bug", "security", "pattern", "architecture", "performance", "test"
]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
CATEGORIES: tuple[Category, ...] = (
    *("convention", "bug", "security", "pattern", "architecture", "performance", "test"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A claim about lines of a file, as the file stands after the change; lines count from 1."""

    rule: str  # who says it: "nightowl/swallowed-error", "ruff/S602", "standard/…", "model"
    severity: Severity
    category: Category
    path: str
    start_line: int
    end_line: int
    claim: str  # one sentence
    quote: str = ""  # the lines themselves
    evidence: str = ""  # why it is so
    reference: str = ""  # the rule or document that says it should not be
    confidence: float = 0.7  # 0-1
    patch: str = ""  # what would stand there instead, as a unified diff
    left: tuple[str, ...] = ()  # files that should have changed with it: it is fixed once one does
    model_name: str = ""
    prompt_version: str = ""
    is_suppressed: bool = False  # a comment in the code says that it is meant

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
