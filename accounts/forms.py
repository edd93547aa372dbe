"""What people may say about themselves."""

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from accounts.models import User


class LoginForm(AuthenticationForm):
    error_messages: ClassVar[dict[str, Any]] = {
        "invalid_login": "The name or the password is not right.",
        "inactive": "The name or the password is not right.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


class ProfileForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = ("name", "email")
        labels: ClassVar[dict[str, str]] = {"name": "Your name", "email": "Email"}
        help_texts: ClassVar[dict[str, str]] = {
            "name": "How others see you. Empty: your username.",
        }


class ThemeForm(forms.Form):
    CHOICES = (("", "As the system"), ("light", "Light"), ("dark", "Dark"))

    theme = forms.ChoiceField(choices=CHOICES, required=False, widget=forms.RadioSelect)
