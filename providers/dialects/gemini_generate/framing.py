"""The two forms of a streamed answer: server-sent events, and one JSON array that grows.

Without `alt=sse` Gemini streams the array. Google's server ends lines with CRLF, and neither form has a last word: the
stream is whole when every candidate has named its reason (November 2026 [mem]).
"""

from providers.dialects import sse


class Frames:
    """Writes chunks as server-sent events."""

    content_type = b"text/event-stream"

    def frame(self, chunk: bytes) -> bytes:
        """Return a chunk as it travels."""
        return b"data: " + chunk + b"\r\n\r\n"

    def close(self) -> bytes:
        """Return what has to stand at the end."""
        return b""


class ArrayFrames(Frames):
    """Writes chunks as the members of one JSON array."""

    content_type = b"application/json"

    def __init__(self) -> None:
        self._is_open = False

    def frame(self, chunk: bytes) -> bytes:
        """Return a chunk with what parts it from the one before."""
        start = b"\n,\r\n" if self._is_open else b"["
        self._is_open = True
        return start + chunk

    def close(self) -> bytes:
        """Return the end of the array."""
        return b"]" if self._is_open else b"[]"


def payload_of(event: bytes) -> bytes | None:
    """Return the data of an event; None for comments and events without data."""
    return payload_of_one(event) if is_one_event(event) else sse.data_of(event)


def is_one_event(data: bytes) -> bool:
    """Tell whether bytes are exactly one event of one line, the usual case."""
    if data[:6] != b"data: ":
        return False
    if data[-4:] == b"\r\n\r\n":
        return data.find(b"\n") == len(data) - 3
    return data[-2:] == b"\n\n" and data.find(b"\n") == len(data) - 2


def payload_of_one(data: bytes) -> bytes:
    """Return the data of bytes that are exactly one event of one line."""
    return data[6:].rstrip(b"\r\n")
