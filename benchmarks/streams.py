"""Load of streams: many at once from one event loop, each noting when its first byte came and how many chunks.

A raw protocol rather than an HTTP client, because a client library costs more than the proxies it should measure.
"""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from time import perf_counter  # uvloop's loop.time() has whole milliseconds only
from typing import cast

import httptools
import uvloop

from benchmarks import workload
from benchmarks.process import CandidateError
from benchmarks.unary import Door
from benchmarks.workload import StreamPlan

_DATA = b"data: "
_DONE = b"data: [DONE]"


@dataclass(slots=True)
class Tally:
    """What all streams of one run saw together."""

    chunks: int = 0
    finished: int = 0
    failed: int = 0
    live: int = 0
    first_byte_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StreamLoad:
    """One measured window of streams."""

    chunks: int
    window_s: float
    cpu_s: float
    first_byte_ms: list[float]
    finished: int
    failed: int


class StreamClient(asyncio.Protocol):
    """Asks for one stream after the other on a connection."""

    def __init__(self, tally: Tally, request: bytes) -> None:
        self._tally = tally
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's class inherits from no asyncio class

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._finish(CandidateError(f"broken HTTP: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(CandidateError("connection closed before the stream ended"))

    async def stream(self) -> bool:
        """Ask for one stream, wait for its end and return whether the connection may be used again."""
        self._ended = self._loop.create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._first, self._done, self._began_at = True, False, perf_counter()
        self.transport.write(self._request)
        try:
            await self._ended
        finally:
            self._tally.live -= not self._first
        return self._parser.should_keep_alive() and not self.transport.is_closing()

    def on_body(self, body: bytes) -> None:
        if self._first:
            self._first = False
            self._tally.live += 1
            self._tally.first_byte_ms.append((perf_counter() - self._began_at) * 1e3)
        self._tally.chunks += body.count(_DATA)
        self._done = self._done or _DONE in body

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        self._finish(None if status == 200 and self._done else CandidateError(f"status {status}, stream incomplete"))

    def _finish(self, error: CandidateError | None) -> None:
        if self._ended is None or self._ended.done():
            return
        if error:
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)


def measure_streams(
    door: Door, plan: StreamPlan, *, count: int, warm_s: float, window_s: float, cpu_s: Callable[[], float]
) -> StreamLoad:
    """Keep `count` streams going and return what happened between the end of the warm-up and the end of the window."""
    return uvloop.run(_measure(door, plan, count=count, warm_s=warm_s, window_s=window_s, cpu_s=cpu_s))


def hold_open(door: Door, *, count: int, within_s: float, then: Callable[[], float]) -> tuple[int, float]:
    """Open `count` slow streams; return how many went live and what `then` says while they are open."""
    return uvloop.run(_hold_open(door, count, within_s, then))


async def _measure(
    door: Door, plan: StreamPlan, *, count: int, warm_s: float, window_s: float, cpu_s: Callable[[], float]
) -> StreamLoad:
    tally = Tally()
    async with _streaming(door, plan, tally, count=count, spread_s=min(1.0, warm_s)):
        await asyncio.sleep(warm_s)
        chunks, finished, failed, cpu = tally.chunks, tally.finished, tally.failed, cpu_s()
        tally.first_byte_ms.clear()
        began_at = asyncio.get_running_loop().time()
        await asyncio.sleep(window_s)
        return StreamLoad(
            chunks=tally.chunks - chunks,
            window_s=asyncio.get_running_loop().time() - began_at,
            cpu_s=cpu_s() - cpu,
            first_byte_ms=list(tally.first_byte_ms),
            finished=tally.finished - finished,
            failed=tally.failed - failed,
        )


async def _hold_open(door: Door, count: int, within_s: float, then: Callable[[], float]) -> tuple[int, float]:
    tally = Tally()
    async with _streaming(door, workload.HELD_OPEN, tally, count=count, spread_s=count / 200):
        for _ in range(round(within_s)):
            await asyncio.sleep(1)
            if tally.live == count:
                break
        await asyncio.sleep(2)
        return tally.live, then()


@contextlib.asynccontextmanager
async def _streaming(door: Door, plan: StreamPlan, tally: Tally, *, count: int, spread_s: float) -> AsyncIterator[None]:
    gc.freeze()
    async with asyncio.TaskGroup() as group:
        workers = [
            group.create_task(_keep_streaming(door, _request(door, plan, number), tally, spread_s * number / count))
            for number in range(count)
        ]
        yield
        for worker in workers:
            worker.cancel()


async def _keep_streaming(door: Door, request: bytes, tally: Tally, delay_s: float) -> None:
    await asyncio.sleep(delay_s)
    while True:
        try:
            await _stream_on_one_connection(door, request, tally)
        except (CandidateError, OSError):
            tally.failed += 1
            await asyncio.sleep(0.2)


async def _stream_on_one_connection(door: Door, request: bytes, tally: Tally) -> None:
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_connection(lambda: StreamClient(tally, request), "127.0.0.1", door.port)
    try:
        while await client.stream():
            tally.finished += 1
        tally.finished += 1
    finally:
        transport.abort()


def _request(door: Door, plan: StreamPlan, number: int) -> bytes:
    body = workload.request_body(door.model, number=number, plan=plan)
    headers = {
        "host": f"127.0.0.1:{door.port}",
        "content-type": "application/json",
        "content-length": str(len(body)),
        **door.headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {door.stream_path} HTTP/1.1\r\n{lines}\r\n".encode() + body
