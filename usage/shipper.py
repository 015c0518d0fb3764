"""From the journals into the database: every record once, whatever is killed in between.

A batch goes in one transaction: the records that are new, their hour's sums, and how far the file has been read.
Records are known by their attempt id, so that reading a stretch twice adds nothing. A record that no table can hold
goes to a file beside its journal, `….rejected`, instead of standing in the way of the rest.
"""

import logging
import os
import threading
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from django.db import DataError, Error, IntegrityError, close_old_connections, connection, models, transaction

from providers.dialects.canonical import Usage
from usage.journal import SUFFIX, Entry, lock_file, scan_entries
from usage.models import JournalPosition, UsageHour, UsageRecord
from usage.records import AttemptRecord

__all__ = ["Shipper"]

REJECTED_SUFFIX = ".rejected"
_BATCH_RECORDS = 2_000
_LONGEST_PAUSE_S = 30.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_AMOUNT = 10**15  # a million dollars, or a quadrillion tokens: beyond, it is a fault and would wreck the sums
_SUCCESSES = ("completed", "cancelled")
_POISON = (DataError, IntegrityError, OverflowError, ValueError)

_COLUMNS = {field.attname: field for field in UsageRecord._meta.concrete_fields}
_SAME_NAME = [name for name in AttemptRecord.__struct_fields__ if name in _COLUMNS]
_OF_USAGE = [name for name in Usage.__struct_fields__ if name in _COLUMNS]
_same_of = attrgetter(*_SAME_NAME)
_usage_of = attrgetter(*_OF_USAGE)
_AMOUNTS = (*_OF_USAGE, "cost_nanos", "latency_us", "first_byte_us")
_HOUR_DIMENSIONS = ("hour", "tenant_id", "key_id", "route", "provider", "model")
_HOUR_SUMS = ("attempts", "errors", "input_tokens", "output_tokens", "cost_nanos", "unpriced_attempts", "latency_us")
_TEXT_LENGTHS = {
    name: column.max_length
    for name, column in _COLUMNS.items()
    if isinstance(column, models.CharField) and column.max_length and not column.primary_key
}

_STARTED_AT = list(_COLUMNS).index("started_at")
_Row = dict[str, Any]

logger = logging.getLogger(__name__)


class Shipper:
    """Ships the journals of one directory. Two at once are slower, and still count everything once."""

    def __init__(self, directory: Path, *, batch_records: int = _BATCH_RECORDS) -> None:
        self._directory = directory
        self._batch_records = batch_records
        self._shipped_bytes: dict[str, int] = {}

    def run_forever(self, stop: threading.Event, interval_s: float = 0.25) -> None:
        """Ship until told to stop; while that fails, try ever more slowly."""
        pause_s = interval_s
        while not stop.wait(pause_s):
            close_old_connections()
            try:
                self.ship_once(stop)
            except (Error, OSError) as error:
                if pause_s == interval_s:
                    logger.warning("usage can't be shipped now, it waits in the journal: %s", error)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                pause_s = interval_s
        close_old_connections()

    def ship_once(self, stop: threading.Event | None = None) -> int:
        """Ship everything that the journals hold now; return how many records were new.

        Raises django.db.Error where the database can't take it now, and OSError, after the other files, for a file
        that can't be read. What was shipped until then stays shipped.
        """
        shipped = 0
        unreadable: OSError | None = None
        for path in sorted(self._directory.glob(f"*{SUFFIX}")):
            try:
                shipped += self._ship_file(path, stop)
            except FileNotFoundError:
                continue  # another shipper has finished it
            except OSError as error:
                unreadable = error
        if unreadable:
            raise unreadable
        return shipped

    def _ship_file(self, path: Path, stop: threading.Event | None) -> int:
        shipped = 0
        while path.stat().st_size != self._shipped_bytes.get(path.name):
            if stop and stop.is_set():
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
        try:
            if next(scan_entries(path, offset), None):
                return
            rest = path.read_bytes()[offset:]
            if rest:
                _reject(path, rest, "a torn or damaged end")
            path.unlink()
        finally:
            os.close(lock)
        JournalPosition.objects.filter(pk=path.name).delete()
        self._shipped_bytes.pop(path.name, None)


def _ship_or_reject(path: Path, offset: int, entry: Entry, error: Exception) -> int:
    """Try a single record once more, in case another shipper was in its way, and reject it."""
    try:
        return _ship_entries(path, offset, [entry])
    except _POISON:
        return _ship_entries(path, offset, [Entry(entry.line, entry.end_offset, None, str(error))])


def _ship_entries(path: Path, offset: int, entries: Sequence[Entry]) -> int:
    """Add the records that are new, their sums and the position, or nothing at all; return how many were new."""
    rows = {entry.record.attempt_id: _row_of(entry.record) for entry in entries if entry.record is not None}
    with transaction.atomic():
        if not _lock_position(path.name, offset):
            return 0
        for known in UsageRecord.objects.filter(pk__in=list(rows)).values_list("pk", flat=True):
            del rows[known]
        _insert(rows.values())
        _add_to_hours(rows.values())
        _move_position(path.name, entries[-1].end_offset)
        for entry in entries:
            if entry.record is None:
                _reject(path, entry.line, entry.fault)
    return len(rows)


