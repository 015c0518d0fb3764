"""Streams that are kept while they pass, and streams that come from what was kept."""

from gateway.idempotency.base import Answer
from gateway.idempotency.lease import Lease
from gateway.messages import Chunks

PIECE_BYTES = 64 << 10


class KeptChunks:
    """Passes a stream on and keeps it if it comes to a good end. Whoever iterates must call `aclose`.

    `head` is the answer without its body, as it goes to the caller.
    """

    __slots__ = ("_body", "_bytes_max", "_chunks", "_head", "_lease", "_settled")

    def __init__(self, chunks: Chunks, *, head: Answer, lease: Lease, bytes_max: int) -> None:
        self._chunks = chunks
        self._head = head
        self._lease = lease
        self._bytes_max = bytes_max - head.size_bytes
        self._body: bytearray | None = bytearray()
        self._settled = False

    @property
    def whole(self) -> bool:
        """Tell whether all was handed out and the answer is a success."""
        return self._chunks.whole

    def __aiter__(self) -> "KeptChunks":
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            await self._settle()
            raise
        self._add(chunk)
        return chunk

    async def aclose(self) -> None:
        """Be done, whether or not the stream is: a caller who has all of it may go before its end."""
        try:
            await self._chunks.aclose()
        finally:
            await self._settle()

    def _add(self, chunk: bytes) -> None:
        if self._body is None:
            return
        self._body += chunk
        if len(self._body) > self._bytes_max:
            self._body = None

    async def _settle(self) -> None:
        if self._settled:
            return
        self._settled = True
        if not self._chunks.whole:
            await self._lease.release()
        elif self._body is None:
            await self._lease.keep(None)
        else:
            head = self._head
            await self._lease.keep(Answer(head.status, head.headers, bytes(self._body), streamed=True))


class ReplayedChunks:
    """A kept stream on its way out again, in a few pieces."""

    __slots__ = ("_body", "_sent")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._sent = 0

    @property
    def whole(self) -> bool:
        """Tell whether all was handed out."""
        return self._sent >= len(self._body)

    def __aiter__(self) -> "ReplayedChunks":
        return self

    async def __anext__(self) -> bytes:
        if self.whole:
            raise StopAsyncIteration
        piece = self._body[self._sent : self._sent + PIECE_BYTES]
        self._sent += len(piece)
        return piece

    async def aclose(self) -> None:
        """Be done; there is nothing to let go of."""
