"""From the journals into the database: every record once, whatever is killed in between.

A batch goes in one transaction: the records that are new, their hour's sums, the ledger's entries, and how far the
file has been read. Records are known by their attempt id, so that reading a stretch twice adds nothing. A record that
no table can hold goes to a file beside its journal, `….rejected`, instead of standing in the way of the rest.

Of a worker that is gone, what it had begun and not ended is shipped after its journals. Once all of it is in the
database the worker is finished; whoever wants to know is told before its last file goes, and so at least once.
"""

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from django.db import (
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)

from usage.journal.files import INFLIGHT_SUFFIX, JOURNAL_SUFFIX, lock_file, remove_unnamed, worker_of
from usage.journal.inflight import read_left
from usage.journal.lines import Entry, line_of, scan_entries
from usage.ledger import posting
from usage.ledger.record_rows import insert_attempts, insert_denials
from usage.models import JournalPosition
from usage.records import AttemptRecord, DenialRecord

__all__ = ["Shipper"]

REJECTED_SUFFIX = ".rejected"
_BATCH_RECORDS = 2_000
_LONGEST_PAUSE_S = 30.0
_BUSY_RECORDS, _BUSY_PAUSE_S = 500, 1.0  # where so many come at once: larger batches cost less a record
_PAUSES_S = (0.01, 0.03, 0.1, 0.3, 1.0)  # between the tries of one batch that collided with another's
_PASSING = {
    "40001",  # serialisation failure
    "40P01",  # deadlock
    "57P01",  # the server ends, or ended this session
    "57P02",  # the server crashed
    "57P03",  # the server is starting
    None,  # the driver's own: the connection is gone
}
_POISON = (DataError, IntegrityError, OverflowError, ValueError)

logger = logging.getLogger(__name__)


class Shipper:
    """Ships the journals of one directory. Two at once are slower, and still count everything once.

    `on_finished` is told the name of each worker that is gone and wholly in the database, at least once, and again at
    the next pass where it raised. A shipper without it leaves a worker's last file for one that has it.
    """

    def __init__(
        self,
        directory: Path,
        *,
        batch_records: int = _BATCH_RECORDS,
        on_finished: Callable[[str], None] | None = None,
    ) -> None:
        self._directory = directory
        self._batch_records = batch_records
        self._on_finished = on_finished
        self._shipped_bytes: dict[str, int] = {}
        self._left_shipped: set[str] = set()
        self._unheard: set[str] = set()

    def run_forever(self, stop: threading.Event, interval_s: float = 0.25) -> None:
        """Ship until told to stop; while that fails, try ever more slowly."""
        pause_s = interval_s
        while not stop.wait(pause_s):
            close_old_connections()
            try:
                shipped = self.ship_once(stop)
            except (Error, OSError) as error:
                if pause_s == interval_s:
                    logger.warning("usage can't be shipped now, it waits in the journal: %s", error)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                pause_s = _BUSY_PAUSE_S if shipped >= _BUSY_RECORDS else interval_s
        close_old_connections()

    def ship_once(self, stop: threading.Event | None = None) -> int:
        """Ship everything that there is now, of the living and the dead; return how many attempts were new.

        When it returns, all that dead workers left is in the database, whoever else ships beside. Raises
        django.db.Error where the database can't take it now, and OSError, after the other files, for a file that
        can't be read. What was shipped until then stays shipped.
        """
        shipped = 0
        unreadable: OSError | None = None
        stop = stop or threading.Event()
        for ship, path in self._files():
            try:
                shipped += ship(path, stop)
            except FileNotFoundError:
                self._forget(path)  # another shipper has finished it
            except OSError as error:
                unreadable = error
        if unreadable:
            raise unreadable
        return shipped

    def _files(self) -> Iterator[tuple[Callable[[Path, threading.Event], int], Path]]:
        """Yield the journals, then the files of attempts under way, each with what ships it."""
        for path in sorted(self._directory.glob(f"*{JOURNAL_SUFFIX}")):
            yield self._ship_file, path
        for path in sorted(self._directory.glob(f"*{INFLIGHT_SUFFIX}")):
            yield self._ship_dead_worker, path

    def _ship_file(self, path: Path, stop: threading.Event) -> int:
        shipped = 0
        while path.stat().st_size != self._shipped_bytes.get(path.name):
            if stop.is_set():
                return shipped
            offset = _position(path.name)
            batch = list(islice(scan_entries(path, offset), self._batch_records))
            if not batch:
                self._shipped_bytes[path.name] = offset
                break
            shipped += self._ship_batch(path, offset, batch)
        self._finish_file(path, self._shipped_bytes[path.name])
        return shipped

    def _ship_batch(self, path: Path, offset: int, batch: Sequence[Entry]) -> int:
        """Ship a stretch in one transaction; where one of its records is poison, halve it until that one is alone."""
        try:
            return _ship_entries(path, offset, batch)
        except _POISON as error:
            if len(batch) == 1:
                return _ship_or_reject(path, offset, batch[0], error)
        middle = len(batch) // 2
        shipped = self._ship_batch(path, offset, batch[:middle])
        return shipped + self._ship_batch(path, batch[middle - 1].end_offset, batch[middle:])

    def _finish_file(self, path: Path, offset: int) -> None:
        """Delete a file that is wholly shipped and whose writer is gone."""
        lock = lock_file(path)
        if lock is None:
            return
        with _closing(lock):
            if next(scan_entries(path, offset), None):
                return
            rest = path.read_bytes()[offset:]
            if rest:
                _reject(path, rest, "a torn or damaged end")
            path.unlink()
        self._forget(path)

    def _forget(self, path: Path) -> None:
        _forget_position(path.name)
        self._shipped_bytes.pop(path.name, None)

    def _ship_dead_worker(self, path: Path, stop: threading.Event) -> int:
        """Ship what is left of a worker where it is gone: its journals, then what it had under way.

        Shippers share the lock, so that none takes another for the living worker.
        """
        lock = lock_file(path, shared=True)
        if lock is None:
            return 0
        with _closing(lock):
            shipped = 0
            for journal in self._journals_of(worker_of(path)):
                try:
                    shipped += self._ship_file(journal, stop)
                except FileNotFoundError:
                    self._forget(journal)  # another shipper has finished it
            if not stop.is_set():
                shipped += self._ship_left(path, stop)
            if not stop.is_set():
                self._finish_worker(path)
        return shipped

    def _ship_left(self, path: Path, stop: threading.Event) -> int:
        """Ship the attempts that were under way; the file's position counts them."""
        shipped = 0
        if path.name in self._left_shipped:
            return shipped
        left = [Entry(line_of(record), number, record) for number, record in enumerate(read_left(path), 1)]
        while left and (offset := _position(path.name)) < len(left):
            if stop.is_set():
                return shipped
            shipped += self._ship_batch(path, offset, left[offset : offset + self._batch_records])
        self._left_shipped.add(path.name)
        return shipped

    def _finish_worker(self, path: Path) -> None:
        """Tell that a worker is gone and delete its last file; without somebody to tell, the file stays."""
        worker = worker_of(path)
        if self._on_finished is None or self._journals_of(worker):
            return
        try:
            self._on_finished(worker)
        except Exception:  # what hears of it must not stand in the way of shipping
            if worker not in self._unheard:
                logger.exception("%s is finished, and that could not be told; it will be told again", worker)
            self._unheard.add(worker)
            return
        remove_unnamed(self._directory, worker=worker)
        path.unlink(missing_ok=True)
        _forget_position(path.name)
        self._unheard.discard(worker)
        self._left_shipped.discard(path.name)

    def _journals_of(self, worker: str) -> list[Path]:
        found = self._directory.glob(f"{worker}-*{JOURNAL_SUFFIX}")
        return sorted(path for path in found if worker_of(path) == worker)


