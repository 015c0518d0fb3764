"""A client made by hand: requests no client library would send, and connections that hang up when a test says so."""

import json
import socket
from typing import Any, Self
from urllib.parse import urlsplit

TIMEOUT_S = 20.0


class Wire:
    """One TCP connection to a server."""

    def __init__(self, url: str, *, receive_buffer_bytes: int | None = None) -> None:
        address = urlsplit(url)
        self.socket = socket.socket()
        if receive_buffer_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self.socket.settimeout(TIMEOUT_S)
        self.socket.connect((str(address.hostname), int(address.port or 80)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def post(self, path: str, body: Any, headers: dict[str, str]) -> None:
        """Send a whole request; a body that is no bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"POST {path} HTTP/1.1", "host: gateway", f"content-length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + content)

    def receive_until(self, mark: bytes) -> bytes:
        """Return what came, up to and beyond a mark. Raises AssertionError where the other side closes before it."""
        data = b""
        while mark not in data:
            more = self.socket.recv(65536)
            assert more, f"closed after {data!r}"
            data += more
        return data

    def receive_all(self) -> bytes:
        """Return everything until the other side closes."""
        data = b""
        while more := self.socket.recv(65536):
            data += more
        return data

    def close(self) -> None:
        """Hang up."""
        self.socket.close()
