"""What goes in and out of an endpoint. No framework knows these, and they know none."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from gateway.uploads import Upload
from kernel.errors import GatewayError
from providers.dialects.codec import NO_FACTS, PathFacts

Headers = list[tuple[bytes, bytes]]
JSON = (b"content-type", b"application/json")


class StreamCut(Exception):
    """The rest won't come and that can't be said in the stream itself: the connection is to be broken off."""


class Chunks(Protocol):
    """Bytes that come over time; whoever takes them must close them, finished or not. Raises StreamCut."""

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
    """A request: header names in lower case, the body whole; of a form its fields as JSON, the files in `upload`.

    `said` is what the path says of a call. `own_body` is the body as the client wrote it, where `body` has had the
    turns put before it that it goes on from. `refusal` says why the body could not be taken, where it couldn't.
    """

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    body: bytes = b""
    query: str = ""
    upload: Upload | None = None
    said: PathFacts = NO_FACTS
    own_body: bytes | None = None
    refusal: GatewayError | None = None


class Reply(msgspec.Struct):
    """An answer: a body, or chunks that come over time."""

    status: int
    headers: Headers
    body: bytes = b""
    chunks: Chunks | None = None