@contextmanager
def _closing(fd: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(fd)


def _ship_or_reject(path: Path, offset: int, entry: Entry, error: Exception) -> int:
    """Try a single record once more, in case another shipper was in its way, and reject it."""
    try:
        return _ship_entries(path, offset, [entry])
    except _POISON:
        return _ship_entries(path, offset, [Entry(entry.line, entry.end_offset, None, str(error))])


def _ship_entries(path: Path, offset: int, entries: Sequence[Entry]) -> int:
    """Add a stretch in one transaction, or nothing of it; return how many attempts were new.

    What collides with other transactions, or loses its connection, is tried again from the start: either nothing of
    it was committed, or the position has moved and it adds nothing.
    """
    for pause_s in _PAUSES_S:
        try:
            return _try_entries(path, offset, entries)
        except (OperationalError, InterfaceError) as error:
            if not _passes(error):
                raise
            logger.warning("%s: a batch will be tried again: %s", path.name, error)
            time.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 two that collided must not meet again
    return _try_entries(path, offset, entries)


def _try_entries(path: Path, offset: int, entries: Sequence[Entry]) -> int:
    with transaction.atomic():
        if not _lock_position(path.name, offset):
            return 0
        shipped = _write([entry.record for entry in entries if entry.record is not None], worker=worker_of(path))
        _move_position(path.name, entries[-1].end_offset)
        for entry in entries:
            if entry.record is None:
                _reject(path, entry.line, entry.fault)
    return shipped


def _passes(error: Error) -> bool:
    """Tell whether the same transaction may succeed another time; a connection that is lost is let go of."""
    passes = getattr(error.__cause__, "sqlstate", "") in _PASSING
    if passes:
        connection.close_if_unusable_or_obsolete()
    return passes


def _write(records: Sequence[AttemptRecord | DenialRecord], *, worker: str) -> int:
    new = insert_attempts(record for record in records if isinstance(record, AttemptRecord))
    posting.write(new, worker=worker)
    insert_denials(record for record in records if isinstance(record, DenialRecord))
    return len(new)


def _position(file: str) -> int:
    return JournalPosition.objects.filter(pk=file).values_list("offset_bytes", flat=True).first() or 0


def _lock_position(file: str, offset: int) -> bool:
    """Take the file's position for this transaction; False where another shipper has moved or finished it meanwhile."""
    if offset == 0:
        JournalPosition.objects.get_or_create(pk=file)
    position = JournalPosition.objects.select_for_update().filter(pk=file).first()
    return position is not None and position.offset_bytes == offset


def _move_position(file: str, offset: int) -> None:
    JournalPosition.objects.filter(pk=file).update(offset_bytes=offset, updated_at=datetime.now(UTC))


def _forget_position(file: str) -> None:
    JournalPosition.objects.filter(pk=file).delete()


def _reject(path: Path, line: bytes, reason: str) -> None:
    """Keep what can't be shipped in a file beside the journal; after a crash the same line may stand there twice."""
    logger.error("%s: a line can't be shipped (%s); it is kept in %s", path.name, reason, path.name + REJECTED_SUFFIX)
    with open(path.with_name(path.name + REJECTED_SUFFIX), "ab") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
