"""Responses events on the wire: an `event:` line that repeats the type, a `data:` line, a blank line.

OpenAI's streaming reference, November 2026; followers leave the `event:` line out, and some end with `[DONE]`.
"""

from providers.dialects import sse

DONE = b"[DONE]"


def data_of(event: bytes) -> bytes | None:
    """Return the data of an event, None for comments; quick for the usual two lines."""
    if event.startswith(b"event:"):
        start = event.find(b"\n") + 1
        if event.startswith(b"data: ", start) and event.find(b"\n", start) == len(event) - 2:
            return event[start + 6 : -2]
    return sse.data_of(event)


def encode(kind: str, data: bytes) -> bytes:
    """Write an event under its name."""
    return b"event: " + kind.encode() + b"\n" + sse.encode(data)
