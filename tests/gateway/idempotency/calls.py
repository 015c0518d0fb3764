"""Calls that count how often they are made, and streams that end as they are told."""

import asyncio
from collections.abc import Sequence

from gateway.messages import Headers, Reply

Piece = bytes | BaseException | asyncio.Event


class Stream:
    """Chunks of these pieces; an exception is raised, an event waited for. `whole` after all of them, unless cut."""

    def __init__(self, pieces: Sequence[Piece], *, cut: bool = False) -> None:
        self._pieces = list(pieces)
        self._cut = cut
        self.closed = 0

    @property
    def whole(self) -> bool:
        return not self._pieces and not self._cut

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> bytes:
        while self._pieces:
            piece = self._pieces[0]
            if isinstance(piece, asyncio.Event):
                await piece.wait()
            del self._pieces[0]
            if isinstance(piece, BaseException):
                raise piece
            if isinstance(piece, bytes):
                return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed += 1


class Calls:
    """A call that is answered with what comes next; an exception is raised. `hold` it to have it wait."""

    def __init__(self, *answers: Reply | BaseException) -> None:
        self._answers = list(answers)
        self.made = 0
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    def hold(self) -> None:
        self.go_on.clear()

    async def __call__(self) -> Reply:
        self.made += 1
        self.begun.set()
        await self.go_on.wait()
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def whole(body: bytes = b'{"n":1}', *, status: int = 200, headers: Headers | None = None) -> Reply:
    """Return a whole answer that cost something."""
    usual = [(b"content-type", b"application/json"), (b"x-gateway-cost-usd", b"0.5")]
    return Reply(status, usual if headers is None else headers, body=body)


def streamed(*pieces: Piece, cut: bool = False) -> Reply:
    """Return an answer that comes as a stream."""
    return Reply(200, [(b"content-type", b"text/event-stream")], chunks=Stream(pieces, cut=cut))
