"""The provider every candidate calls: as cheap as Python allows, so that the candidate is what gets measured.

One protocol class on uvloop with httptools and ready-made answers, in the dialect that the path belongs to. All streams
hang on one timer wheel with slots of one millisecond, because a timer per stream would cost more than the chunks
themselves.
Run as `python -m benchmarks.upstream PORT`.
"""

import asyncio
import gc
import json
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

import httptools
import uvloop

from benchmarks import workload
from benchmarks.speech import SPEECHES, Speech
from providers.dialects.canonical import Dialect

_WHEEL_SLOTS = 1024  # milliseconds; the longest pace is 1,000


def _frame(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _reply(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


_MODELS = _reply(json.dumps({"object": "list", "data": [{"id": workload.UPSTREAM_MODEL, "object": "model"}]}).encode())
_TAIL_WITHOUT_USAGE = _frame(workload.last_chunk() + workload.DONE) + b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Script:
    """The answers of one dialect as they go over the wire; `first` begins a stream, head included."""

    whole: bytes
    first: bytes
    chunks: tuple[bytes, ...]
    tail: bytes


def _script(speech: Speech) -> Script:
    head = (
        f"HTTP/1.1 200 OK\r\ncontent-type: {speech.stream_type}\r\ncache-control: no-cache\r\n"
        "transfer-encoding: chunked\r\n\r\n"
    )
    return Script(
        whole=_reply(speech.answer),
        first=head.encode() + _frame(speech.opening + speech.chunks[0]),
        chunks=tuple(_frame(chunk) for chunk in speech.chunks),
        tail=_frame(speech.closing) + b"0\r\n\r\n",
    )


_SCRIPTS: Mapping[Dialect, Script] = MappingProxyType({dialect: _script(said) for dialect, said in SPEECHES.items()})


def dialect_of(url: bytes) -> Dialect:
    """Return the dialect that is spoken at a path."""
    if b"enerateContent" in url:
        return Dialect.GEMINI
    if b"/converse" in url:
        return Dialect.CONVERSE
    if b"/messages" in url:
        return Dialect.ANTHROPIC
    return Dialect.RESPONSES if b"/responses" in url else Dialect.OPENAI


def wants_stream(url: bytes, body: bytes) -> bool:
    """Tell whether a stream is asked for: in the path or in the body, as the dialect has it."""
    return b":stream" in url or b"-stream" in url or b'"stream":true' in body or b'"stream": true' in body


class Wheel:
    """Calls many callbacks at millisecond distance with a single loop timer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: list[list[Callable[[], None]]] = [[] for _ in range(_WHEEL_SLOTS)]
        self._now_ms = self._clock_ms()
        self._tick()

    def after(self, delay_ms: int, callback: Callable[[], None]) -> None:
        """Call back once, `delay_ms` after the slot that is being served now."""
        self._slots[(self._now_ms + delay_ms) % _WHEEL_SLOTS].append(callback)

    def _tick(self) -> None:
        target_ms = self._clock_ms()
        while self._now_ms < target_ms:
            self._now_ms += 1
            slot = self._now_ms % _WHEEL_SLOTS
            due, self._slots[slot] = self._slots[slot], []
            for callback in due:
                callback()
        self._loop.call_later(0.001, self._tick)

    def _clock_ms(self) -> int:
        return int(self._loop.time() * 1000)


class Provider(asyncio.Protocol):
    """Answers one connection: a completion, or a paced stream when the body asks for one."""

    answered = 0  # of all connections, so that the report can tell whether every call arrived here

    def __init__(self, wheel: Wheel) -> None:
        self._wheel = wheel
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body = b""
        self._left = 0
        self._pace_ms = 0
        self._script = _SCRIPTS[Dialect.OPENAI]
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class inherits from no asyncio class
        raw: socket.socket = transport.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._left = 0

    def on_message_begin(self) -> None:
        self._url = self._body = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body = self._body
        if not body:
            self._transport.write(self._answer_get())
            return
        Provider.answered += 1
        self._script = _SCRIPTS[dialect_of(self._url)]
        if wants_stream(self._url, body):
            self._begin_stream(body)
        else:
            self._transport.write(self._script.whole)

    def _answer_get(self) -> bytes:
        if self._url == b"/answered":
            return _reply(json.dumps(Provider.answered).encode())
        return _MODELS

    def _begin_stream(self, body: bytes) -> None:
        plan = workload.read_plan(body)
        self._left, self._pace_ms = plan.chunks - 1, plan.pace_ms
        is_unasked = self._script is _SCRIPTS[Dialect.OPENAI] and b'"include_usage"' not in body
        self._tail = _TAIL_WITHOUT_USAGE if is_unasked else self._script.tail
        self._transport.write(self._script.first)
        self._wheel.after(self._pace_ms, self._next_chunk)

    def _next_chunk(self) -> None:
        if self._left <= 0:
            return
        self._left -= 1
        if self._left:
            chunks = self._script.chunks
            self._transport.write(chunks[self._left % len(chunks)])
            self._wheel.after(self._pace_ms, self._next_chunk)
        else:
            self._transport.write(self._tail)


async def serve(port: int) -> None:
    """Answer on loopback until killed."""
    loop = asyncio.get_running_loop()
    wheel = Wheel(loop)
    server = await loop.create_server(lambda: Provider(wheel), "127.0.0.1", port, backlog=4096)
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