def _position(file: str) -> int:
    return JournalPosition.objects.filter(pk=file).values_list("offset_bytes", flat=True).first() or 0


def _lock_position(file: str, offset: int) -> bool:
    """Take the file's position for this transaction; False where another shipper has moved it meanwhile."""
    JournalPosition.objects.get_or_create(pk=file)
    position = JournalPosition.objects.select_for_update().get(pk=file)
    return position.offset_bytes == offset


def _move_position(file: str, offset: int) -> None:
    JournalPosition.objects.filter(pk=file).update(offset_bytes=offset, updated_at=datetime.now(UTC))


def _row_of(record: AttemptRecord) -> _Row:
    """Turn a record into its columns. Raises ValueError or OverflowError for amounts that can't be true.

    Texts are cut to their column: what was used counts, however long the name it went by.
    """
    row: _Row = dict(zip(_SAME_NAME, _same_of(record), strict=True))
    row.update(zip(_OF_USAGE, _usage_of(record.usage), strict=True))
    for name in _AMOUNTS:
        if not 0 <= (row[name] or 0) <= _LARGEST_AMOUNT:
            raise ValueError(f"{name} is {row[name]}")
    for name, length in _TEXT_LENGTHS.items():
        text = row[name]
        if len(text) > length or "\0" in text:
            row[name] = text.replace("\0", "")[:length]
    row["started_at"] = _EPOCH + timedelta(microseconds=record.started_at_ns // 1_000)
    row["tokens_estimated"] = record.usage.estimated
    return row


def _insert(rows: Collection[_Row]) -> None:
    """Insert rows, all of them or none: a conflict or a value that doesn't fit must not pass in silence.

    The ORM would spend several times as long on a batch as the databases do.
    """
    table, names = UsageRecord._meta.db_table, ", ".join(_COLUMNS)
    values = [[row[name] for name in _COLUMNS] for row in rows]
    with connection.cursor() as cursor, connection.wrap_database_errors:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for value in values:
                    copy.write_row(value)
            return
        marks = ", ".join(["%s"] * len(_COLUMNS))
        for value in values:
            value[_STARTED_AT] = value[_STARTED_AT].replace(tzinfo=None).isoformat(" ")  # as the ORM would write it
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)  # noqa: S608 names of ours


def _add_to_hours(rows: Iterable[_Row]) -> None:
    """Add rows to the sums of their hours, in one order for every shipper, so that two never wait in a circle."""
    hours: dict[tuple[Any, ...], UsageHour] = {}
    for row in rows:
        hour = row["started_at"].replace(minute=0, second=0, microsecond=0)
        dimensions = (hour, *(row[name] for name in _HOUR_DIMENSIONS[1:]))
        if dimensions not in hours:
            hours[dimensions] = UsageHour(**dict(zip(_HOUR_DIMENSIONS, dimensions, strict=True)))
        _add_to_hour(hours[dimensions], row)
    if hours:
        with connection.cursor() as cursor:
            cursor.executemany(_hour_upsert(), [_hour_values(hours[dimensions]) for dimensions in sorted(hours)])


def _add_to_hour(hour: UsageHour, row: _Row) -> None:
    hour.attempts += 1
    hour.errors += row["ending"] not in _SUCCESSES
    hour.input_tokens += row["input_tokens"]
    hour.output_tokens += row["output_tokens"]
    hour.cost_nanos += row["cost_nanos"] or 0
    hour.unpriced_attempts += row["cost_nanos"] is None
    hour.latency_us += row["latency_us"]


def _hour_upsert() -> str:
    """Return the statement that adds to an hour's sums or begins them; PostgreSQL and SQLite both speak it.

    The ORM's upsert can only overwrite, not add.
    """
    columns = (*_HOUR_DIMENSIONS, *_HOUR_SUMS)
    table = UsageHour._meta.db_table
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))}) "  # noqa: S608 names
        f"ON CONFLICT ({', '.join(_HOUR_DIMENSIONS)}) DO UPDATE SET "
        + ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in _HOUR_SUMS)
    )


def _hour_values(hour: UsageHour) -> list[Any]:
    fields = {field.attname: field for field in UsageHour._meta.concrete_fields}
    return [fields[name].get_db_prep_save(getattr(hour, name), connection) for name in (*_HOUR_DIMENSIONS, *_HOUR_SUMS)]


def _reject(path: Path, line: bytes, reason: str) -> None:
    """Keep what can't be shipped in a file beside the journal; after a crash the same line may stand there twice."""
    logger.error("%s: a line can't be shipped (%s); it is kept in %s", path.name, reason, path.name + REJECTED_SUFFIX)
    with open(path.with_name(path.name + REJECTED_SUFFIX), "ab") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
