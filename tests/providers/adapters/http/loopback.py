"""Upstreams made by hand: a server on a loopback port whose handler writes exactly the bytes a test wants."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Self

from providers.adapters.http import Origin, Segments, Timeouts, UpstreamRequest

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SOON = 5.0
"""Seconds after which something that should happen at once is taken not to happen at all."""


class Peer:
    """One accepted connection, as the handler sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number

    async def request(self) -> tuple[bytes, bytes]:
        """Read one request: head and body. IncompleteReadError when the client is gone."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        declared = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        return head, await self.reader.readexactly(int(declared[1])) if declared else b""

    async def say(self, data: bytes) -> None:
        """Send; ConnectionResetError when the client is gone, which uvloop has no error of the system for."""
        if self.writer.is_closing():
            raise ConnectionResetError
        self.writer.write(data)
        await self.writer.drain()

    async def gone(self) -> None:
        """Wait until the client has closed the connection, whatever else it says."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    def reset(self) -> None:
        """Close with a RST."""
        sock = self.writer.get_extra_info("socket")
        # struct linger {on, 0 seconds}
        sock.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.writer.transport.abort()


Handler = Callable[[Peer], Awaitable[None]]


class LoopbackServer:
    """An `async with` server. `peers` lists every connection accepted; a handler's end closes its connection."""

    def __init__(self, handler: Handler, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._handler = handler
        self._tls = tls
        self._host = host
        self._tasks: set[asyncio.Task[None]] = set()
        self.peers: list[Peer] = []
        self.failures: list[BaseException] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, 0, ssl=self._tls)
        port = self._server.sockets[0].getsockname()[1]
        self.origin = Origin("https" if self._tls else "http", self._host, port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        for failure in self.failures:
            raise failure

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        peer = Peer(reader, writer, len(self.peers))
        self.peers.append(peer)
        try:
            await self._handler(peer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except Exception as error:  # noqa: BLE001 - raised again where the test can see it
            self.failures.append(error)
        finally:
            writer.transport.abort() if writer.transport.is_closing() else writer.close()
            with suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()
            self._tasks.discard(task)


def saying(*answers: bytes) -> Handler:
    """Answer each request of each connection in turn, then close."""

    async def handle(peer: Peer) -> None:
        for answer in answers:
            await peer.request()
            await peer.say(answer)

    return handle


async def forever_ok(peer: Peer) -> None:
    """Answer every request with OK."""
    while True:
        await peer.request()
        await peer.say(OK)


def ask(
    origin: Origin,
    *,
    method: str = "POST",
    target: bytes = b"/v1/chat",
    headers: tuple[tuple[bytes, bytes], ...] = (),
    body: bytes | Segments = b"{}",
    timeouts: Timeouts | None = None,
) -> UpstreamRequest:
    """A request as an adapter would make it."""
    return UpstreamRequest(method, origin, target, headers, body, timeouts or Timeouts())


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds; fail when it does not soon."""
    async with asyncio.timeout(SOON):
        while not holds():  # noqa: ASYNC110 - the condition belongs to somebody else's object
            await asyncio.sleep(0.002)
