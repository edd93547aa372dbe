"""What people say of golden questions: one at a time, or a whole set."""

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from knowledge.golden_models import GoldenQuestion
from knowledge.golden_questions import LONGEST_NOTE, LONGEST_QUERY, as_golden
from knowledge.golden_sets import Golden, Passage, SetUnreadable, parse_set

LARGEST_SET = 2_000_000
LINES_AT_END = re.compile(r"^(?P<path>.+):(?P<start>\d{1,7})(?:-(?P<end>\d{1,7}))?$")


class GoldenForm(forms.Form):
    query = forms.CharField(
        label="Question", max_length=LONGEST_QUERY, widget=forms.Textarea(attrs={"rows": 2})
    )
    relevant = forms.CharField(
        label="Answered by",
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="The paths of the files that answer it, one a line. Lines may be told: "
        "src/jobs.py:10-42.",
    )
    note = forms.CharField(
        required=False, max_length=LONGEST_NOTE, help_text="Why it is asked, or who asks it."
    )

    @classmethod
    def of(cls, row: GoldenQuestion) -> "GoldenForm":
        """Return the form with a question as it stands."""
        relevant = "\n".join(written(as_golden(row).passages))
        return cls(initial={"query": row.query, "relevant": relevant, "note": row.note})

    def clean_relevant(self) -> list[Passage]:
        lines = [line.strip() for line in self.cleaned_data["relevant"].splitlines()]
        return [_passage(line) for line in lines if line]


class SetForm(forms.Form):
    file = forms.FileField(label="A set of questions")

    def clean_file(self) -> list[Golden]:
        sent: UploadedFile[Any] = self.cleaned_data["file"]
        if (sent.size or 0) > LARGEST_SET:
            raise forms.ValidationError("A set has at most 2 MB.")
        try:
            return parse_set(sent.read().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise forms.ValidationError("The set is not text in UTF-8.") from error
        except SetUnreadable as error:
            raise forms.ValidationError(str(error)) from error


def written(passages: Iterable[Passage]) -> list[str]:
    """Return passages as people write them: a path, with the lines where they are told."""
    return [
        f"{one.path}:{one.start_line}-{one.end_line}" if one.has_lines else one.path
        for one in passages
    ]


def _passage(line: str) -> Passage:
    told = LINES_AT_END.match(line)
    if told is None:
        return Passage(line)
    start = int(told["start"])
    end = int(told["end"] or start)
    if not 1 <= start <= end:
        raise forms.ValidationError(f"{line}: lines go from a first to a last one.")
    return Passage(told["path"], start, end)
