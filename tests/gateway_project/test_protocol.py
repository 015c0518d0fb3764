"""Whole answers by the short way: the same on the wire as by ASGI, one after another, and never two in one."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from gateway.handler import WHOLE
from gateway_project.protocol import WholeAnswerProtocol

HEADERS = [(b"content-type", b"text/plain"), (b"x-one", b"1")]


class Application:
    """Answers a path with itself: by the short way where it can, at the end of the turn."""

    def __init__(self) -> None:
        self.headers = HEADERS
        self.by_asgi = 0
        self.holds = False
        self.held: asyncio.Queue[Callable[[], None]] = asyncio.Queue()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = scope["path"].encode()
        answer = scope[WHOLE](200, self.headers, body)
        if answer is None:
            self.by_asgi += 1
            await send({"type": "http.response.start", "status": 200, "headers": self.headers})
            await send({"type": "http.response.body", "body": body})
        elif self.holds:
            self.held.put_nowait(answer)
        else:
            asyncio.get_running_loop().call_soon(answer)


@pytest.fixture
def application() -> Application:
    return Application()


class Server:
    """The protocol on a port, without the rest of uvicorn, which would take the signals of the test run."""

    def __init__(self, application: Application) -> None:
        self.config = uvicorn.Config(application, lifespan="off", log_config=None)  # type: ignore[arg-type]
        self.config.load()
        self.state = ServerState()
        self.port = 0

    def connect(self) -> WholeAnswerProtocol:
        return WholeAnswerProtocol(config=self.config, server_state=self.state, app_state={})

    def end(self) -> None:
        """End every connection as uvicorn does when it is told to stop."""
        for connection in list(self.state.connections):
            connection.shutdown()


@pytest.fixture
async def server(application: Application) -> AsyncIterator[Server]:
    made = Server(application)
    listening = await asyncio.get_running_loop().create_server(made.connect, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    made.end()


async def say(server: Server, text: bytes, *, until: Callable[[bytes], bool]) -> bytes:
    """Send bytes and return what comes until that is enough, or the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(text)
    got = b""
    async with asyncio.timeout(5):
        while not until(got) and (more := await reader.read(65_536)):
            got += more
    writer.close()
    return got


def asked(path: str, *, method: str = "GET", headers: str = "") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n".encode()


async def test_an_answer_has_status_headers_length_and_body(server: Server) -> None:
    got = await say(server, asked("/a"), until=lambda got: got.endswith(b"/a"))
    assert got == b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx-one: 1\r\ncontent-length: 2\r\n\r\n/a"


async def test_requests_in_one_piece_are_answered_in_their_order(server: Server) -> None:
    got = await say(server, asked("/a") + asked("/b") + asked("/c"), until=lambda got: got.endswith(b"/c"))
    assert [part[-2:] for part in got.split(b"HTTP/1.1 200 OK")[1:]] == [b"/a", b"/b", b"/c"]


async def test_an_answer_that_waits_goes_before_the_next_one(server: Server, application: Application) -> None:
    application.holds = True
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(asked("/a"))
    await application.held.get()
    writer.write(asked("/b", method="HEAD"))
    async with asyncio.timeout(5):
        assert (await reader.readuntil(b"/a")).startswith(b"HTTP/1.1 200 OK")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
    assert application.by_asgi == 1
    writer.close()


async def test_an_answer_that_waits_goes_out_before_a_graceful_end(server: Server, application: Application) -> None:
    application.holds = True
    asking = asyncio.ensure_future(say(server, asked("/a"), until=lambda got: got.endswith(b"/a")))
    late = await application.held.get()
    server.end()
    assert (await asking).endswith(b"/a")
    late()  # the end of the turn comes late, and does nothing


async def test_who_asks_to_close_is_told_and_closed(server: Server) -> None:
    got = await say(server, asked("/a", headers="connection: close\r\n"), until=lambda got: False)
    assert got.endswith(b"x-one: 1\r\nconnection: close\r\ncontent-length: 2\r\n\r\n/a")


@pytest.mark.parametrize("bad", [b"1\r\nx-two: 2", b"1\n", b"1\r", b"1\0", b"\x7f"])
async def test_a_header_that_is_none_is_an_error_and_reaches_nobody(
    server: Server, application: Application, bad: bytes
) -> None:
    application.headers = [*HEADERS, (b"x-bad", bad)]
    got = await say(server, asked("/a"), until=lambda got: False)
    assert got == b"HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


async def test_requests_leave_nothing_to_the_garbage_collector(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    gc.collect()
    gc.disable()
    try:
        async with asyncio.timeout(5):
            for _ in range(200):
                writer.write(asked("/a"))
                await reader.readuntil(b"/a")
        assert gc.collect() < 200  # not one object of each
    finally:
        gc.enable()
        writer.close()
