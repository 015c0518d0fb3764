"""Server-sent events: cutting a byte stream into events, whatever the chunk boundaries.

An event keeps its own bytes, blank line included, so that it can be passed on untouched.
"""

import re

MAX_EVENT_BYTES = 16 * 1024 * 1024

_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


class EventTooLarge(Exception):
    """No blank line within MAX_EVENT_BYTES."""


class EventSplitter:
    """Holds back an unfinished event and hands out the finished ones."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    @property
    def rest(self) -> bytes:
        """Return the bytes of the event that is not finished."""
        return self._rest

    def feed(self, data: bytes) -> list[bytes]:
        """Return the events that these bytes finish. Raises EventTooLarge."""
        if self._rest:
            data = self._rest + data
        if b"\r" in data:
            return self._feed_any_line_end(data)
        if 0 < data.find(b"\n\n") == len(data) - 2:  # the usual case: exactly one whole event
            self._rest = b""
            return [data]
        parts = data.split(b"\n\n")
        self._keep(parts.pop())
        return [part + b"\n\n" for part in parts]

    def _feed_any_line_end(self, data: bytes) -> list[bytes]:
        events, start = [], 0
        for match in _END.finditer(data):
            events.append(data[start : match.end()])
            start = match.end()
        self._keep(data[start:])
        return events

    def _keep(self, rest: bytes) -> None:
        if len(rest) > MAX_EVENT_BYTES:
            raise EventTooLarge(f"an event of more than {MAX_EVENT_BYTES} bytes")
        self._rest = rest


def is_one_line(data: bytes) -> bool:
    """Tell whether bytes are exactly one event of one line, `data: …` and a blank line."""
    return data.startswith(b"data: ") and data.endswith(b"\n\n") and data.find(b"\n") == len(data) - 2


def data_of(event: bytes) -> bytes | None:
    """Return the data of an event, lines joined; None for comments and events without data."""
    if is_one_line(event):
        return event[6:-2]
    lines = [line[5:].removeprefix(b" ") for line in event.splitlines() if line.startswith(b"data:")]
    return b"\n".join(lines) if lines else None


def encode(data: bytes) -> bytes:
    """Write one event with one line of data."""
    return b"data: " + data + b"\n\n"
