"""The local, append-only journal: an attempt is on this disk before any database hears of it.

Appending is what the event loop does, so it only encodes and queues. One thread writes what has queued and syncs
groups of lines; a killed process loses at most what queued within `flush_interval_s`, a power cut at most what was
written within `sync_interval_s`. A line is

    xxxxxxxx a {…}\\n

the CRC-32 of everything after the first space, the kind of the record (`a`: an attempt, as ended), its JSON.
A file is locked for as long as its writer lives, and its name is never used twice.

The queue is bounded. While the disk takes nothing, records are kept up to `max_backlog` and `accepting` turns false
there, so that the front door can refuse new calls. Calls under way may still append as many again; beyond that a
record goes whole into the log as an error, the last place left, and counts in `spilled`.
"""

import errno
import fcntl
import logging
import os
import re
import threading
import time
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from usage.records import AttemptRecord

__all__ = ["SUFFIX", "Entry", "Journal", "lock_file", "read_entries", "scan_entries"]

SUFFIX = ".journal"
_OPENING_SUFFIX = ".opening"
_ATTEMPT = b"a"
_WORKER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
_RETRY_INTERVAL_S = 0.25

logger = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AttemptRecord).decode
_crc32 = zlib.crc32


class Journal:
    """The journal of one worker. Raises OSError where the directory can't be written to at the start."""

    def __init__(
        self,
        directory: Path,
        *,
        worker: str,
        rotate_bytes: int = 64 * 1024 * 1024,
        flush_interval_s: float = 0.02,
        sync_interval_s: float = 0.05,
        max_backlog: int = 100_000,
    ) -> None:
        if not _WORKER_NAME.match(worker):
            raise ValueError(f"{worker!r} can't name a journal: use letters, digits, dots, dashes")
        self.failing = False
        self.spilled = 0
        self._flush_interval_s = flush_interval_s
        self._max_backlog = max_backlog
        self._queue: deque[bytes | threading.Event] = deque()
        self._waiting: list[threading.Event] = []
        self._writer = _Writer(directory, worker=worker, rotate_bytes=rotate_bytes, sync_interval_s=sync_interval_s)
        self._writer.open_file()
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._give_up = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"journal-{worker}", daemon=True)
        self._thread.start()

    @property
    def backlog(self) -> int:
        """Return how many records are not on the disk yet."""
        return len(self._queue) + self._writer.unsynced_records

    @property
    def accepting(self) -> bool:
        """Tell whether there is room for the records of new calls."""
        return not self._closed and self.backlog < self._max_backlog

    @property
    def path(self) -> Path:
        """Return the file in use."""
        return self._writer.path

    def append(self, record: AttemptRecord) -> None:
        """Queue a record for the disk; returns at once, from any thread."""
        body = b"a " + _encode(record)
        line = b"%08x %b\n" % (_crc32(body), body)
        if self._closed or len(self._queue) >= 2 * self._max_backlog:
            self._spill([line])
            return
        self._queue.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until everything appended so far is on the disk; False where that took longer than the timeout."""
        done = threading.Event()
        self._queue.append(done)
        self._hurry.set()
        self._wake.set()
        if not self._thread.is_alive():
            return not self.spilled
        return done.wait(timeout_s)

    def close(self, timeout_s: float = 10.0) -> None:
        """Write and sync what is left, let go of the file, and stop the thread.

        What a failing disk has not taken by the timeout goes into the log.
        """
        self._closed = True
        self._hurry.set()
        self._wake.set()
        self._thread.join(timeout_s)
        self._give_up.set()
        self._thread.join()

    def _run(self) -> None:
        while not (self._closed and self._is_idle()) and not self._give_up.is_set():
            self._wait_for_work()
            self._turn()
        left = self._writer.take_unsynced() + self._take_queued()
        self._spill(left)
        self._release()
        self._writer.close_file()

    def _is_idle(self) -> bool:
        return not self._queue and not self._writer.unsynced_records

    def _wait_for_work(self) -> None:
        if self.failing:
            self._give_up.wait(_RETRY_INTERVAL_S)
        elif self._queue or self._wake.wait(self._writer.sync_due_in_s()):
            self._hurry.wait(self._flush_interval_s)

    def _turn(self) -> None:
        """Write what has queued; sync when that is due or somebody waits for it."""
        self._wake.clear()
        self._hurry.clear()
        if not self._writer.has_rest:
            self._writer.take(self._take_queued())
        try:
            self._writer.write(sync=bool(self._waiting) or self._closed)
        except OSError as error:
            self._note(error)
            return
        self._note(None)
        if not self._writer.unsynced_records:
            self._release()

    def _take_queued(self) -> list[bytes]:
        """Empty the queue into lines, and set those who wait for them aside."""
        items = [self._queue.popleft() for _ in range(len(self._queue))]
        self._waiting += [item for item in items if isinstance(item, threading.Event)]
        return [item for item in items if isinstance(item, bytes)]

    def _release(self) -> None:
        for done in self._waiting:
            done.set()
        self._waiting.clear()

    def _note(self, error: OSError | None) -> None:
        """Log a change between writing and failing once."""
        if error is not None and not self.failing:
            logger.error("the journal can't write to %s: %s; keeping records in memory", self.path, error)
        elif error is None and self.failing:
            logger.warning("the journal writes again to %s", self.path)
        self.failing = error is not None

    def _spill(self, lines: list[bytes]) -> None:
        for line in lines:
            self.spilled += 1
            logger.error("a usage record found no room in the journal: %s", line.decode().rstrip())


class _Writer:
    """The file in use and the lines that are not safely in it. Only the journal's thread calls it, after the start."""

    def __init__(self, directory: Path, *, worker: str, rotate_bytes: int, sync_interval_s: float) -> None:
        self.path = directory
        self._directory = directory
        self._worker = worker
        self._rotate_bytes = rotate_bytes
        self._sync_interval_s = sync_interval_s
        self._fd = -1
        self._size_bytes = 0
        self._unsynced: list[bytes] = []
        self._rest = memoryview(b"")
        self._synced_at_s = 0.0

    @property
    def unsynced_records(self) -> int:
        return len(self._unsynced)

    @property
    def has_rest(self) -> bool:
        return bool(self._rest)

    def sync_due_in_s(self) -> float | None:
        """Return the seconds until written lines want a sync; None where there are none."""
        if not self._unsynced:
            return None
        return max(0.0, self._synced_at_s + self._sync_interval_s - time.monotonic())

    def take(self, lines: list[bytes]) -> None:
        """Accept lines for the next write; only where nothing is left of the last one."""
        if not lines:
            return
        if not self._unsynced:
            self._synced_at_s = time.monotonic()
        self._unsynced += lines
        self._rest = memoryview(b"".join(lines))

    def take_unsynced(self) -> list[bytes]:
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
        self._unsynced = []

    def _start_over(self, error: OSError) -> None:
        """Go on in a new file with every unsynced line: after a failed sync the old one can't be trusted.

        Lines that did reach the old file are then there twice, which their attempt ids make harmless.
        """
        if self._size_bytes:
            try:
                self.open_file()
            except OSError as again:
                raise again from error
        self._rest = memoryview(b"".join(self._unsynced))

    def open_file(self) -> None:
        """Open, lock and name a new file, and let go of the old one.

        It gets its name after its lock, so that a shipper never sees a file without its living writer.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        name = f"{self._worker}-{time.time_ns():016x}{os.urandom(4).hex()}{SUFFIX}"
        path = self._directory / name
        opening = path.with_suffix(_OPENING_SUFFIX)
        fd = os.open(opening, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            opening.rename(path)
            _sync_directory(self._directory)
        except OSError:
            os.close(fd)
            opening.unlink(missing_ok=True)
            raise
        self.close_file()
        self._fd, self.path, self._size_bytes = fd, path, 0

    def close_file(self) -> None:
        """Let go of the file and its lock."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@dataclass(frozen=True, slots=True)
