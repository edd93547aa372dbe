"""What people may say about projects, their members and keys."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.utils import timezone

from accounts.models import ApiKey
from accounts.viewers import Viewer
from projects.models import Membership, Project


class ProjectForm(forms.ModelForm[Project]):
    repository_url = forms.URLField(
        label="Home page of the repository",
        required=False,
        max_length=512,
        assume_scheme="https",
        help_text="For people to follow. What is indexed is said under Sources.",
    )

    class Meta:
        model = Project
        fields = ("name", "description", "repository_url", "default_branch")
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "name": "Names are unique here, across all projects.",
        }


class NewProjectForm(forms.ModelForm[Project]):
    class Meta:
        model = Project
        fields = ("name", "description")
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts = {"name": "Names are unique here, across all projects."}


class MemberForm(forms.Form):
    username = forms.CharField(max_length=50)
    role = forms.ChoiceField(choices=Membership.Role, initial=Membership.Role.VIEWER)


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Membership.Role)


class ConfirmForm(forms.Form):
    """Asks for the name of what will be gone."""

    name = forms.CharField(max_length=255, label="Type the name to confirm")

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if name != self.expected.strip():
            raise forms.ValidationError("This is not the name.")
        return name


class ApiKeyForm(forms.Form):
    LIFETIMES = (("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "never"))

    name = forms.CharField(max_length=100, help_text="What will use it: “CI”, “my editor”.")
    scopes = forms.MultipleChoiceField(
        choices=ApiKey.Scope.choices,
        initial=[ApiKey.Scope.READ, ApiKey.Scope.ASK],
        widget=forms.CheckboxSelectMultiple,
    )
    lifetime = forms.ChoiceField(
        choices=LIFETIMES, initial="90", required=False, label="Expires after"
    )
    projects = forms.ModelMultipleChoiceField(
        queryset=Project.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Only these projects",
        help_text="None ticked: all projects that you belong to, now and later.",
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ModelMultipleChoiceField[Project]", self.fields["projects"])
        field.queryset = Project.objects.visible_to(viewer).order_by("name")

    def clean_lifetime(self) -> Any:
        days = self.cleaned_data["lifetime"]
        return timezone.now() + timedelta(days=int(days)) if days else None
