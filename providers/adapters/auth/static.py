"""Credentials that go into a header as they are: which header each kind of vendor reads, and what stands before it."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from providers.adapters.connection import Connection, Headers

# Sources: the vendors' API references on authentication, November 2026.
STATIC: Mapping[str, tuple[bytes, bytes]] = MappingProxyType(
    {
        "bearer": (b"authorization", b"Bearer "),
        "x-api-key": (b"x-api-key", b""),
        "x-goog-api-key": (b"x-goog-api-key", b""),
        "api-key": (b"api-key", b""),
    }
)


@lru_cache(maxsize=1024)
def static_headers(auth: str, credential: str) -> Headers:
    """Return the header that carries a credential; none for an empty one. Raises KeyError for another kind of auth."""
    name, before = STATIC[auth]
    return ((name, before + credential.encode()),) if credential else ()


class StaticAuthenticator:
    """Signs in with the credential as it was entered."""

    async def headers(self, connection: Connection) -> Headers:
        """Return the header that carries a connection's credential."""
        return static_headers(connection.auth, connection.credential)

    def forget(self, connection: Connection) -> None:
        """Do nothing: there is only the one credential."""
