"""Writing event streams as Amazon's services do, to read them back; botocore has only the reading half."""

import struct
import uuid
from binascii import crc32
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

CASSETTES = Path(__file__).resolve().parents[3] / "cassettes" / "bedrock"
Typed = tuple[int, Any]  # a header's type on the wire, and its value

_NUMBERS = {2: ">b", 3: ">h", 4: ">i", 5: ">q", 8: ">q"}


def frame(headers: Mapping[str, str | Typed], payload: bytes) -> bytes:
    """Return one message; a header that is a mere text is of the type for texts."""
    block = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", 12 + len(block) + len(payload) + 4, len(block))
    head = prelude + struct.pack(">I", crc32(prelude)) + block + payload
    return head + struct.pack(">I", crc32(head))


def event(kind: str, body: Any) -> bytes:
    """Return an event of Converse."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, msgspec.json.encode(body))


def exception(kind: str, message: str) -> bytes:
    """Return an exception in a stream."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, msgspec.json.encode({"message": message}))


def text_delta(text: str, index: int = 0) -> bytes:
    """Return a piece of text, padded as Bedrock pads it."""
    return event("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": text}, "p": "abcdefgh"})


def stop(reason: str = "end_turn") -> bytes:
    """Return the end of a message."""
    return event("messageStop", {"stopReason": reason})


def metadata(input_tokens: int = 10, output_tokens: int = 2, **more: int) -> bytes:
    """Return the usage that follows it."""
    total = input_tokens + output_tokens
    usage = {"inputTokens": input_tokens, "outputTokens": output_tokens, "totalTokens": total, **more}
    return event("metadata", {"usage": usage, "metrics": {"latencyMs": 1}})


def cassette(name: str) -> Any:
    """Return a recorded exchange."""
    return msgspec.json.decode((CASSETTES / name).read_bytes())


def stream(name: str) -> bytes:
    """Return a recorded stream."""
    return (CASSETTES / name).read_bytes()


def _header(name: str, value: str | Typed) -> bytes:
    kind, inner = (7, value) if isinstance(value, str) else value
    return bytes([len(name.encode())]) + name.encode() + bytes([kind]) + _value(kind, inner)


def _value(kind: int, value: Any) -> bytes:
    if kind in _NUMBERS:
        return struct.pack(_NUMBERS[kind], value)
    if kind in (6, 7):
        data = value.encode() if isinstance(value, str) else value
        return struct.pack(">H", len(data)) + bytes(data)
    return uuid.UUID(bytes=value).bytes if kind == 9 else b""
