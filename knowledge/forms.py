"""What people may say about sources."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from projects.models import Source


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Any number of files, an empty one among them too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=ManyFilesInput(), required=False, allow_empty_file=True, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[bytes]]:
        return [super(ManyFilesField, self).clean(file) for file in data or [] if file]


class SourceForm(forms.Form):
    """A new source, by one of three ways."""

    class Way:
        URL = "url"
        PATH = "path"
        UPLOAD = "upload"
        CHOICES = (
            (URL, "A repository by its https address"),
            (PATH, "A folder on this machine"),
            (UPLOAD, "Files from your computer"),
        )

    KINDS = ((Source.Kind.CODE, "Code"), (Source.Kind.DOCS, "Documents"))

    way = forms.ChoiceField(choices=Way.CHOICES, initial=Way.URL, widget=forms.RadioSelect)
    url = forms.CharField(
        label="Address",
        required=False,
        max_length=512,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://…/team/app.git"}),
    )
    path = forms.CharField(
        label="Path",
        required=False,
        max_length=1024,
        widget=forms.TextInput(attrs={"placeholder": "/srv/repositories/app"}),
    )
    branch = forms.CharField(
        required=False,
        max_length=255,
        help_text="Empty: the one that the repository calls its own.",
    )
    folder_path = forms.CharField(
        label="Folder",
        required=False,
        max_length=512,
        help_text="Only what is under it is indexed. Empty: everything.",
    )
    kind = forms.ChoiceField(choices=KINDS, required=False, initial=Source.Kind.CODE)
    name = forms.CharField(
        required=False, max_length=255, help_text="Empty: named after where it comes from."
    )

    def source_fields(self) -> dict[str, Any]:
        """Return what `add_source` takes, with only what belongs to the chosen way."""
        data = self.cleaned_data
        if data["way"] == self.Way.UPLOAD:
            return {"name": data["name"] or "Uploaded files", "kind": Source.Kind.UPLOAD}
        origin = data[data["way"]].strip()
        name = origin.rstrip("/").rpartition("/")[2].removesuffix(".git")
        return {
            "name": data["name"] or name or "Source",
            "kind": data["kind"] or Source.Kind.CODE,
            "branch": data["branch"],
            "folder_path": data["folder_path"],
            data["way"]: origin,
        }


class SourceEditForm(forms.ModelForm[Source]):
    class Meta:
        model = Source
        fields = ("name", "description", "branch", "folder_path")
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
        }
        help_texts = {
            "branch": "Empty: the one that the repository calls its own.",
            "folder_path": "Only what is under it is indexed. Empty: everything.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.is_given:
            del self.fields["branch"], self.fields["folder_path"]


class UploadForm(forms.Form):
    """Files, or a folder; browsers send a folder's relative names beside it, one a line."""

    loose = ManyFilesField(label="Files")
    folder = ManyFilesField(label="Folder")
    paths = forms.CharField(required=False, widget=forms.HiddenInput)

    def contents(self, at_most: int) -> list[tuple[str, bytes]]:
        """Return the names with what is in them, cut one byte after the most that is taken."""
        named = [(file.name or "", file) for file in self.cleaned_data["loose"]]
        folder = self.cleaned_data["folder"]
        paths = self.cleaned_data["paths"].splitlines()
        if len(paths) != len(folder):
            paths = [file.name or "" for file in folder]
        named += zip(paths, folder, strict=True)
        return [(name, file.read(at_most + 1)) for name, file in named]
