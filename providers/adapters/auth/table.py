"""Which authenticators there are, by the names that presets give them."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.adapters.auth.base import Authenticator
from providers.adapters.auth.entra import fetch_entra_token
from providers.adapters.auth.google import fetch_google_token
from providers.adapters.auth.static import STATIC, StaticAuthenticator
from providers.adapters.auth.tokens import Fetch, TokenAuthenticator

FETCHES: Mapping[str, Fetch] = MappingProxyType({"google": fetch_google_token, "entra": fetch_entra_token})


def build_authenticators() -> Mapping[str, Authenticator]:
    """Return every authenticator, with nothing remembered yet."""
    static = StaticAuthenticator()
    tokens = {name: TokenAuthenticator(fetch) for name, fetch in FETCHES.items()}
    return MappingProxyType({**dict.fromkeys(STATIC, static), **tokens})
