"""What people may say about sources."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from projects.models import Source
from projects.sourcing import COLLECTIONS, LONGEST_POLL

READING = ("include", "exclude", "collection", "poll_minutes")
COLLECTION_CHOICES = (
    ("", "Each file's own: its front matter, folder or kind decides"),
    *((name, name) for name in COLLECTIONS),
)
BRANCH_HELP = "Empty: the one that the repository calls its own."
FOLDER_HELP = "Only what is under it is indexed. Empty: everything."
_PATTERNS = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "patterns"})


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Any number of files, an empty one among them too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=ManyFilesInput(), required=False, allow_empty_file=True, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[bytes]]:
        return [super(ManyFilesField, self).clean(file) for file in data or [] if file]


class ReadingForm(forms.Form):
    """Which files of a source are read, as what, and how often is looked for new ones."""

    include = forms.CharField(
        label="Only these files",
        required=False,
        widget=_PATTERNS,
        help_text="Patterns as in .gitignore, one a line, such as docs/ or *.md. Empty: all.",
    )
    exclude = forms.CharField(
        label="Not these files",
        required=False,
        widget=_PATTERNS,
        help_text="Beside what a .nightowlignore file in the repository names.",
    )
    collection = forms.ChoiceField(choices=COLLECTION_CHOICES, required=False)
    poll_minutes = forms.IntegerField(
        label="Look for changes every … minutes",
        required=False,
        min_value=0,
        max_value=LONGEST_POLL,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[
            "poll_minutes"
        ].help_text = f"Empty: every {settings.POLL_MINUTES}. 0: never, only when somebody asks."


class SourceForm(ReadingForm):
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
    branch = forms.CharField(required=False, max_length=255, help_text=BRANCH_HELP)
    folder_path = forms.CharField(
        label="Folder",
        required=False,
        max_length=512,
        help_text=FOLDER_HELP,
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
            **{name: data[name] for name in READING},
        }


class SourceEditForm(ReadingForm, forms.ModelForm[Source]):
    field_order = ("name", "description", "branch", "folder_path", *READING)

    class Meta:
        model = Source
        fields = ("name", "description", "branch", "folder_path", *READING)
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
        }
        help_texts = {"branch": BRANCH_HELP, "folder_path": FOLDER_HELP}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.is_given:
            for name in ("branch", "folder_path", "include", "exclude", "poll_minutes"):
                del self.fields[name]


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
