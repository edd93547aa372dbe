"""What an evaluation says: a set of questions in several ways of searching, beside each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from knowledge.evaluation import NAMES, Figures, Outcome, summarise, summarise_chunks
from knowledge.measuring import Run, marks_of
from knowledge.verdicts import Verdict, judge_runs


@dataclass(slots=True)
class Report:
    """One set, or several pooled: the usual way, and baselines on the same questions in order."""

    name: str
    project: str
    usual: Run
    baselines: Mapping[str, Run] = field(default_factory=dict)

    def verdict(self, name: str) -> Verdict:
        """Say how the usual way did against a baseline, question by question."""
        return judge_runs(marks_of(self.usual.outcomes), marks_of(self.baselines[name].outcomes))

    def as_dict(self, *, with_outcomes: bool = True) -> dict[str, Any]:
        """Return the report for programs; docs/search.md says what each field is."""
        said = {
            "set": self.name,
            "project": self.project,
            **_figures(self.usual.outcomes),
            "baselines": {name: self._of_baseline(name, with_outcomes) for name in self.baselines},
            "notes": self.usual.notes,
            "seconds": round(self.usual.seconds, 3),
        }
        if with_outcomes:
            said["outcomes"] = [outcome.as_dict() for outcome in self.usual.outcomes]
        return said

    def _of_baseline(self, name: str, with_outcomes: bool) -> dict[str, Any]:
        run, verdict = self.baselines[name], self.verdict(name)
        said = {
            **_figures(run.outcomes),
            "verdict": str(verdict.word),
            "difference": {
                "mrr": verdict.mrr.as_dict(),
                "ndcg_at_10": verdict.ndcg_at_10.as_dict(),
            },
        }
        if with_outcomes:
            said["outcomes"] = [outcome.as_dict() for outcome in run.outcomes]
        return said

    def lines(self, *, with_chunks: bool = False) -> Iterator[str]:
        """Yield the report for people: a line for each figure, a column for each way."""
        runs = {"usual": self.usual, **self.baselines}
        if self.baselines:
            yield f"{'':15}" + "".join(f"{name:9}" for name in runs).rstrip()
        yield f"{'questions':15}{len(self.usual.outcomes)}"
        yield from _table([run.by_file for run in runs.values()])
        if with_chunks:
            yield "by chunk"
            yield from _table([run.by_chunk for run in runs.values()])
        for name in self.baselines:
            verdict = self.verdict(name)
            yield f"against {name}: {verdict.word}"
            yield f"  MRR {verdict.mrr}, nDCG@10 {verdict.ndcg_at_10}"


def pooled(reports: Sequence[Report]) -> Report:
    """Return all questions of several sets as one; each question counts the same."""
    names = reports[0].baselines
    return Report(
        name="pooled",
        project="",
        usual=_joined([report.usual for report in reports]),
        baselines={name: _joined([report.baselines[name] for report in reports]) for name in names},
    )


def _joined(runs: Sequence[Run]) -> Run:
    return Run(
        method=runs[0].method,
        outcomes=[outcome for run in runs for outcome in run.outcomes],
        notes=list(dict.fromkeys(note for run in runs for note in run.notes)),
        seconds=sum(run.seconds for run in runs),
    )


def _figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {**summarise(outcomes).as_dict(), "by_chunk": summarise_chunks(outcomes).as_dict()}


def _table(columns: Sequence[Figures]) -> Iterator[str]:
    for name in NAMES:
        values = "".join(f"{getattr(figures, name):<9.3f}" for figures in columns)
        yield f"{name.replace('_', ' '):15}{values}".rstrip()
