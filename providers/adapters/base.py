"""The contract of an adapter, and what a broken exchange with any upstream means."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import msgspec

from kernel.errors import UpstreamBroken, UpstreamFailed, UpstreamRefused, UpstreamTimeout, UpstreamUnreachable
from providers.adapters import http
from providers.adapters.connection import Connection, Headers
from providers.adapters.raw import RawRequest
from providers.dialects.canonical import Dialect, Operation

NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


class Exchange(msgspec.Struct, frozen=True):
    """One request to one upstream: what is asked, of which model, with which body already in its dialect.

    `options` are the provider's and the target's own (region, project, API version). `headers` travel with this request
    besides the adapter's own. `variant` tells apart requests that a dialect sends to different paths. `raw` is the
    method and path of a request that passes as it is, None where the operation says them.
    """

    connection: Connection
    operation: Operation
    body: bytes | http.Segments
    stream: bool
    request_id: str
    attempt_id: str
    timeouts: http.Timeouts
    dialect: Dialect = Dialect.OPENAI
    model: str = ""
    options: Mapping[str, str] = NO_OPTIONS
    headers: Headers = ()
    variant: str = ""
    raw: RawRequest | None = None

    @property
    def region(self) -> str:
        """Return the region that the server's host is made of, "" where the provider has an address."""
        return "" if self.connection.has_address else self.options.get("region") or self.options.get("location") or ""


class UpstreamAnswer(Protocol):
    """An answer whose head is in; the body follows whole or in pieces. Closing early cancels the upstream."""

    @property
    def status(self) -> int:
        """Return the status."""

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return all headers, names in lower case."""

    def header(self, name: bytes) -> bytes | None:
        """Return the value of a header by its lower-case name."""

    async def read(self, max_bytes: int) -> bytes:
        """Return the whole body."""

    async def next_chunk(self) -> bytes | None:
        """Return what came, None at a proper end."""

    def close(self) -> None:
        """Give the connection back, or cut it where the body is not finished."""


class Adapter(Protocol):
    """Speaks to one kind of upstream."""

    async def send(self, exchange: Exchange) -> UpstreamAnswer:
        """Send a request and return once the answer's head is in.

        Raises UpstreamIOError, or UpstreamRefused where nothing was sent because the credential is of no use.
        """

    def explain(self, exchange: Exchange, answer: UpstreamAnswer, body: bytes) -> UpstreamRefused:
        """Return what an answer with an error status means."""


def translate(error: http.UpstreamIOError, *, provider: str, region: str = "") -> UpstreamFailed:
    """Return what a broken exchange means to the caller; the upstream's host stays in the log.

    `region` is the one that the host was made of, where one was.
    """
    if isinstance(error, http.ConnectTimeout | http.ConnectFailed):
        doubt = f"; is '{region}' a region where it is served?" if region else ""
        return UpstreamUnreachable(f"provider {provider} can't be reached{doubt}")
    if isinstance(error, http.FirstByteTimeout | http.IdleTimeout | http.TotalTimeout):
        return UpstreamTimeout(f"provider {provider} took too long")
    if isinstance(error, http.BodyTooLarge):
        return UpstreamBroken(f"provider {provider} sent an answer that is too large", code="upstream_too_large")
    return UpstreamBroken(f"provider {provider} broke the connection off", code="upstream_cut")
