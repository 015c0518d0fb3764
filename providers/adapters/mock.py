"""The mock provider inside the process: plays a script as if it came over a connection."""

import asyncio
from collections import OrderedDict

from kernel.errors import UpstreamRefused
from providers.adapters.base import Exchange, UpstreamAnswer
from providers.adapters.http import (
    BodyTooLarge,
    BrokenResponse,
    ConnectFailed,
    FirstByteTimeout,
    HttpClient,
    IdleTimeout,
    Timeouts,
)
from providers.adapters.refusals import explain_refusal
from providers.mock.form import read_form
from providers.mock.script import Script, write_script

_REMEMBERED_TRIES_MAX = 10_000
_HEADER_BYTES_MAX = 64 * 1024


class MockAdapter:
    """Answers from `providers.mock` with the delays and faults that were asked for."""

    def __init__(self, client: HttpClient) -> None:
        self._tries: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def send(self, exchange: Exchange) -> UpstreamAnswer:
        """Play the head of the script. Raises UpstreamIOError."""
        tries_before = self._count(exchange)
        body = exchange.body
        if not isinstance(body, bytes):
            body = read_form(body.pieces(), body.content_type)
        script = write_script(exchange.operation, body, tries_before=tries_before)
        if script.delay_s:
            await _wait(script.delay_s, limit_s=exchange.timeouts.first_byte_s, error=FirstByteTimeout)
        if script.ending == "refuse":
            raise ConnectFailed("the mock refuses connections", sent=False)
        if sum(len(value) for _, value in script.headers) > _HEADER_BYTES_MAX:
            raise BrokenResponse("the mock's headers are too large", sent=True)
        return MockAnswer(script, exchange.timeouts)

    def explain(self, exchange: Exchange, answer: UpstreamAnswer, body: bytes) -> UpstreamRefused:
        """Return what an answer with an error status means."""
        return explain_refusal(exchange, answer, body)

    def _count(self, exchange: Exchange) -> int:
        """Return how often this request came to this connection before."""
        name = (exchange.request_id, exchange.connection.slug)
        tries = self._tries.pop(name, 0)
        self._tries[name] = tries + 1
        if len(self._tries) > _REMEMBERED_TRIES_MAX:
            self._tries.popitem(last=False)
        return tries


class MockAnswer:
    """A script half played."""

    __slots__ = ("_next", "_script", "_timeouts", "closed", "headers", "status")

    def __init__(self, script: Script, timeouts: Timeouts) -> None:
        self.status = script.status
        self.headers = [(b"content-type", script.content_type), *script.headers]
        self.closed = False
        self._script = script
        self._timeouts = timeouts
        self._next = 0

    def header(self, name: bytes) -> bytes | None:
        """Return the value of a header by its lower-case name."""
        return next((value for key, value in self.headers if key == name), None)

    async def read(self, max_bytes: int) -> bytes:
        """Return the whole body."""
        pieces = []
        while (piece := await self.next_chunk()) is not None:
            pieces.append(piece)
        body = b"".join(pieces)
        if len(body) > max_bytes:
            raise BodyTooLarge(f"more than {max_bytes} bytes", sent=True)
        return body

    async def next_chunk(self) -> bytes | None:
        """Return the next piece, None at the end. Raises as a connection would."""
        if self._next >= len(self._script.pieces):
            await self._end()
            return None
        if self._script.pace_s:
            await _wait(self._script.pace_s, limit_s=self._timeouts.idle_s, error=IdleTimeout)
        else:
            await asyncio.sleep(0)
        piece = self._script.pieces[self._next]
        self._next += 1
        return piece

    def close(self) -> None:
        """Stop playing."""
        self.closed = True

    async def _end(self) -> None:
        if self._script.ending == "cut":
            raise BrokenResponse("the mock cut the connection", sent=True)
        if self._script.ending == "stall":
            await _wait(float("inf"), limit_s=self._timeouts.idle_s, error=IdleTimeout)


async def _wait(seconds: float, *, limit_s: float, error: type[FirstByteTimeout | IdleTimeout]) -> None:
    await asyncio.sleep(min(seconds, limit_s))
    if seconds > limit_s:
        raise error("the mock took too long", sent=True)
