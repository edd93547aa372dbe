"""What people write: a title, a text, and what else is to be known of it."""

import json
from typing import Any

from django import forms

from knowledge.models import Upload
from knowledge.writing import LARGEST_TEXT, LONGEST_TITLE, WritingRefused, check_draft, version_of


class DocumentForm(forms.Form):
    title = forms.CharField(max_length=LONGEST_TITLE)
    content = forms.CharField(
        label="Text",
        max_length=LARGEST_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 22, "spellcheck": "true"}),
        help_text="Markdown. What stands between two lines of --- at the top says what it is, "
        "such as category and tags.",
    )
    metadata = forms.CharField(
        required=False,
        max_length=LARGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text='More to be known of it, as JSON: {"audience": "newcomers"}.',
    )
    # What the change began from.
    version = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    @classmethod
    def of(cls, upload: Upload) -> "DocumentForm":
        """Return the form with a document as it stands."""
        has_more = bool(upload.metadata)
        return cls(
            initial={
                "title": upload.title,
                "content": bytes(upload.content).decode(),
                "metadata": json.dumps(upload.metadata, ensure_ascii=False) if has_more else "",
                "version": version_of(upload),
            }
        )

    def clean_metadata(self) -> dict[str, Any]:
        text = self.cleaned_data["metadata"].strip()
        if not text:
            return {}
        try:
            metadata = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError("This is not JSON.") from error
        if not isinstance(metadata, dict):
            raise forms.ValidationError('Write an object, such as {"audience": "newcomers"}.')
        return metadata

    def clean(self) -> dict[str, Any]:
        """Say of each field what saving would refuse, so that a preview does too."""
        data = super().clean() or self.cleaned_data
        if {"title", "content", "metadata"} <= data.keys():
            try:
                check_draft(data["title"], data["content"], data["metadata"])
            except WritingRefused as refusal:
                self.add_error(refusal.field, refusal.sentence)
        return data

    @property
    def said(self) -> dict[str, Any]:
        """What `create_document` and `change_document` take."""
        return {name: self.cleaned_data[name] for name in ("title", "content", "metadata")}
