"""Whether the key of a model is in the environment; the key itself is never shown."""

from dataclasses import dataclass

from providers.compatible import USUAL_ADDRESS, api_key, key_variable
from providers.models import Provider

# Services on the internet want a key. A server of one's own may ask for none.
WANT_A_KEY = tuple(address for address in USUAL_ADDRESS.values() if address.startswith("https://"))


@dataclass(frozen=True, slots=True)
class KeyStanding:
    variable: str
    is_set: bool
    is_needed: bool

    @property
    def complaint(self) -> str:
        """Say what is missing; empty when nothing is."""
        if self.is_set or not self.is_needed:
            return ""
        return f"{self.variable} is not set in the environment of the web process."


def key_standing(provider: Provider) -> KeyStanding:
    config, kind = provider.api_config, Provider.Name(provider.provider_name)
    address = config.get("base_url") or USUAL_ADDRESS.get(kind, "")
    return KeyStanding(
        key_variable(provider),
        is_set=api_key(provider) != "none",
        is_needed=bool(config.get("api_key_variable")) or address.startswith(WANT_A_KEY),
    )
