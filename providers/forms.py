"""What admins may say about a model that answers."""

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS

from providers.compatible import (
    PATIENCE,
    USUAL_ADDRESS,
    USUAL_KEY_VARIABLE,
    USUAL_MAX_TOKENS,
)
from providers.models import CONFIG_BOUNDS, CONFIG_KEYS, Provider
from providers.server_rules import KEY_VARIABLE, check_address, check_key_variable

KINDS = [choice for choice in Provider.Name.choices if choice[0] != Provider.Name.OFFLINE]


class VariableInput(forms.TextInput):
    """Does not give back what is no name of a variable: it could be the key itself."""

    def format_value(self, value: Any) -> str | None:
        is_name = KEY_VARIABLE.fullmatch(str(value))
        shown: str | None = super().format_value(value if is_name else "")
        return shown


def _within(name: str) -> dict[str, Any]:
    least, most = CONFIG_BOUNDS[name]
    return {"min_value": least, "max_value": most, "required": False}


class ProviderForm(forms.ModelForm[Provider]):
    provider_name = forms.ChoiceField(
        label="Kind",
        choices=KINDS,
        help_text="Any server that speaks the OpenAI API is of the first.",
    )
    base_url = forms.CharField(
        label="Address",
        max_length=512,
        required=False,
        validators=[check_address],
        help_text="Up to what stands before /chat/completions. Empty: the usual one of the kind.",
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://…/v1"}),
    )
    api_key_variable = forms.CharField(
        label="Variable of the key",
        max_length=100,
        required=False,
        validators=[check_key_variable],
        help_text="The name of an environment variable, such as OPENAI_API_KEY; never the key."
        " Empty: the usual one of the kind.",
        widget=VariableInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    temperature = forms.FloatField(
        **_within("temperature"),
        help_text="From 0, always the likeliest word, to 2. Empty: 0.2.",
    )
    max_tokens = forms.IntegerField(
        **_within("max_tokens"),
        label="Tokens of an answer",
        help_text=f"An answer is cut there. Empty: {USUAL_MAX_TOKENS}.",
    )
    timeout = forms.FloatField(
        **_within("timeout"),
        label="Seconds of patience",
        help_text=f"Without a word for so long, the model counts as gone. Empty: {PATIENCE:.0f}.",
    )
    json_schema = forms.NullBooleanField(
        required=False,
        label="Can be held to a form",
        help_text="Reviews ask for JSON of one form. Unknown: as is usual for the kind.",
    )
    field_order = (
        *("provider_name", "model_name", "base_url", "api_key_variable", "temperature"),
        *("max_tokens", "timeout", "json_schema", "fallback_order", "is_enabled"),
    )

    class Meta:
        model = Provider
        fields = ("provider_name", "model_name", "fallback_order", "is_enabled")
        labels = {
            "model_name": "Model",
            "fallback_order": "Order after a failure",
            "is_enabled": "May answer",
        }
        help_texts = {"model_name": "As its server names it, such as llama3.2."}
        error_messages = {
            NON_FIELD_ERRORS: {"unique_together": "This model is there already, of the same kind."}
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        config = self.instance.api_config
        self.initial.update({name: config[name] for name in CONFIG_KEYS if name in config})
        if self.instance.model_name:
            kind = Provider.Name(self.instance.provider_name)
            address, variable = self.fields["base_url"], self.fields["api_key_variable"]
            address.widget.attrs["placeholder"] = USUAL_ADDRESS[kind]
            variable.widget.attrs["placeholder"] = USUAL_KEY_VARIABLE.get(kind, "")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        said = {name: data.get(name) for name in CONFIG_KEYS}
        self.instance.api_config = {
            name: _plain(value) for name, value in said.items() if value not in {None, ""}
        }
        return data


class BuiltInForm(forms.ModelForm[Provider]):
    """All that can be said of the provider that needs no model."""

    class Meta:
        model = Provider
        fields = ("fallback_order",)
        labels = {"fallback_order": "Order after a failure"}


def _plain(value: Any) -> Any:
    """Write 30 for 30.0, as a person would."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
