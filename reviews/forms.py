"""Forms of a project's nights, webhooks and standards."""

from typing import Any

from django import forms

from projects.addresses import AddressRefused
from projects.patterns import PatternRefused, check_patterns
from providers.models import Provider
from reviews.delivering import check_webhook
from reviews.models import NightlyPlan, Standard
from reviews.planning import zones
from reviews.standards import StandardRefused, check_standard


class PlanForm(forms.ModelForm[NightlyPlan]):
    zone = forms.ChoiceField(label="Time zone", choices=lambda: [(name, name) for name in zones()])

    class Meta:
        model = NightlyPlan
        fields = (
            *("is_enabled", "hour", "zone", "asks_model", "provider", "commits_a_night"),
            *("tokens_a_night", "mails_digest"),
        )
        help_texts = {
            "hour": "From 0 to 23. Where the clocks change, a night begins once all the same.",
            "provider": "Empty: whoever answers questions here. Without a model, the checks run.",
            "commits_a_night": "What is left waits for the next night.",
            "tokens_a_night": "After that the checks go on without the model.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider = self.fields["provider"]
        assert isinstance(provider, forms.ModelChoiceField)
        provider.queryset = Provider.objects.usable().order_by("provider_name", "model_name")
        provider.empty_label = "The default"


class WebhookForm(forms.Form):
    url = forms.CharField(
        label="Address",
        max_length=512,
        widget=forms.URLInput(attrs={"placeholder": "https://…", "autocomplete": "off"}),
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        try:
            check_webhook(url)
        except AddressRefused as refusal:
            raise forms.ValidationError(refusal.message) from refusal
        return url


class StandardForm(forms.ModelForm[Standard]):
    """A standard; of one that a repository holds, only its check can be said here."""

    tags = forms.CharField(required=False, help_text="Apart by commas.")

    class Meta:
        model = Standard
        fields = (
            *("title", "category", "tags", "text", "check_kind", "check_rule", "files"),
            *("severity", "is_enabled"),
        )
        widgets = {
            "text": forms.Textarea(attrs={"rows": 6}),
            "check_rule": forms.Textarea(attrs={"rows": 6, "class": "mono", "spellcheck": "false"}),
            "files": forms.Textarea(attrs={"rows": 2, "class": "mono", "spellcheck": "false"}),
        }
        labels = {"is_enabled": "In force"}
        help_texts = {
            "check_kind": "With a check, changes are held against it every night.",
            "check_rule": "A regular expression for lines, codes of ruff (D103, ANN), or a rule"
            " over the syntax tree by language. The help describes each.",
            "files": "Globs as in .gitignore, one a line. Empty: every file.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["tags"] = ", ".join(self.instance.tags)
        if self.instance.origin == Standard.Origin.REPOSITORY:
            for name in ("title", "category", "tags", "text"):
                del self.fields[name]

    def clean_tags(self) -> list[str]:
        said: str = self.cleaned_data["tags"]
        return [tag.strip()[:60] for tag in said.split(",") if tag.strip()][:20]

    def clean_files(self) -> str:
        try:
            return check_patterns(self.cleaned_data["files"])
        except PatternRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        asked = Standard(
            title=data.get("title") or self.instance.title,
            check_kind=data.get("check_kind", ""),
            check_rule=data.get("check_rule", ""),
        )
        if asked.check_kind and asked.check_rule.strip():
            try:
                check_standard(asked)
            except StandardRefused as refusal:
                self.add_error("check_rule", str(refusal))
        return data
