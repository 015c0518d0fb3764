"""The attempts under way, in a file that outlives their worker: what has begun is here before anything is sent.

The file is mapped into memory and shared with the kernel's page cache, so that writing a record is a copy of some
hundred bytes without a system call, and a process killed at any instruction leaves everything that it wrote. A power
cut may lose what the kernel had not written back by itself: begun attempts of the last half minute, whose calls the
power cut has ended too.

An attempt has a slot, a slot has two halves, and a write goes to the half that was not written last: a kill in the
middle of it leaves the other. A half holds one line, in the form of the journal's.
"""

import logging
import mmap
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from usage.journal.files import INFLIGHT_SUFFIX, create_locked
from usage.journal.lines import line_of, parse_line
from usage.records import AttemptRecord

__all__ = ["HALF_BYTES", "MAX_SLOTS", "Inflight", "InflightFull", "read_left"]

HALF_BYTES = 2048
MAX_SLOTS = 65_536
_SLOT_BYTES = 2 * HALF_BYTES
_FIRST_SLOTS = 256
_ROOM_TO_END = 512  # what the numbers of an ended record may take beyond those of a begun one
_BEGUN_BYTES = HALF_BYTES - _ROOM_TO_END
_TEXTS = ("route", "target", "model", "chosen_because", "error_code", "finish_reason")
_CUTS = ((64, 128), (24, 64), (0, 24))  # characters of the texts, and of the request's id, that are left

logger = logging.getLogger(__name__)


class InflightFull(OSError):
    """No slot for another attempt: the disk is full, too many are under way, or the file is closed."""


class Inflight:
    """The file of one worker. `begin` and `put` belong to one thread, the rest may be called from another.

    Raises OSError where the file can't be made.
    """

    def __init__(self, directory: Path, *, worker: str, slots: int = _FIRST_SLOTS) -> None:
        self._growing = threading.Lock()
        self._free: deque[int] = deque()
        self._next_half: list[int] = []
        self._stuck = False
        self._fd, self.path = create_locked(directory, worker=worker, suffix=INFLIGHT_SUFFIX, flags=os.O_RDWR)
        try:
            self._map_slots(slots)
        except OSError:
            self.path.unlink()
            os.close(self._fd)
            raise

    @property
    def under_way(self) -> int:
        """Return how many slots are taken."""
        return len(self._next_half) - len(self._free)

    @property
    def is_full(self) -> bool:
        """Tell whether there is no slot left, and the last try to get more failed."""
        return not self._free and self._stuck

    @property
    def wants_room(self) -> bool:
        """Tell whether `make_room` should be called, off the event loop, before the slots run out."""
        return not self._stuck and len(self._free) * 4 < len(self._next_half)

    def begin(self, record: AttemptRecord) -> int:
        """Write down an attempt that is about to begin; return its slot. Raises InflightFull."""
        whole = line_of(record)
        line = whole if len(whole) <= _BEGUN_BYTES else _fit(record, _BEGUN_BYTES)
        if line is None:
            raise InflightFull(f"the record of {record.attempt_id} is too long")
        try:
            slot = self._free.pop()
        except IndexError:
            slot = self._make_slot()
        half = slot * _SLOT_BYTES
        self._next_half[slot] = half + HALF_BYTES
        try:
            self._map[half : half + len(line)] = line
        except ValueError as error:
            raise InflightFull("the file of attempts under way is closed") from error
        return slot

    def put(self, slot: int, record: AttemptRecord, line: bytes) -> bool:
        """Write down how an attempt goes on or has ended; False where the file is closed or the line finds no room."""
        fitting = line if len(line) <= HALF_BYTES else _fit(record, HALF_BYTES)
        if fitting is None:
            return False
        half = self._next_half[slot]
        try:
            self._map[half : half + len(fitting)] = fitting
        except ValueError:
            return False
        self._next_half[slot] = half ^ HALF_BYTES
        return True

    def free_all(self, slots: Iterable[int]) -> None:
        """Forget attempts that stand elsewhere."""
        for slot in slots:
            start = slot * _SLOT_BYTES
            shown = self._map  # asked for each time: another thread may put a longer one there
            shown[start] = shown[start + HALF_BYTES] = 0
            self._free.append(slot)

    def make_room(self) -> None:
        """Double the slots where few are left; a failure is logged once, and the next call tries again."""
        with self._growing:
            slots = len(self._next_half)
            if len(self._free) * 4 >= slots:
                self._stuck = False
                return
            try:
                self._grow(slots)
            except OSError as error:
                if not self._stuck:
                    logger.error("no room for more than %d attempts under way: %s", slots, error)
                self._stuck = True
            else:
                self._stuck = False

    def close(self) -> None:
        """Let go of the file and its lock; what is in it is the shipper's from here on."""
        self._map.close()
        os.close(self._fd)

    def _make_slot(self) -> int:
        while True:
            self.make_room()
            if self.is_full:
                raise InflightFull("no room to write down another attempt")
            with suppress(IndexError):
                return self._free.pop()

    def _grow(self, slots: int) -> None:
        if slots >= MAX_SLOTS:
            raise InflightFull("that is the bound")
        self._map_slots(2 * slots)

    def _map_slots(self, slots: int) -> None:
        """Map so many slots, with blocks of the disk for each: in a sparse file a full disk would kill the process.

        The old map goes when nobody holds it; both show the same memory. New slots are offered last.
        """
        known = len(self._next_half)
        os.posix_fallocate(self._fd, known * _SLOT_BYTES, (slots - known) * _SLOT_BYTES)
        self._map = mmap.mmap(self._fd, slots * _SLOT_BYTES, mmap.MAP_SHARED)
        self._next_half += [0] * (slots - known)
        self._free.extendleft(range(known, slots))  # the others are used first: their pages are in memory


def read_left(path: Path) -> list[AttemptRecord]:
    """Return what a dead worker left behind: of each attempt that was under way, how far it was known to have come."""
    return [record for slot in _slots_of(path) if (record := _latest_of(slot)) is not None]


def _slots_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while slot := file.read(_SLOT_BYTES):
            if slot[0] or slot[HALF_BYTES : HALF_BYTES + 1].strip(b"\0"):
                yield slot


def _latest_of(slot: bytes) -> AttemptRecord | None:
    """Return the later of the sound halves: the one that has ended, else the one that has come further."""
    halves = (_record_in(slot[:HALF_BYTES]), _record_in(slot[HALF_BYTES:]))
    sound = [record for record in halves if record is not None]
    return max(sound, key=lambda record: (record.ending != "lost", record.usage.output_tokens), default=None)


def _record_in(half: bytes) -> AttemptRecord | None:
    line, newline, _ = half.partition(b"\n")
    record = parse_line(line + newline).record if newline else None
    return record if isinstance(record, AttemptRecord) else None


def _fit(record: AttemptRecord, length: int) -> bytes | None:
    """Shorten the texts of a record, its request's id last, until its line has the length; None where it never has."""
    for text, request_id in _CUTS:
        cut = {name: getattr(record, name)[:text] for name in _TEXTS}
        cut["request_id"] = record.request_id[:request_id]
        shorter = line_of(msgspec.structs.replace(record, **cut))
        if len(shorter) <= length:
            return shorter
    return None
