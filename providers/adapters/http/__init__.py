"""The one network client of the data plane: HTTP/1.1 for asyncio, made for unary calls and token streams.

    client = HttpClient()
    async with await client.send(request) as response:
        while (chunk := await response.next_chunk()) is not None:
            ...

Why our own: see `docs/decisions/0002-upstream-client.md`.
"""

from providers.adapters.http.client import HttpClient
from providers.adapters.http.errors import (
    BodyTooLarge,
    BrokenResponse,
    ConnectFailed,
    ConnectTimeout,
    FirstByteTimeout,
    IdleTimeout,
    InvalidRequest,
    TotalTimeout,
    UpstreamIOError,
)
from providers.adapters.http.messages import Headers, Origin, Segments, Timeouts, UpstreamRequest
from providers.adapters.http.response import UpstreamResponse

__all__ = [
    "BodyTooLarge",
    "BrokenResponse",
    "ConnectFailed",
    "ConnectTimeout",
    "FirstByteTimeout",
    "Headers",
    "HttpClient",
    "IdleTimeout",
    "InvalidRequest",
    "Origin",
    "Segments",
    "Timeouts",
    "TotalTimeout",
    "UpstreamIOError",
    "UpstreamRequest",
    "UpstreamResponse",
]
