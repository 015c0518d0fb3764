"""The local, append-only journal: an attempt is on this disk before any database hears of it.

Two files belong to a worker. What begins goes into the file of attempts under way, which a killed process can't lose;
what has ended goes there too, and into the journal, from which the shipper takes it to the database. One thread writes
what has queued and syncs groups of lines: a killed process loses nothing that had begun; a power cut loses at most
what was written within `sync_interval_s` and the calls that it cut.

The queue is bounded. While the disk takes nothing, records are kept up to `max_backlog` and `accepting` turns false
there, so that the front door can refuse new calls; it also does where no attempt can be written down as begun, and
where the directory holds `max_directory_bytes` of journals that nobody has shipped. Calls under way may still end:
their records stay in their slots. What has no slot may queue as much again; beyond that it goes whole into the log as
an error, the last place left, and counts in `spilled`.
"""

import errno
import logging
import math
import os
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from usage.journal.files import JOURNAL_SUFFIX, create_locked, require_worker_name
from usage.journal.inflight import Inflight
from usage.journal.lines import line_of
from usage.records import AttemptRecord, DenialRecord

__all__ = ["Journal"]

_FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
_FILES_WITHIN_BOUND = 32  # the living workers' own files count too, shipped or not
_RETRY_INTERVAL_S = 0.25
_LOOK_INTERVAL_S = 1.0
_ALARM_SHARE = 0.8
_NO_SLOT = -1

logger = logging.getLogger(__name__)
_Line = tuple[bytes, int]  # with the slot that holds it too


