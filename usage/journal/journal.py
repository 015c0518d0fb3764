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

import logging
import threading
from collections import deque
from pathlib import Path

from usage.journal.directory import Directory
from usage.journal.files import require_worker_name
from usage.journal.inflight import Inflight
from usage.journal.lines import line_of
from usage.journal.writer import NO_SLOT, Line, Writer
from usage.records import AttemptRecord, DenialRecord

__all__ = ["Journal"]

_FILES_WITHIN_BOUND = 32  # the living workers' own files count too, shipped or not
_RETRY_INTERVAL_S = 0.25

logger = logging.getLogger(__name__)


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
        self._queue: deque[Line | threading.Event] = deque()
        self._waiting: list[threading.Event] = []
        # A worker's first file and its last: while it is there, somebody still has to hear that the worker is gone.
        self._inflight = Inflight(directory, worker=worker)
        self._writer = Writer(
            directory,
            self._inflight,
            worker=worker,
            rotate_bytes=min(rotate_bytes, max_directory_bytes // _FILES_WITHIN_BOUND),
            sync_interval_s=sync_interval_s,
        )
        self._writer.open_file()
        self._directory = Directory(directory, max_bytes=max_directory_bytes)
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
        self._enqueue((line, NO_SLOT))

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

    def _enqueue(self, line: Line) -> None:
        self._queue.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def _run(self) -> None:
        while not (self._closed and self._is_idle()) and not self._give_up.is_set():
            self._wait_for_work()
            self._turn()
        left = self._writer.take_unsynced() + self._take_queued()
        self._spill([line for line, slot in left if slot == NO_SLOT])
        self._release()
        self._writer.close_file()
        self._inflight.close()

    def _is_idle(self) -> bool:
        return not self._queue and not self._writer.unsynced_records

    def _wait_for_work(self) -> None:
        if self.failing:
            self._give_up.wait(_RETRY_INTERVAL_S)
        elif self._queue or self._wake.wait(min(self._writer.sync_due_in_s(), self._directory.look_due_in_s())):
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
        due = self._directory.look_due_in_s() == 0.0
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

    def _take_queued(self) -> list[Line]:
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
