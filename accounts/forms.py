"""What people may say about themselves."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm

from accounts.models import User


class LoginForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "The name or the password is not right.",
        "inactive": "The name or the password is not right.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


class PasswordForm(PasswordChangeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # It stands in the middle of a page, where a focus would scroll past what is above.
        del self.fields["old_password"].widget.attrs["autofocus"]


class ProfileForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = ("name", "email")
        labels = {"name": "Your name", "email": "Email"}
        help_texts = {
            "name": "How others see you. Empty: your username.",
        }


class ThemeForm(forms.Form):
    CHOICES = (("", "As the system"), ("light", "Light"), ("dark", "Dark"))

    theme = forms.ChoiceField(choices=CHOICES, required=False, widget=forms.RadioSelect)