class Journal:
    """The journal of one worker. Raises OSError where the directory can't be written to at the start."""

    def __init__(
        self,
        directory: Path,
        *,
        worker: str,
        rotate_bytes: int = 16 * 1024 * 1024,
        flush_interval_s: float = 0.05,
        sync_interval_s: float = 0.05,
        max_backlog: int = 100_000,
        max_directory_bytes: int = 4 * 1024 * 1024 * 1024,
    ) -> None:
        self.worker = require_worker_name(worker)
        self.failing = False
        self.spilled = 0
        self._flush_interval_s = flush_interval_s
        self._max_backlog = max_backlog
        self._queue: deque[_Line | threading.Event] = deque()
        self._waiting: list[threading.Event] = []
        # A worker's first file and its last: while it is there, somebody still has to hear that the worker is gone.
        self._inflight = Inflight(directory, worker=worker)
        self._writer = _Writer(
            directory,
            self._inflight,
            worker=worker,
            rotate_bytes=min(rotate_bytes, max_directory_bytes // _FILES_WITHIN_BOUND),
            sync_interval_s=sync_interval_s,
        )
        self._writer.open_file()
        self._directory = _Directory(directory, max_bytes=max_directory_bytes)
        self._directory.look()
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
    def backlog_bytes(self) -> int:
        """Return what the directory's journals took at the last look, those of other workers included."""
        return self._directory.size_bytes

    @property
    def alarming(self) -> bool:
        """Tell whether the directory is nearly as full as it may become, because nobody ships it."""
        return self._directory.alarming

    @property
    def accepting(self) -> bool:
        """Tell whether there is room for the records of new calls."""
        return not (
            self._closed
            or self._directory.full
            or self._inflight.is_full
            or len(self._queue) + self._writer.unsynced_records >= self._max_backlog
        )

    @property
    def path(self) -> Path:
        """Return the file in use."""
        return self._writer.path

    def begin(self, record: AttemptRecord) -> int:
        """Write down what is true of an attempt if this process dies now; return its slot. Raises InflightFull.

        Once this has returned, no kill can lose the attempt: send nothing upstream before.
        """
        return self._inflight.begin(record)

    def revise(self, slot: int, record: AttemptRecord) -> None:
        """Write down how far an attempt has come, instead of what was there."""
        self._inflight.put(slot, record, line_of(record))

    def end(self, slot: int, record: AttemptRecord) -> None:
        """Write down how an attempt has ended and queue it for the disk; its slot is free once it is there.

        Returns at once. After `close` the record stays in its slot where that is still possible.
        """
        line = line_of(record)
        kept = self._inflight.put(slot, record, line)
        if not self._closed:
            self._enqueue((line, slot))
        elif not kept:
            self._spill([line])

    def append(self, record: AttemptRecord | DenialRecord) -> None:
        """Queue a record that has no slot for the disk; returns at once, from any thread."""
        line = line_of(record)
        if self._closed or len(self._queue) >= 2 * self._max_backlog:
            self._spill([line])
            return
        self._enqueue((line, _NO_SLOT))

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
        """Write and sync what is left, let go of the files, and stop the thread.

        What a failing disk has not taken by the timeout stays in its slot, or goes into the log.
        """
        self._closed = True
        self._hurry.set()
        self._wake.set()
        self._thread.join(timeout_s)
        self._give_up.set()
        self._thread.join()

    def _enqueue(self, line: _Line) -> None:
        self._queue.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def _run(self) -> None:
        while not (self._closed and self._is_idle()) and not self._give_up.is_set():
            self._wait_for_work()
            self._turn()
        left = self._writer.take_unsynced() + self._take_queued()
        self._spill([line for line, slot in left if slot == _NO_SLOT])
        self._release()
        self._writer.close_file()
        self._inflight.close()

    def _is_idle(self) -> bool:
        return not self._queue and not self._writer.unsynced_records

    def _wait_for_work(self) -> None:
        if self.failing:
            self._give_up.wait(_RETRY_INTERVAL_S)
        elif self._queue or self._wake.wait(min(self._writer.sync_due_in_s(), _LOOK_INTERVAL_S)):
            self._hurry.wait(self._flush_interval_s)

    def _turn(self) -> None:
        """Write what has queued; sync when that is due or somebody waits for it."""
        self._wake.clear()
        self._hurry.clear()
        self._look_around()
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

    def _look_around(self) -> None:
        """Do what the event loop should not: get more slots before they run out, and see how full the directory is."""
        due = self._directory.look_is_due
        if self._inflight.wants_room or (due and self._inflight.is_full):
            self._inflight.make_room()
        if due:
            self._directory.look()
        if due and self._directory.full:
            self._turn_over()

    def _turn_over(self) -> None:
        """Go on in a new file, so that the shipper can delete the old one: else a full directory would stay full."""
        try:
            self._writer.turn_over()
        except OSError as error:
            self._note(error)

    def _take_queued(self) -> list[_Line]:
        """Empty the queue into lines, and set those who wait for them aside."""
        items = [self._queue.popleft() for _ in range(len(self._queue))]
        self._waiting += [item for item in items if isinstance(item, threading.Event)]
        return [item for item in items if not isinstance(item, threading.Event)]

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


class _Directory:
    """How much the journals of the directory take. Only the journal's thread looks; the rest reads what it saw.

    Files count whole until the shipper has deleted them: a living worker's file that has been shipped still counts.
    """

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._looked_at_s = 0.0
        self.size_bytes = 0
        self.alarming = False
        self.full = False

    @property
    def look_is_due(self) -> bool:
        return time.monotonic() - self._looked_at_s >= _LOOK_INTERVAL_S

    def look(self) -> None:
        """Add up the files, and log once when that becomes alarming, and once when it no longer is."""
        self._looked_at_s = time.monotonic()
        with suppress(OSError):  # then the last sum stands; writing will tell what is wrong with the directory
            self.size_bytes = _journal_bytes(self._path)
        self.full = self.size_bytes >= self._max_bytes
        alarming = self.size_bytes >= _ALARM_SHARE * self._max_bytes
        if alarming and not self.alarming:
            logger.error(
                "%d bytes of journals wait in %s to be shipped; at %d new calls are refused",
                self.size_bytes,
                self._path,
                self._max_bytes,
            )
        elif self.alarming and not alarming:
            logger.warning("the journals in %s are being shipped again", self._path)
        self.alarming = alarming


class _Writer:
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
        self._unsynced: list[_Line] = []
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

    def take(self, lines: list[_Line]) -> None:
        """Accept lines for the next write; only where nothing is left of the last one."""
        if not lines:
            return
        if not self._unsynced:
            self._synced_at_s = time.monotonic()
        self._unsynced += lines
        self._rest = _join(lines)

    def take_unsynced(self) -> list[_Line]:
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
        self._inflight.free_all([slot for _, slot in synced if slot != _NO_SLOT])

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


def _join(lines: list[_Line]) -> memoryview:
    return memoryview(b"".join([line for line, _ in lines]))


def _journal_bytes(directory: Path) -> int:
    total = 0
    with os.scandir(directory) as files:
        for file in files:
            if file.name.endswith(JOURNAL_SUFFIX):
                with suppress(FileNotFoundError):  # the shipper has deleted it meanwhile
                    total += file.stat().st_size
    return total
