"""What goes in and out of an endpoint. No framework knows these, and they know none."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

Headers = list[tuple[bytes, bytes]]
JSON = (b"content-type", b"application/json")


class Chunks(Protocol):
    """Bytes that come over time; whoever takes them must close them, finished or not."""

    @property
    def whole(self) -> bool:
        """Tell whether all was handed out and the answer is a success: False before its end, and for ever if cut."""

    def __aiter__(self) -> "Chunks":
        """Return itself."""

    async def __anext__(self) -> bytes:
        """Return the next bytes."""

    async def aclose(self) -> None:
        """Be done with it."""


class Incoming(msgspec.Struct, frozen=True):
    """A request: header names in lower case, the body whole."""

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    body: bytes = b""
    query: str = ""


class Reply(msgspec.Struct):
    """An answer: a body, or chunks that come over time."""

    status: int
    headers: Headers
    body: bytes = b""
    chunks: Chunks | None = None
