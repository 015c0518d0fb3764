"""An upstream's answer: its head, and its body as it arrives.

The connection fills it from the network's side (`feed`, `wake`, `finish`, `fail`); the caller empties it from the
other (`next_chunk`, `read`, `close`). It outlives its place on the connection: as soon as the last byte is in, the
connection serves somebody else while the caller still reads.
"""

import asyncio
from types import TracebackType
from typing import Final, Protocol, Self

from providers.adapters.http.decoding import CorruptBody, decoder_for
from providers.adapters.http.errors import BodyTooLarge, BrokenResponse, UpstreamIOError
from providers.adapters.http.head import all_headers, content_encoding, ends_with_connection, find_header

_UNDONE: Final = (b"content-encoding", b"content-length")


class Source(Protocol):
    """The connection as a response sees it."""

    def resume(self) -> None: ...
    def abort(self) -> None: ...


class UpstreamResponse:
    """One response. Use it in `async with`, or call close() when done with it."""

    __slots__ = (
        "_chunks",
        "_decoder",
        "_error",
        "_head",
        "_headers",
        "_loop",
        "_source",
        "_waiter",
        "buffered_bytes",
        "complete",
        "status",
    )

    def __init__(
        self,
        *,
        status: int,
        head: bytes,
        source: Source,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.status = status
        self.buffered_bytes = 0
        """What came from the network and was not asked for yet."""
        self.complete = False
        """Whether the last byte is in."""
        self._head = head
        self._headers: list[tuple[bytes, bytes]] | None = None
        self._source: Source | None = source
        self._loop = loop
        self._chunks: list[bytes] = []
        encoding = content_encoding(head)
        self._decoder = decoder_for(encoding) if encoding else None
        self._waiter: asyncio.Future[None] | None = None
        self._error: UpstreamIOError | None = None

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """All headers, names in lower case, in the order they came.

        Where a content-encoding was undone it is gone, and so is the content-length, which counted the encoded bytes.
        """
        if self._headers is None:
            self._headers = all_headers(self._head)
            if self._decoder is not None:
                self._headers = [pair for pair in self._headers if pair[0] not in _UNDONE]
        return self._headers

    def header(self, name: bytes) -> bytes | None:
        """Find the first value of a header by its lower-case name."""
        if self._decoder is not None and name in _UNDONE:
            return None
        return find_header(self._head, name)

    @property
    def ends_with_connection(self) -> bool:
        """Whether only the end of the connection ends the body."""
        return ends_with_connection(self._head)

    async def read(self, max_bytes: int) -> bytes:
        """Give the whole (rest of the) body. Raises BodyTooLarge past `max_bytes`, and what next_chunk() raises."""
        if self.complete and self._decoder is None and self._error is None:
            # The usual end of a unary call: the whole answer came with its head.
            body = self._take() if self._chunks else b""
            if len(body) > max_bytes:
                raise self._too_large(max_bytes)
            return body
        if self._declared_bytes() > max_bytes:
            raise self._too_large(max_bytes)
        pieces: list[bytes] = []
        total_bytes = 0
        while (piece := await self.next_chunk()) is not None:
            total_bytes += len(piece)
            if total_bytes > max_bytes:
                raise self._too_large(max_bytes)
            pieces.append(piece)
        return b"".join(pieces)

    async def next_chunk(self) -> bytes | None:
        """Give the bytes that have come, at once if there are any, or None at a proper end of the message.

        Raises BrokenResponse when the message was cut, IdleTimeout, TotalTimeout. Whatever came before a failure is
        given first. Cancelling the caller while it waits here aborts the connection.
        """
        while True:
            if not self._is_drained():
                data = self._take()
                if data:
                    return data
            elif self._error is not None:
                raise self._error
            elif self.complete:
                self._check_end()
                return None
            else:
                await self._wait()

    def close(self) -> None:
        """Be done with the response: a message that is not in completely is cut off at once. Idempotent."""
        if self._error is None and not (self.complete and self._is_drained()):
            self._error = BrokenResponse("closed by the reader before its end", sent=True)
        source, self._source = self._source, None
        self._chunks.clear()
        self.buffered_bytes = 0
        if self._decoder is not None:
            self._decoder.discard()
        if source is not None:
            source.abort()
        self.wake()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # The connection's side

    def feed(self, data: bytes) -> None:
        """Take a piece of the body. The caller is woken by wake(), once for all pieces of one read."""
        self._chunks.append(data)
        self.buffered_bytes += len(data)

    def wake(self) -> None:
        """Let the waiting caller look again."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def finish(self) -> None:
        """Take note that the last byte is in; the connection is free."""
        self.complete = True
        self._source = None

    def fail(self, error: UpstreamIOError) -> None:
        """Take note that no more will come."""
        self._source = None
        if self._error is None:
            self._error = error
        self.wake()

    # Inside

    def _is_drained(self) -> bool:
        return not self._chunks and (self._decoder is None or not self._decoder.has_more)

    def _take(self) -> bytes:
        decoder = self._decoder
        if decoder is not None and decoder.has_more:
            raw = b""
        else:
            chunks = self._chunks
            raw = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            chunks.clear()
            self.buffered_bytes = 0
            if self._source is not None:
                self._source.resume()
        if decoder is None:
            return raw
        try:
            return decoder.decode(raw)
        except CorruptBody as error:
            raise self._corrupt(error) from error

    def _check_end(self) -> None:
        if self._decoder is not None:
            try:
                self._decoder.finish()
            except CorruptBody as error:
                raise self._corrupt(error) from error

    async def _wait(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("two tasks read one response")
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except BaseException:
            self.close()
            raise
        finally:
            self._waiter = None

    def _declared_bytes(self) -> int:
        declared = self.header(b"content-length")
        return int(declared) if declared is not None and declared.isdigit() else 0

    def _too_large(self, max_bytes: int) -> BodyTooLarge:
        error = BodyTooLarge(f"the body is longer than {max_bytes} bytes", sent=True)
        self._error = self._error or error
        self.close()
        return error

    def _corrupt(self, cause: CorruptBody) -> BrokenResponse:
        error = BrokenResponse(f"content-encoding: {cause}", sent=True)
        self._error = error
        self.close()
        return error