class Entry:
    """One complete line of a journal: the record, or why there is none."""

    line: bytes
    end_offset: int
    record: AttemptRecord | None
    fault: str = ""


def read_entries(path: Path, offset: int) -> Iterator[tuple[AttemptRecord, int]]:
    """Yield the records of a journal from a byte offset on, each with the offset where it ends.

    Stops at a last line that is torn. Damaged lines before it are skipped and reported in the log.
    """
    damaged = 0
    for entry in scan_entries(path, offset):
        if entry.record is None:
            damaged += 1
            logger.error("%s: line ending at byte %d: %s", path.name, entry.end_offset, entry.fault)
        else:
            yield entry.record, entry.end_offset
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
            entry = _entry_of(line, offset)
            if entry.record is None:
                held.append(entry)
                continue
            yield from held
            held.clear()
            yield entry


def _entry_of(line: bytes, end_offset: int) -> Entry:
    body = line[9:-1]
    if line[:9] != b"%08x " % _crc32(body):
        return Entry(line, end_offset, None, "the checksum is wrong")
    kind, _, text = body.partition(b" ")
    if kind != _ATTEMPT:
        return Entry(line, end_offset, None, f"no known kind of record: {kind!r}")
    try:
        return Entry(line, end_offset, _decode(text))
    except msgspec.DecodeError as error:
        return Entry(line, end_offset, None, str(error))


def lock_file(path: Path) -> int | None:
    """Take the lock that the writer of a journal holds while it lives.

    Returns the open descriptor, to be closed by the caller; None while the writer lives or where the file is gone.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
