"""The mock as a process of its own, so that a real network and somebody else's server stand behind the gateway.

    python -m providers.mock.server --port 0 [--api-key KEY] [--bill FILE]

prints `listening on PORT` and plays the scripts of `providers.mock.script` over HTTP/1.1, broken connections and all.
`GET /__mock__/requests` tells what came in, byte for byte, and when a client hung up; `POST /__mock__/reset` forgets.
With a bill, what was generated is charged in that file: `providers.mock.bill`.
"""

import argparse
import asyncio
import base64
import hashlib
import signal
import socket
import struct
import sys
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import httptools
import msgspec

from kernel import tasks
from kernel.errors import InvalidRequest
from providers.dialects.canonical import Operation
from providers.dialects.multipart import is_form
from providers.mock.answers import CREATED_AT_S
from providers.mock.bill import Bill, Ended, Generated, Line, charge_for
from providers.mock.form import read_form
from providers.mock.script import JSON, Script, write_script
from providers.presets import PRESETS

REQUESTS_KEPT_MAX = 2_000
TRIES_REMEMBERED_MAX = 10_000
_PATHS: Mapping[str, Operation] = MappingProxyType(
    {
        "/v1/chat/completions": Operation.CHAT,
        "/v1/completions": Operation.COMPLETION,
        "/v1/embeddings": Operation.EMBEDDING,
        "/v1/images/generations": Operation.IMAGE,
        "/v1/images/edits": Operation.IMAGE_EDIT,
        "/v1/audio/speech": Operation.SPEECH,
        "/v1/audio/transcriptions": Operation.TRANSCRIPTION,
        "/v1/audio/translations": Operation.TRANSLATION,
        "/v1/moderations": Operation.MODERATION,
        "/v1/rerank": Operation.RERANK,
    }
)
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds


@dataclass(slots=True, eq=False)
class Request:
    """What came in, and how its answer went; `client_gone_ms` counts from the request to the hanging up."""

    method: str = ""
    path: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    tries: int = 1
    status: int | None = None
    pieces_sent: int = 0
    finished: bool = False
    client_gone_ms: int | None = None
    came_ns: int = 0
    came_at_ns: int = 0
    to_charge: Generated | None = None

    def header(self, name: bytes) -> bytes:
        """Return the value of a header by its lower-case name, nothing where there is none."""
        return next((value for key, value in self.headers if key.lower() == name), b"")

    def describe(self) -> dict[str, Any]:
        """Return it as JSON can say it; `body_base64` has the very bytes."""
        return {
            "method": self.method,
            "path": self.path,
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in self.headers],
            "body": self.body.decode(errors="replace"),
            "body_base64": base64.b64encode(self.body).decode(),
            "tries": self.tries,
            "status": self.status,
            "pieces_sent": self.pieces_sent,
            "finished": self.finished,
            "client_gone_ms": self.client_gone_ms,
        }


class MockServer:
    """What all connections share: the key that is wanted, the journal, how often each request was tried."""

    def __init__(self, *, api_key: str = "", bill: Bill | None = None) -> None:
        self._bill = bill
        self._authorization = f"Bearer {api_key}".encode() if api_key else b""
        self._tries: OrderedDict[tuple[bytes, ...], int] = OrderedDict()
        self.requests: deque[Request] = deque(maxlen=REQUESTS_KEPT_MAX)

    def answer(self, request: Request) -> Script:
        """Return the script for a request, which is written down unless it asks about the mock itself."""
        asked = (request.method, request.path.partition("?")[0])
        if asked == ("GET", "/__mock__/requests"):
            return _json({"requests": [entry.describe() for entry in self.requests]})
        if asked == ("POST", "/__mock__/reset"):
            self.requests.clear()
            self._tries.clear()
            return _json({"status": "ok"})
        self.requests.append(request)
        if self._authorization and request.header(b"authorization") != self._authorization:
            return _refusal(401, "Incorrect API key provided.", code="invalid_api_key")
        return self._answer(request, *asked)

    def charge(self, request: Request, ended: Ended) -> None:
        """Put what was generated for a request on the bill, once."""
        generated, request.to_charge = request.to_charge, None
        if generated is None or self._bill is None:
            return
        sent = request.pieces_sent
        line = Line(
            attempt_id=request.header(b"x-client-request-id").decode("latin-1"),
            request_id=request.header(b"x-request-id").decode("latin-1"),
            model=generated.model,
            usage=charge_for(generated, pieces_sent=sent),
            ended=ended,
            reported=generated.usage_pieces is not None and sent >= generated.usage_pieces,
            began_at_ns=request.came_at_ns,
            ended_at_ns=time.time_ns(),
        )
        self._bill.add(line)

    def _answer(self, request: Request, method: str, path: str) -> Script:
        if (method, path) == ("GET", "/v1/models"):
            return _json({"object": "list", "data": [_model(name) for name in PRESETS["mock"].usual_models]})
        operation = _PATHS.get(path)
        if operation is None:
            return _refusal(404, f"Unknown path {path}", code="not_found")
        if method != "POST":
            return _refusal(405, f"{method} is not allowed here", code="method_not_allowed")
        request.tries = self._count(request)
        content_type = request.header(b"content-type")
        try:
            body = read_form([request.body], content_type) if is_form(content_type) else request.body
        except InvalidRequest as error:
            return _refusal(400, error.message, code=error.code)
        return write_script(operation, body, tries_before=request.tries - 1)

    def _count(self, request: Request) -> int:
        """Return which try of its request this is: known by its id and sender, or else by its body."""
        identity = request.header(b"x-request-id") or hashlib.sha256(request.body).digest()
        name = (identity, request.header(b"authorization"), request.path.encode())
        tries = self._tries.pop(name, 0) + 1
        self._tries[name] = tries
        if len(self._tries) > TRIES_REMEMBERED_MAX:
            self._tries.popitem(last=False)
        return tries


