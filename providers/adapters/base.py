"""The contract of an adapter, and what a broken exchange with any upstream means."""

from typing import Protocol

import msgspec

from kernel.errors import UpstreamBroken, UpstreamFailed, UpstreamRefused, UpstreamTimeout, UpstreamUnreachable
from providers.adapters import http
from providers.adapters.connection import Connection
from providers.dialects.canonical import Operation


class Exchange(msgspec.Struct, frozen=True):
    """One request to one upstream: what is asked, of which model, with which body already in its dialect."""

    connection: Connection
    operation: Operation
    body: bytes
    stream: bool
    request_id: str
    attempt_id: str
    timeouts: http.Timeouts


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
        """Send a request and return once the answer's head is in. Raises UpstreamIOError."""

    def explain(self, answer: UpstreamAnswer, body: bytes) -> UpstreamRefused:
        """Return what an answer with an error status means."""


def translate(error: http.UpstreamIOError, *, provider: str) -> UpstreamFailed:
    """Return what a broken exchange means to the caller; the upstream's host stays in the log."""
    if isinstance(error, http.ConnectTimeout | http.ConnectFailed):
        return UpstreamUnreachable(f"provider {provider} can't be reached")
    if isinstance(error, http.FirstByteTimeout | http.IdleTimeout | http.TotalTimeout):
        return UpstreamTimeout(f"provider {provider} took too long")
    if isinstance(error, http.BodyTooLarge):
        return UpstreamBroken(f"provider {provider} sent an answer that is too large", code="upstream_too_large")
    return UpstreamBroken(f"provider {provider} broke the connection off", code="upstream_cut")
