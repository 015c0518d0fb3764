"""Other people's servers, as far as the gateway can tell: the mock as a process, and one that says what it is told.

Neither shares a line with the gateway's own HTTP client, so that the two can't agree on a mistake.
"""

import base64
import json
import os
import re
import select
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from tests.services.waiting import eventually

Handler = Callable[["Peer"], None]
STARTED_WITHIN_S = 20.0


class MockUpstream:
    """`python -m providers.mock.server` as a process of its own."""

    def __init__(self, *, api_key: str = "", port: int = 0) -> None:
        command = [sys.executable, "-m", "providers.mock.server", "--port", str(port), "--api-key", api_key]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
        self.api_key = api_key
        self.port = self._read_port()
        self.origin = f"http://127.0.0.1:{self.port}"

    def _read_port(self) -> int:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], STARTED_WITHIN_S)
        line = self.process.stdout.readline() if ready else "nothing"
        match = re.fullmatch(r"listening on (\d+)\n", line)
        assert match, f"the mock said {line!r}"
        return int(match[1])

    def requests(self) -> list[dict[str, Any]]:
        """Return what came in so far, the very bytes of a body under `raw`."""
        with urllib.request.urlopen(f"{self.origin}/__mock__/requests", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["requests"]
        for entry in found:
            entry["raw"] = base64.b64decode(entry.pop("body_base64"))
            entry["headers"] = {name.lower(): value for name, value in entry["headers"]}
        return found

    def of(self, request_id: str) -> list[dict[str, Any]]:
        """Return what came in for one request of the gateway."""
        return [entry for entry in self.requests() if entry["headers"].get("x-request-id") == request_id]

    def wait_for(self, request_id: str, holds: Callable[[dict[str, Any]], bool] = bool) -> dict[str, Any]:
        """Return the first entry of a request once it is there and a condition holds."""
        return eventually(lambda: next((entry for entry in self.of(request_id) if holds(entry)), None))

    def kill(self) -> None:
        """End it without a word, as a crash would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it in order."""
        if self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(10) == 0
        if self.process.stdout is not None:
            self.process.stdout.close()


class Peer:
    """One request that the scripted upstream has to answer, with the connection to do it on."""

    def __init__(self, connection: socket.socket, head: bytes, body: bytes) -> None:
        self.connection = connection
        self.head = head
        self.body = body

    def send(self, data: bytes) -> None:
        """Say it."""
        self.connection.sendall(data)

    def answer(self, body: bytes, *, content_type: bytes = b"application/json", status: bytes = b"200 OK") -> None:
        """Say a whole answer and close."""
        head = b"HTTP/1.1 %b\r\ncontent-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.send(head % (status, content_type, len(body)) + body)

    def stream(self, *pieces: bytes) -> None:
        """Say an event stream in exactly these pieces, each in a segment of its own, and close."""
        self.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            self.send(piece)
            time.sleep(0.002)

    def gone_within(self, seconds: float) -> bool:
        """Tell whether the other side closes the connection within so many seconds."""
        self.connection.settimeout(seconds)
        try:
            return self.connection.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def reset(self) -> None:
        """Close with a RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class ScriptedUpstream:
    """A threaded server on a loopback port; `handler` answers each request, and its connection closes after it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.handler: Handler = lambda peer: peer.answer(b"{}")
        self.peers: list[Peer] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def answering(self, handler: Handler) -> Self:
        """Answer with this from now on, and forget who came before."""
        self.handler, self.peers = handler, []
        return self

    def stop(self) -> None:
        """Accept nobody any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(30)
            peer = _read_request(connection)
            if peer is not None:
                self.peers.append(peer)
                self.handler(peer)
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)


def _read_request(connection: socket.socket) -> Peer | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    declared = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    while declared and len(body) < int(declared[1]):
        body += connection.recv(65536)
    return Peer(connection, head, body)
