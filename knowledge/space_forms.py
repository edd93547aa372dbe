"""What admins may say about spaces of vectors."""

from typing import Any

from django import forms
from django.conf import settings

from knowledge.models import EmbeddingSpace
from providers.embedding import Reach, built_in_model
from providers.server_rules import check_address, check_key_variable

ADAPTER_NAMES = {
    "compatible": "A server that speaks the OpenAI API",
    "minilm": "The built-in model, without a network",
}


def adapters() -> list[tuple[str, str]]:
    return [(name, ADAPTER_NAMES.get(name, name)) for name in reversed(settings.EMBEDDERS)]


class LimitsForm(forms.ModelForm[EmbeddingSpace]):
    """How a model may be asked, and what it costs."""

    key_variable = forms.CharField(
        label="Variable of the key",
        max_length=100,
        required=False,
        validators=[check_key_variable],
        help_text="The name of an environment variable, such as OPENAI_API_KEY; never the key.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    texts_at_once = forms.IntegerField(
        label="Texts in a request", min_value=1, max_value=2048, initial=64
    )
    token_budget = forms.IntegerField(
        min_value=0,
        max_value=10**15,
        required=False,
        help_text="Building stops when it is used up, and goes on when it is raised.",
    )
    usd_per_million = forms.DecimalField(
        label="US dollars a million tokens",
        min_value=0,
        max_digits=12,
        decimal_places=6,
        required=False,
        help_text="Without it the cost is shown as not known.",
    )

    class Meta:
        model = EmbeddingSpace
        fields = (
            "key_variable",
            "texts_at_once",
            "requests_per_minute",
            "tokens_per_minute",
            "token_budget",
            "usd_per_million",
            "weight",
        )
        help_texts = {
            "weight": "How much meaning counts beside words, from 0 to 1.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("requests_per_minute", "tokens_per_minute"):
            self.fields[name].widget.attrs["min"] = 1
        if self.instance.model_name and not self.instance.base_url:
            for name in set(self.fields) - {"weight"}:
                del self.fields[name]


class SpaceForm(LimitsForm):
    """A model to build a space of."""

    adapter = forms.ChoiceField(label="Where is the model?", choices=adapters, initial="compatible")
    model_name = forms.CharField(label="Model", max_length=255, required=False)
    base_url = forms.CharField(
        label="Address",
        max_length=512,
        required=False,
        validators=[check_address],
        help_text="Up to what stands before /embeddings.",
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://…/v1"}),
    )
    query_prefix = forms.CharField(
        label="Before a question",
        max_length=255,
        required=False,
        strip=False,
        help_text="Some models want “query: ” here, with the space at its end.",
    )
    document_prefix = forms.CharField(
        label="Before a document",
        max_length=255,
        required=False,
        strip=False,
        help_text="And “passage: ” here.",
    )
    takes_over = forms.BooleanField(
        label="Use it as soon as it is built", required=False, initial=False
    )
    weight = forms.FloatField(
        min_value=0,
        max_value=1,
        required=False,
        help_text="How much meaning counts beside words, from 0 to 1. Empty: what suits the kind.",
    )
    field_order = (
        *("adapter", "model_name", "base_url", "key_variable", "query_prefix", "document_prefix"),
        *("texts_at_once", "requests_per_minute", "tokens_per_minute", "token_budget"),
        *("usd_per_million", "weight", "takes_over"),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not built_in_model(data.get("adapter", "")):
            for name in ("model_name", "base_url"):
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, "Needed for a model on a server.")
        return data

    def reach(self) -> Reach:
        """Return how the model is reached; of a built-in one nothing is asked."""
        data = self.cleaned_data
        if built_in := built_in_model(data["adapter"]):
            return Reach(data["adapter"], built_in)
        names = ("model_name", "base_url", "key_variable", "query_prefix", "document_prefix")
        return Reach(data["adapter"], **{name: data[name] for name in names})

    def limits(self) -> dict[str, Any]:
        names = set(LimitsForm.Meta.fields) - {"key_variable"}
        return {name: self.cleaned_data[name] for name in names}
