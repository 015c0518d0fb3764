"""An upstream that says exactly what a test wants, and remembers what it was asked and whether it was let go."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kernel.errors import UpstreamRefused
from providers.adapters.base import Exchange, UpstreamAnswer
from providers.adapters.http import UpstreamIOError
from providers.adapters.refusals import explain_refusal

Piece = bytes | Exception | asyncio.Event
EVENT_STREAM = ((b"content-type", b"text/event-stream"),)
JSON = ((b"content-type", b"application/json"),)


@dataclass(slots=True)
class Answer:
    """An answer: pieces of its body in their order; an exception is raised, an event waited for."""

    pieces: list[Piece]
    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=lambda: list(JSON))
    closed: int = 0

    def header(self, name: bytes) -> bytes | None:
        return dict(self.headers).get(name)

    async def read(self, max_bytes: int) -> bytes:
        parts = []
        while (part := await self.next_chunk()) is not None:
            parts.append(part)
        return b"".join(parts)

    async def next_chunk(self) -> bytes | None:
        while self.pieces:
            piece = self.pieces.pop(0)
            if isinstance(piece, bytes):
                return piece
            if isinstance(piece, Exception):
                raise piece
            await piece.wait()
        return None

    def close(self) -> None:
        self.closed += 1


class Upstream:
    """An adapter that gives one answer after another; an error instead of one is raised, an event waited for."""

    def __init__(self, *answers: Answer | UpstreamIOError | Exception | asyncio.Event) -> None:
        self._answers = list(answers)
        self.exchanges: list[Exchange] = []

    async def send(self, exchange: Exchange) -> UpstreamAnswer:
        self.exchanges.append(exchange)
        answer = self._answers.pop(0)
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Answer)
        return answer

    def explain(self, exchange: Exchange, answer: UpstreamAnswer, body: bytes) -> UpstreamRefused:
        return explain_refusal(exchange, answer, body)


def whole(usage: dict[str, Any] | None = None, text: str = "hi", *, status: int = 200, **headers: str) -> Answer:
    """Return a chat completion."""
    body: dict[str, Any] = {"choices": [{"index": 0, "finish_reason": "stop", "message": {"content": text}}]}
    if usage is not None:
        body["usage"] = usage
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Answer([msgspec.json.encode(body)], status=status, headers=[*JSON, *named])


def refusal(status: int, *, code: str = "nope", **headers: str) -> Answer:
    """Return an error answer in the provider's envelope."""
    body = {"error": {"message": "said the provider", "type": "t", "param": None, "code": code}}
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Answer([msgspec.json.encode(body)], status=status, headers=[*JSON, *named])


def stream(*pieces: Piece) -> Answer:
    """Return a stream of these pieces."""
    return Answer(list(pieces), headers=list(EVENT_STREAM))


def event(value: dict[str, Any]) -> bytes:
    """Return one event."""
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def delta(text: str, *, finish: str | None = None) -> bytes:
    """Return an event with a piece of text."""
    return event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]})


def usage_event(usage: dict[str, Any]) -> bytes:
    """Return the event that reports usage and nothing else."""
    return event({"choices": [], "usage": usage})


DONE = b"data: [DONE]\n\n"


def spoken(*texts: str, usage: dict[str, Any] | None = None) -> Iterable[bytes]:
    """Return the events of a whole stream."""
    events = [delta(text) for text in texts] + [delta("", finish="stop")]
    return [*events, *([usage_event(usage)] if usage is not None else []), DONE]
