"""The least a gateway could do: the floor that our own overhead is measured against.

A raw ASGI application: look the key up in a dict, decode `model` and `stream`, forward with the project's own client,
pass the bytes back. No limits, no money, no records.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from benchmarks import workload
from providers.adapters.http import HttpClient, Origin, UpstreamRequest, UpstreamResponse

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_KEYS = {f"Bearer {workload.CLIENT_KEY}".encode(): "bench"}
_ORIGIN, _PREFIX = Origin.parse(os.environ.get("BENCH_UPSTREAM_URL", "http://127.0.0.1:9/v1"))
_UPSTREAM_HEADERS = (
    (b"authorization", f"Bearer {workload.UPSTREAM_KEY}".encode()),
    (b"content-type", b"application/json"),
)
_MAX_ANSWER_BYTES = 16 * 1024 * 1024


class Head(msgspec.Struct):
    """What routing needs to know of a request."""

    model: str
    stream: bool = False


_decode_head = msgspec.json.Decoder(Head).decode


class Application:
    """The pass-through; one client for the life of the process."""

    def __init__(self) -> None:
        self._client: HttpClient | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["method"] != "POST":
            await _refuse(send, 200)
        elif not any(name == b"authorization" and value in _KEYS for name, value in scope["headers"]):
            await _refuse(send, 401)
        else:
            await self._forward(scope, await _read_body(receive), send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            self._client = HttpClient()
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})

    async def _forward(self, scope: Message, body: bytes, send: Send) -> None:
        assert self._client is not None
        head = _decode_head(body)
        target = _PREFIX + scope["raw_path"].removeprefix(b"/v1")
        request = UpstreamRequest("POST", _ORIGIN, target, _UPSTREAM_HEADERS, body)
        async with await self._client.send(request) as response:
            headers = [pair for pair in response.headers if pair[0] in (b"content-type", b"content-length")]
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            if head.stream:
                await _pass_stream(response, send)
            else:
                await send({"type": "http.response.body", "body": await response.read(_MAX_ANSWER_BYTES)})


async def _pass_stream(response: UpstreamResponse, send: Send) -> None:
    while (chunk := await response.next_chunk()) is not None:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    return body


async def _refuse(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


app = Application()
