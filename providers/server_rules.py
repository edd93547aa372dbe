"""What may be said of a server of models and of its key, at every door."""

import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

KEY_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*_(KEY|TOKEN)")
# Keys of this installation, which no other server may see.
OURS = re.compile(r"SECRET_KEY|GIT_TOKEN_.*")


def check_key_variable(name: str) -> None:
    """Refuse what is no name of a variable for a model's key, above all a key itself."""
    if not KEY_VARIABLE.fullmatch(name):
        raise ValidationError(
            "This is the name of an environment variable that ends in _KEY or _TOKEN, such as"
            " OPENAI_API_KEY, never the key itself."
        )
    if OURS.fullmatch(name):
        raise ValidationError("This variable holds a secret that is for nobody else.")


def check_address(address: str) -> None:
    """Refuse what is no address of a server, or holds a password."""
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        raise ValidationError("An address begins with https:// or http:// and names a host.")
    if parts.username or parts.password:
        raise ValidationError("An address must not hold a name or a password.")
