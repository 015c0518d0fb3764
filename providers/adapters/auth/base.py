"""The contract of an authenticator, and what becomes of a call for which the gateway can't sign in."""

from typing import Protocol

from providers.adapters.connection import Connection, Headers


class CredentialBroken(Exception):
    """A credential that can't be turned into a token; the text is for the operator and holds no secret."""


class Authenticator(Protocol):
    """Says to a provider who the gateway is."""

    async def headers(self, connection: Connection) -> Headers:
        """Return the headers that carry a connection's credential. Raises UpstreamRefused where it is of no use."""

    def forget(self, connection: Connection) -> None:
        """Drop what was remembered for a connection, because its provider refused it."""