class Connection(asyncio.Protocol):
    """One client's connection: answers its requests in their order and notices when it goes."""

    def __init__(self, server: MockServer) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._coming = Request()
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._waiting: deque[Request] = deque()
        self._playing: Request | None = None
        self._player: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    # What asyncio says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._transport.abort()

    def eof_received(self) -> None:
        """Take a client that stops talking for one that is gone: asyncio then closes the connection."""
        self._note_gone()

    def connection_lost(self, error: Exception | None) -> None:
        self._note_gone()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # What the parser says

    def on_message_begin(self) -> None:
        self._coming, self._headers, self._parts = Request(), [], []

    def on_url(self, url: bytes) -> None:
        self._coming.path += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        request = self._coming
        request.method = self._parser.get_method().decode()
        request.headers, request.body = tuple(self._headers), b"".join(self._parts)
        request.came_ns, request.came_at_ns = time.monotonic_ns(), time.time_ns()
        self._waiting.append(request)
        if self._player is None:
            self._player = tasks.spawn(self._play_waiting(), name="mock-connection")

    # The answers

    def _note_gone(self) -> None:
        request = self._playing
        if request is not None and not request.finished and request.client_gone_ms is None:
            request.client_gone_ms = (time.monotonic_ns() - request.came_ns) // 1_000_000
            self._server.charge(request, "hung_up")
        if self._player is not None:
            self._player.cancel()

    async def _play_waiting(self) -> None:
        while self._waiting:
            self._playing = self._waiting.popleft()
            script = self._server.answer(self._playing)
            self._playing.status, self._playing.to_charge = script.status, script.generated
            await self._play(script, self._playing)
        self._playing = self._player = None

    async def _play(self, script: Script, request: Request) -> None:
        await asyncio.sleep(script.delay_s)
        if script.ending == "refuse":
            request.finished = True
            self._reset()
            return
        chunked = script.ending != "end" or script.content_type != JSON or len(script.pieces) > 1
        self._transport.write(_head(script, chunked=chunked))
        for piece in script.pieces:
            if script.pace_s:
                await asyncio.sleep(script.pace_s)
            await self._writable.wait()
            self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            request.pieces_sent += 1
        await self._end(script, request, chunked=chunked)

    async def _end(self, script: Script, request: Request, *, chunked: bool) -> None:
        if script.ending == "stall":
            await asyncio.Event().wait()  # until the client hangs up, which cancels this
        request.finished = True
        self._server.charge(request, "broken" if script.ending == "cut" else "finished")
        if script.ending == "cut":
            self._transport.set_write_buffer_limits(high=0)
            await self._writable.wait()  # what was said before the cut shall arrive
            self._reset()
        elif chunked:
            self._transport.write(b"0\r\n\r\n")

    def _reset(self) -> None:
        peer: socket.socket = self._transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()


def _head(script: Script, *, chunked: bool) -> bytes:
    lines = [b"HTTP/1.1 %d %b" % (script.status, _reason(script.status))]
    if script.status != 204:
        length = sum(len(piece) for piece in script.pieces)
        lines += [
            b"content-type: " + script.content_type,
            b"transfer-encoding: chunked" if chunked else b"content-length: %d" % length,
        ]
    lines += [name + b": " + value for name, value in script.headers]
    return b"\r\n".join([*lines, b"", b""])


def _reason(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b"Unknown"


def _json(value: dict[str, Any], *, status: int = 200) -> Script:
    return Script(status=status, pieces=(msgspec.json.encode(value),))


def _refusal(status: int, message: str, *, code: str) -> Script:
    detail = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return _json({"error": detail}, status=status)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED_AT_S, "owned_by": "mock"}


async def serve(*, host: str, port: int, mock: MockServer) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: Connection(mock), host, port, backlog=2048)
    sys.stdout.write(f"listening on {server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await stop.wait()
    server.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="The mock provider behind a real socket.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--api-key", default="", help="the only bearer token that is accepted; empty: any")
    parser.add_argument("--bill", type=Path, help="the file that what was generated is charged in")
    options = parser.parse_args()
    mock = MockServer(api_key=options.api_key, bill=Bill(options.bill) if options.bill else None)
    asyncio.run(serve(host=options.host, port=options.port, mock=mock))


if __name__ == "__main__":
    main()
