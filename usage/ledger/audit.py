"""The proof that no money was lost or counted twice: tables against each other, files and counters against the tables.

The tables are compared as they are at one moment, while shippers go on. Files and counters are read in the order in
which nothing that is only under way can look like a loss: files before the tables that they are shipped to, the ledger
before the counters that run ahead of it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.db import connection, transaction

from kernel import clock
from usage.counters.readings import read_sums
from usage.journal.files import INFLIGHT_SUFFIX, JOURNAL_SUFFIX, lock_file, worker_of
from usage.journal.inflight import read_left
from usage.journal.lines import scan_entries
from usage.ledger.audit_checks import Check, check_balances, check_hours, check_records, check_reservations
from usage.ledger.balances import Spent, spent_now
from usage.ledger.shipper import REJECTED_SUFFIX
from usage.models import JournalPosition, UsageRecord
from usage.records import AttemptRecord

__all__ = ["audit", "check_attempts", "check_counters"]

_ROWS_AT_ONCE = 500


def audit(*, directory: Path, since: datetime | None, show: int, idle: bool) -> Iterator[Check]:
    """Yield every check once it is done. `idle` says that no call is under way, so that counters must be exact."""
    with _one_moment():
        yield check_balances(show)
        yield check_reservations(show, since)
        yield check_records(show, since)
        yield check_hours(show, since)
    yield check_attempts(directory, show)
    yield check_counters(show, idle=idle)


def check_attempts(directory: Path, show: int) -> Check:
    """Prove that nothing of a dead worker waits in its files; what living ones have is only counted."""
    check = Check("attempts begun and ended", show)
    journals, inflight = (sorted(directory.glob(f"*{suffix}")) for suffix in (JOURNAL_SUFFIX, INFLIGHT_SUFFIX))
    living = {worker_of(path) for path in [*journals, *inflight] if _is_held(path)}
    dead = [path for path in [*journals, *inflight] if worker_of(path) not in living]
    check.looked_at = len(journals) + len(inflight)
    for path in dead:
        try:
            _look_into(path, check)
        except FileNotFoundError:
            continue  # a shipper has finished it
    check.note(check.looked_at - len(dead), "files are of living workers")
    check.note(len(list(directory.glob(f"*{REJECTED_SUFFIX}"))), "files hold lines that no table could take")
    return check


def check_counters(show: int, *, idle: bool) -> Check:
    """Prove that no counter holds less than the ledger; it may hold more while calls are under way."""
    check = Check("counters and ledger", show)
    now_s = clock.now().timestamp()
    told = spent_now(now_s)
    unknown = turned = ahead = 0
    while chunk := list(islice(told, _ROWS_AT_ONCE)):
        check.looked_at += len(chunk)
        sums = read_sums([(one.counter, one.window) for one in chunk])
        after_s = clock.now().timestamp()
        for one, held in zip(chunk, sums, strict=True):
            if held is None:
                unknown += 1
            elif one.window.slice_at(now_s) != one.window.slice_at(after_s):
                turned += 1
            elif held < one.nanos or (idle and held != one.nanos):
                check.differ(_told(one, held))
            else:
                ahead += held > one.nanos
    check.note(unknown, "counters are not known here")
    check.note(turned, "counters' windows went on meanwhile")
    check.note(ahead, "counters are ahead of the ledger by what is under way or not shipped yet")
    return check


@contextmanager
def _one_moment() -> Iterator[None]:
    """Show the tables as they are now, whatever is written meanwhile, and keep no writer waiting."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        with _reading_transaction():
            yield


@contextmanager
def _reading_transaction() -> Iterator[None]:
    """Begin a transaction that only reads; `atomic` would take the lock of SQLite's one writer."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def _is_held(path: Path) -> bool:
    """Tell whether the worker that writes a file lives."""
    lock = lock_file(path, shared=True)
    if lock is None:
        return path.exists()
    os.close(lock)
    return False


def _look_into(path: Path, check: Check) -> None:
    """Compare a file of a dead worker with the database. Raises FileNotFoundError where it is finished meanwhile."""
    if path.suffix == JOURNAL_SUFFIX:
        lines = _unshipped_lines(path)
        if lines:
            check.differ(f"{path.name}: {lines} lines are not shipped")
        return
    for record in _not_recorded(read_left(path)):
        check.differ(f"{path.name}: {record.attempt_id} of {record.request_id} is not in the database")


def _unshipped_lines(path: Path) -> int:
    """Count what stands behind the file's position, again where a shipper has moved that meanwhile.

    Raises FileNotFoundError where the file is gone, which its position then is too.
    """
    while True:
        offset = _position(path.name)
        lines = sum(1 for _ in scan_entries(path, offset))
        if not lines or (_position(path.name) == offset and path.exists()):
            return lines


def _position(file: str) -> int:
    return JournalPosition.objects.filter(pk=file).values_list("offset_bytes", flat=True).first() or 0


def _not_recorded(records: list[AttemptRecord]) -> Iterator[AttemptRecord]:
    for start in range(0, len(records), _ROWS_AT_ONCE):
        chunk = records[start : start + _ROWS_AT_ONCE]
        ids = [record.attempt_id for record in chunk]
        known = set(UsageRecord.objects.filter(pk__in=ids).order_by().values_list("pk", flat=True))
        yield from (record for record in chunk if record.attempt_id not in known)


def _told(one: Spent, held: int) -> str:
    return f"{one.counter} ({one.window.kind}): {held} in the counter, {one.nanos} in the ledger"
