"""A line of a journal: how a record is written so that damage shows, and how lines are read back. A line is

    xxxxxxxx a {…}\\n

the CRC-32 of everything after the first space, the kind of the record (`a` an attempt, `d` a denial), its JSON.
"""

import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from usage.records import AttemptRecord, DenialRecord

__all__ = ["Entry", "line_of", "parse_line", "read_entries", "scan_entries"]

logger = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_crc32 = zlib.crc32
_ATTEMPT, _DENIAL = _crc32(b"a "), _crc32(b"d ")  # where the checksum of what follows goes on from
_DECODERS: dict[bytes, msgspec.json.Decoder[AttemptRecord] | msgspec.json.Decoder[DenialRecord]] = {
    b"a": msgspec.json.Decoder(AttemptRecord),
    b"d": msgspec.json.Decoder(DenialRecord),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One complete line of a journal: the record, or why there is none."""

    line: bytes
    end_offset: int
    record: AttemptRecord | DenialRecord | None
    fault: str = ""


def line_of(record: AttemptRecord | DenialRecord) -> bytes:
    """Write a record as a line."""
    text = _encode(record)
    if type(record) is AttemptRecord:
        return b"%08x a %b\n" % (_crc32(text, _ATTEMPT), text)
    return b"%08x d %b\n" % (_crc32(text, _DENIAL), text)


def parse_line(line: bytes, end_offset: int = 0) -> Entry:
    """Read a line, the newline included."""
    body = line[9:-1]
    if line[:9] != b"%08x " % _crc32(body):
        return Entry(line, end_offset, None, "the checksum is wrong")
    kind, _, text = body.partition(b" ")
    decoder = _DECODERS.get(kind)
    if decoder is None:
        return Entry(line, end_offset, None, f"no known kind of record: {kind!r}")
    try:
        return Entry(line, end_offset, decoder.decode(text))
    except msgspec.DecodeError as error:
        return Entry(line, end_offset, None, str(error))


def read_entries(path: Path, offset: int) -> Iterator[tuple[AttemptRecord, int]]:
    """Yield the attempts of a journal from a byte offset on, each with the offset where it ends.

    Stops at a last line that is torn. Damaged lines before it are skipped and reported in the log.
    """
    damaged = 0
    for entry in scan_entries(path, offset):
        if isinstance(entry.record, AttemptRecord):
            yield entry.record, entry.end_offset
        elif entry.record is None:
            damaged += 1
            logger.error("%s: line ending at byte %d: %s", path.name, entry.end_offset, entry.fault)
    if damaged:
        logger.error("%s: skipped %d damaged lines", path.name, damaged)


def scan_entries(path: Path, offset: int) -> Iterator[Entry]:
    """Yield every line of a journal from a byte offset on, the damaged too, except a torn end.

    A damaged line may still be in the making while it is the last one, so it waits for a complete line after it.
    """
    held: list[Entry] = []
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            entry = parse_line(line, offset)
            if entry.record is None:
                held.append(entry)
                continue
            yield from held
            held.clear()
            yield entry
