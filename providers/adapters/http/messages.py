"""What is asked of an upstream, and how its head is written.

Values only. The encoder is where header injection stops: nothing a caller passes can start a new line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, Protocol, Self
from urllib.parse import urlsplit

from providers.adapters.http.errors import InvalidRequest

Scheme = Literal["http", "https"]
Headers = tuple[tuple[bytes, bytes], ...]

_TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET: Final = re.compile(rb"/[!-~\x80-\xff]*")
_HOST_NAME: Final = re.compile(r"[0-9a-z_-]+(\.[0-9a-z_-]+)*\.?|[0-9a-f:.]*:[0-9a-f:.]*")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

# Framing and connection handling belong to the client. `expect` would make a server wait for a go-ahead
# that never comes separately, since the body follows at once.
_OWNED: Final = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_BODYLESS: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})

_PASS: Final = 0
_DROP: Final = 1
_HOST: Final = 2


@dataclass(frozen=True, slots=True)
class Origin:
    """Where connections go: scheme, host (no brackets around IPv6) and port."""

    scheme: Scheme
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> tuple[Self, bytes]:
        """Split a base URL into its origin and the path prefix (`b""` or `b"/v1"`, without a slash at its end).

        Raises InvalidRequest when it is not a plain http(s) URL.
        """
        try:
            parts = urlsplit(url.strip())
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise InvalidRequest(f"not a URL: {error}") from error
        if parts.scheme == "http":
            scheme: Scheme = "http"
        elif parts.scheme == "https":
            scheme = "https"
        else:
            raise InvalidRequest("a base URL starts with http:// or https://")
        if not host:
            raise InvalidRequest("a base URL names a host")
        if parts.username is not None or parts.password is not None:
            raise InvalidRequest("a base URL carries no credentials")
        if parts.query or parts.fragment:
            raise InvalidRequest("a base URL ends with its path; query parameters belong to the request's target")
        prefix = parts.path.rstrip("/").encode()
        if prefix and not _TARGET.fullmatch(prefix):
            raise InvalidRequest("the path of a base URL holds a space or a control character")
        return cls(scheme, _ascii_host(host), _DEFAULT_PORTS[scheme] if port is None else port), prefix

    @property
    def host_header(self) -> bytes:
        """Give the value of the Host header: brackets around IPv6, the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}").encode()

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host_header.decode()}"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each part of an exchange may take, in seconds."""

    connect_s: float = 10.0
    """Name lookup, TCP and TLS together, and the wait for a free place in the pool."""
    first_byte_s: float = 280.0
    """From the request's first byte to the end of the response head. A model thinks here."""
    idle_s: float = 30.0
    """Between two pieces of the body. Time in which this side did not want to read does not count."""
    total_s: float = 300.0
    """From send() to the last byte of the body."""


DEFAULT_TIMEOUTS: Final = Timeouts()


class Segments(Protocol):
    """A body that is never in memory as a whole, such as a form with files that stand on disk.

    `content_type` is for the adapter, who writes all headers; a form names its boundary there.
    """

    content_type: bytes

    @property
    def total_bytes(self) -> int:
        """Return how many bytes the pieces have in all."""

    def pieces(self) -> Iterator[bytes]:
        """Return the pieces from the first one on, as often as it is asked.

        The client takes the next one when the last has gone out, on the loop's own thread: each is small (64 KiB) and
        made within the time that reading so much from a local disk takes.
        """


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """One request. Framing and connection headers among `headers` are dropped: the client writes its own."""

    method: str
    origin: Origin
    target: bytes
    """Path and query, as they stand on the request line."""
    headers: Headers = ()
    body: bytes | Segments = b""
    timeouts: Timeouts = DEFAULT_TIMEOUTS

    @property
    def body_bytes(self) -> int:
        """Return the length of the body."""
        return len(self.body) if isinstance(self.body, bytes) else self.body.total_bytes


def encode_head(request: UpstreamRequest, *, host_header: bytes) -> bytes:
    """Write the request line and headers, with Host and Content-Length, ready to be followed by the body.

    Raises InvalidRequest for anything that could not be read back as the same head.
    """
    if not _TARGET.fullmatch(request.target):
        raise InvalidRequest("a target starts with a slash and holds no space or control character")
    lines = [_method_bytes(request.method) + b" " + request.target + b" HTTP/1.1"]
    has_host = False
    for name, value in request.headers:
        kind = _header_kind(name)
        if kind == _DROP:
            continue
        if kind == _HOST:
            has_host = True
        lines.append(name + b": " + value)
    if not has_host:
        lines.insert(1, b"Host: " + host_header)
    body_bytes = request.body_bytes
    if body_bytes or request.method not in _BODYLESS:
        lines.append(b"Content-Length: %d" % body_bytes)
    head = b"\r\n".join(lines) + b"\r\n\r\n"
    line_count = len(lines) + 1
    if head.count(b"\n") != line_count or head.count(b"\r") != line_count or b"\0" in head:
        raise InvalidRequest("a header value holds a line break or a NUL")
    return head


def slices_of(body: bytes | Segments, *, most_bytes: int) -> Iterator[bytes | memoryview]:
    """Return a body bit by bit, from its beginning; what is in memory in slices, anything else in its own pieces."""
    if not isinstance(body, bytes):
        yield from body.pieces()
        return
    rest = memoryview(body)
    while rest:
        yield rest[:most_bytes]
        rest = rest[most_bytes:]


@lru_cache(maxsize=1024)
def _header_kind(name: bytes) -> int:
    """Tell whether a header is passed on, dropped, or the Host. Cached: names repeat on every call."""
    if not _TOKEN.fullmatch(name):
        raise InvalidRequest("a header name is not a token")
    lowered = name.lower()
    if lowered in _OWNED:
        return _DROP
    return _HOST if lowered == b"host" else _PASS


@lru_cache(maxsize=32)
def _method_bytes(method: str) -> bytes:
    encoded = method.encode("ascii", "replace")
    if not _TOKEN.fullmatch(encoded):
        raise InvalidRequest("a method is a token")
    return encoded


def _ascii_host(host: str) -> str:
    try:
        written = host.lower() if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise InvalidRequest("the host name cannot be written in ASCII") from error
    if not _HOST_NAME.fullmatch(written):
        raise InvalidRequest("the host name holds a character that names do not have")
    return written
