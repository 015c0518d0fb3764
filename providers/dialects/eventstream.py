"""Amazon's event streams: cutting a byte stream into framed messages, whatever the chunk boundaries.

`application/vnd.amazon.eventstream` as the Smithy specification has it (November 2026). A message is

    total length | headers length | CRC-32 of these two | headers | payload | CRC-32 of all before

with lengths and sums as big-endian words of four bytes; both lengths count bytes, and the total counts all of it.
"""

import struct
from binascii import crc32
from collections.abc import Mapping
from functools import lru_cache
from struct import Struct
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

MAX_FRAME_BYTES = 16 * 1024 * 1024
MAX_HEADERS_BYTES = 128 * 1024

_PRELUDE_BYTES = 12
_SUM_BYTES = 4
_REPEATED_HEADERS_BYTES = 256  # what is remembered; each kind of event has the same headers every time

_PRELUDE = Struct(">III")
_SUM = Struct(">I")
_SIZE = Struct(">H")
_TRUE, _FALSE, _BYTES, _STRING, _UUID = 0, 1, 6, 7, 9
_NUMBERS = MappingProxyType({2: Struct(">b"), 3: Struct(">h"), 4: Struct(">i"), 5: Struct(">q"), 8: Struct(">q")})
_UUID_BYTES = 16

Value: TypeAlias = bool | int | str | bytes
Headers: TypeAlias = Mapping[str, Value]


class FrameBroken(Exception):
    """The bytes are no event stream: a wrong sum, an impossible length, a header of no known type."""


class Frame(NamedTuple):
    """One message. Instants among its headers are in milliseconds since the epoch."""

    headers: Headers
    payload: bytes


class FrameSplitter:
    """Holds back an unfinished message and hands out the finished ones.

    `broken` is set where the bytes are no event stream; nothing is handed out after it.
    """

    __slots__ = ("_needed_bytes", "_rest", "broken")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._needed_bytes = _PRELUDE_BYTES
        self.broken: FrameBroken | None = None

    @property
    def rest(self) -> bytes:
        """Return the bytes of the message that is not finished."""
        return bytes(self._rest)

    def feed(self, data: bytes) -> list[Frame]:
        """Return the messages that these bytes finish, up to where they are broken."""
        if self.broken is not None:
            return []
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed_bytes:
                return []
            data = bytes(self._rest)
        frames: list[Frame] = []
        try:
            start = self._cut(data, frames)
        except FrameBroken as error:
            self.broken = error
            return frames
        self._rest = bytearray(data[start:])
        return frames

    def _cut(self, data: bytes, frames: list[Frame]) -> int:
        """Append every whole message and return where the next one begins. Raises FrameBroken."""
        start, size = 0, len(data)
        while size - start >= _PRELUDE_BYTES:
            total_bytes, headers_bytes, prelude_sum = _PRELUDE.unpack_from(data, start)
            if crc32(data[start : start + 8]) != prelude_sum:
                raise FrameBroken("a message's prelude does not match its sum")
            _check_lengths(total_bytes, headers_bytes)
            if size - start < total_bytes:
                self._needed_bytes = total_bytes
                return start
            frames.append(_read(data[start : start + total_bytes], headers_bytes))
            start += total_bytes
        self._needed_bytes = _PRELUDE_BYTES
        return start


def _check_lengths(total_bytes: int, headers_bytes: int) -> None:
    if total_bytes > MAX_FRAME_BYTES or headers_bytes > MAX_HEADERS_BYTES:
        raise FrameBroken(f"a message of {total_bytes} bytes, of which {headers_bytes} are headers, is too large")
    if headers_bytes + _PRELUDE_BYTES + _SUM_BYTES > total_bytes:
        raise FrameBroken("a message's headers are longer than the message")


def _read(frame: bytes, headers_bytes: int) -> Frame:
    end = len(frame) - _SUM_BYTES
    if crc32(memoryview(frame)[:end]) != _SUM.unpack_from(frame, end)[0]:
        raise FrameBroken("a message does not match its sum")
    payload_at = _PRELUDE_BYTES + headers_bytes
    block = frame[_PRELUDE_BYTES:payload_at]
    headers = _read_headers(block) if headers_bytes > _REPEATED_HEADERS_BYTES else _read_repeated(block)
    return Frame(headers, frame[payload_at:end])


def _read_headers(block: bytes) -> Headers:
    headers: dict[str, Value] = {}
    at = 0
    try:
        while at < len(block):
            name_end = at + 1 + block[at]
            name = block[at + 1 : name_end].decode()
            headers[name], at = _read_value(block, block[name_end], name_end + 1)
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise FrameBroken("a message's headers are cut short or malformed") from error
    return MappingProxyType(headers)


_read_repeated = lru_cache(maxsize=128)(_read_headers)


def _read_value(block: bytes, kind: int, at: int) -> tuple[Value, int]:
    """Return a header's value and where the next header begins."""
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, at
    number = _NUMBERS.get(kind)
    if number is not None:
        value: int = number.unpack_from(block, at)[0]
        return value, at + number.size
    if kind == _UUID:
        return _slice(block, at, _UUID_BYTES), at + _UUID_BYTES
    if kind not in (_BYTES, _STRING):
        raise FrameBroken(f"a header of the unknown type {kind}")
    size: int = _SIZE.unpack_from(block, at)[0]
    found = _slice(block, at + _SIZE.size, size)
    return (found.decode() if kind == _STRING else found), at + _SIZE.size + size


def _slice(block: bytes, at: int, size: int) -> bytes:
    if at + size > len(block):
        raise FrameBroken("a message's headers are cut short or malformed")
    return block[at : at + size]
