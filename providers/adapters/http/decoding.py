"""Undo gzip and deflate as the bytes come, never more than a bounded piece at a time.

A small compressed body can stand for gigabytes. What is not asked for stays compressed, so that a bomb meets the
reader's own limit before it meets this process's memory.
"""

import zlib
from typing import Final

MAX_PIECE_BYTES: Final = 256 * 1024
"""The most one call of decode() gives back."""

_GZIP: Final = zlib.MAX_WBITS | 16
_ZLIB: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS
_GZIP_MAGIC: Final = b"\x1f"


class CorruptBody(Exception):
    """The compressed bytes do not decompress, or end too early."""


class Decoder:
    """One body's decompression: gzip (several members too) or deflate (with zlib wrapper, or raw as some send it)."""

    __slots__ = ("_inflate", "_is_gzip", "_pending", "has_more")

    def __init__(self, *, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._inflate: zlib._Decompress | None = None
        self._pending = b""
        self.has_more = False
        """Whether decode(b"") may still give something."""

    def decode(self, data: bytes) -> bytes:
        """Give the next piece of plain bytes, at most MAX_PIECE_BYTES; it may be empty. Raises CorruptBody."""
        compressed = self._pending + data if self._pending else data
        if not compressed and not self.has_more:
            return b""
        inflate = self._inflate or self._start(compressed)
        try:
            plain = inflate.decompress(compressed, MAX_PIECE_BYTES)
        except zlib.error as error:
            raise CorruptBody(str(error)) from error
        if not inflate.eof:
            # A full piece may leave output inside zlib although all input is consumed.
            self._pending = inflate.unconsumed_tail
            self.has_more = len(plain) == MAX_PIECE_BYTES
        else:
            self._pending = self._next_member(inflate.unused_data)
            self.has_more = bool(self._pending)
        return plain

    def finish(self) -> None:
        """Check that the body ended where its compression ends. Raises CorruptBody. No body at all is fine."""
        if self._inflate is not None and not self._inflate.eof:
            raise CorruptBody("the compressed body is cut short")

    def discard(self) -> None:
        """Forget what was not asked for."""
        self._pending = b""
        self.has_more = False

    def _start(self, first: bytes) -> "zlib._Decompress":
        if self._is_gzip:
            self._inflate = zlib.decompressobj(_GZIP)
            return self._inflate
        # RFC 9110 8.4.1.2 says zlib format; some servers send raw deflate. The zlib header is recognisable:
        # method 8 in the low nibble.
        self._inflate = zlib.decompressobj(_ZLIB if first[0] & 0x0F == 8 and first[0] >> 4 <= 7 else _RAW)
        return self._inflate

    def _next_member(self, rest: bytes) -> bytes:
        """Begin the next gzip member if `rest` looks like one; padding after the last is dropped."""
        if not self._is_gzip or not rest.startswith(_GZIP_MAGIC):
            return b""
        self._inflate = zlib.decompressobj(_GZIP)
        return rest


def decoder_for(content_encoding: bytes) -> Decoder | None:
    """Find the decoder for a Content-Encoding, None when it is unknown and the body is passed on as it is."""
    match content_encoding.strip().lower():
        case b"gzip" | b"x-gzip":
            return Decoder(is_gzip=True)
        case b"deflate":
            return Decoder(is_gzip=False)
        case _:
            return None
