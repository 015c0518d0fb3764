"""The journal's file in use: lines are written to it, synced in groups, and safe or kept."""

import errno
import math
import os
import time
from pathlib import Path

from usage.journal.files import JOURNAL_SUFFIX, create_locked
from usage.journal.inflight import Inflight

NO_SLOT = -1
_FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
Line = tuple[bytes, int]  # with the slot that holds it too


class Writer:
    """The file in use and the lines that are not safely in it. Only the journal's thread calls it, after the start."""

    def __init__(
        self, directory: Path, inflight: Inflight, *, worker: str, rotate_bytes: int, sync_interval_s: float
    ) -> None:
        self.path = directory
        self._directory = directory
        self._inflight = inflight
        self._worker = worker
        self._rotate_bytes = rotate_bytes
        self._sync_interval_s = sync_interval_s
        self._fd = -1
        self._size_bytes = 0
        self._unsynced: list[Line] = []
        self._rest = memoryview(b"")
        self._synced_at_s = 0.0

    @property
    def unsynced_records(self) -> int:
        return len(self._unsynced)

    @property
    def has_rest(self) -> bool:
        return bool(self._rest)

    def sync_due_in_s(self) -> float:
        """Return the seconds until written lines want a sync; infinitely many where there are none."""
        if not self._unsynced:
            return math.inf
        return max(0.0, self._synced_at_s + self._sync_interval_s - time.monotonic())

    def take(self, lines: list[Line]) -> None:
        """Accept lines for the next write; only where nothing is left of the last one."""
        if not lines:
            return
        if not self._unsynced:
            self._synced_at_s = time.monotonic()
        self._unsynced += lines
        self._rest = _join(lines)

    def take_unsynced(self) -> list[Line]:
        """Hand over the lines that never reached the disk."""
        lines, self._unsynced, self._rest = self._unsynced, [], memoryview(b"")
        return lines

    def write(self, *, sync: bool) -> None:
        """Write every accepted line; sync where asked or due; go on to a new file where this one is full.

        Raises OSError where the disk fails; the lines are kept, and writing again goes on where it stopped.
        """
        try:
            self._write_rest()
            full = self._size_bytes >= self._rotate_bytes
            if self._unsynced and (sync or full or self.sync_due_in_s() == 0.0):
                self._sync()
        except OSError as error:
            if not (self._rest and error.errno in _FULL_DISK):
                self._start_over(error)
            raise
        if full:
            self.open_file()

    def _write_rest(self) -> None:
        while self._rest:
            written = os.write(self._fd, self._rest)
            self._size_bytes += written
            self._rest = self._rest[written:]

    def _sync(self) -> None:
        os.fdatasync(self._fd)
        synced, self._unsynced = self._unsynced, []
        self._inflight.free_all([slot for _, slot in synced if slot != NO_SLOT])

    def _start_over(self, error: OSError) -> None:
        """Go on in a new file with every unsynced line: after a failed sync the old one can't be trusted.

        Lines that did reach the old file are then there twice, which their attempt ids make harmless.
        """
        if self._size_bytes:
            try:
                self.open_file()
            except OSError as again:
                raise again from error
        self._rest = _join(self._unsynced)

    def turn_over(self) -> None:
        """Go on in a new file where this one holds anything and all of it is on the disk."""
        if self._size_bytes and not self._unsynced and not self._rest:
            self.open_file()

    def open_file(self) -> None:
        """Go on in a new file, and let go of the old one."""
        flags = os.O_WRONLY | os.O_APPEND
        fd, path = create_locked(self._directory, worker=self._worker, suffix=JOURNAL_SUFFIX, flags=flags)
        self.close_file()
        self._fd, self.path, self._size_bytes = fd, path, 0

    def close_file(self) -> None:
        """Let go of the file and its lock."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _join(lines: list[Line]) -> memoryview:
    return memoryview(b"".join([line for line, _ in lines]))
