"""What the money tables must agree on with each other, proved by the database: sums and joins, never rows in memory.

Nothing older than the retention horizon can be proved, except for balances, which remember what they hold of dropped
entries.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Q, Sum

from usage.ledger.charges import read_charges, read_counter
from usage.models import BudgetBalance, LedgerEntry, RetentionHorizon, UsageHour, UsageRecord
from usage.records import Charge

__all__ = ["Check", "check_balances", "check_hours", "check_records", "check_reservations", "provable_since"]

LONGEST_CALL = timedelta(days=1)  # from a call's first attempt to its last
_ROWS_AT_ONCE = 2_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Of = tuple[Charge, str]  # a counter's slice and the worker that posted to it


@dataclass(slots=True)
class Check:
    """What one check has found so far; of the differences it keeps the first `show`, and counts the others."""

    name: str
    show: int
    looked_at: int = 0
    differences: int = 0
    shown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def differ(self, text: str) -> None:
        """Take note of a difference."""
        self.differ_in(1, [text])

    def differ_in(self, count: int, first: Sequence[str]) -> None:
        """Take note of so many differences, of which the first are told."""
        self.differences += count
        self.shown += first[: max(0, self.show - len(self.shown))]

    def note(self, count: int, text: str) -> None:
        """Say how many of something were seen that is no difference; nothing where there was none."""
        if count:
            self.notes.append(f"{count} {text}")


def provable_since(since: datetime | None) -> datetime:
    """Return the moment from which on all records and entries are still there, or a later one that was asked for."""
    horizon = RetentionHorizon.objects.values_list("kept_since", flat=True).first()
    return max(horizon or _EPOCH, since or _EPOCH)


def check_balances(show: int) -> Check:
    """Prove that every balance is the sum of its entries and of what retention carried over.

    It takes the whole ledger, because a slice may be as long as a budget lives.
    """
    check = Check("entries and balances", show)
    sums = _sums_of_entries(check)
    rows = BudgetBalance.objects.order_by().values_list(
        "budget_id", "counter", "slice", "worker", "posted_nanos", "posts", "carried_nanos", "carried_posts"
    )
    for budget_id, counter, number, worker, nanos, posts, carried_nanos, carried_posts in rows.iterator(_ROWS_AT_ONCE):
        check.looked_at += 1
        entries = sums.pop((Charge(counter, number), worker), (0, 0))
        balance = (nanos - carried_nanos, posts - carried_posts)
        if balance != entries:
            check.differ(
                f"{counter}@{number} by {worker}: {_told(balance)} in the balance, {_told(entries)} in entries"
            )
        if not _is_of_budget(counter, budget_id):
            check.differ(f"{counter}@{number} by {worker}: stands under budget {budget_id}")
    for (charge, worker), entries in sums.items():
        if entries != (0, 0):
            check.differ(f"{charge.counter}@{charge.slice} by {worker}: no balance, {_told(entries)} in entries")
    return check


def check_reservations(show: int, since: datetime | None) -> Check:
    """Prove that every reservation was used up and given back whole, by the attempt that ended its call."""
    check = Check("reservations", show)
    entries_since = provable_since(since - LONGEST_CALL if since else None)
    calls_since = max(provable_since(since), entries_since + LONGEST_CALL if entries_since > _EPOCH else _EPOCH)
    check.looked_at = LedgerEntry.objects.filter(kind="reserve", at__gte=provable_since(since)).count()
    count, rows = _first_of(_UNSOUND_ENDS, [provable_since(since)], show)
    check.differ_in(count, [_told_end(*row) for row in rows])
    count, rows = _first_of(_UNSOUND_CALLS, [entries_since, calls_since], show)
    check.differ_in(count, [_told_call(*row) for row in rows])
    proved, overruns = next(_rows(_CALLS_IN_ALL, [entries_since, calls_since]))
    check.note(overruns or 0, "calls cost more than they had reserved")
    check.note(check.looked_at - proved, "calls can't be told from others by their request's id, or began too early")
    return check


def check_records(show: int, since: datetime | None) -> Check:
    """Prove that every record has its post, with the same amount, and every post its record."""
    check = Check("records and posts", show)
    start = provable_since(since)
    check.looked_at = UsageRecord.objects.filter(started_at__gte=start).count()
    check.looked_at += LedgerEntry.objects.filter(kind="post", at__gte=start).count()
    count, rows = _first_of(_UNPOSTED, [start, start], show)
    check.differ_in(count, [_told_record(*row) for row in rows])
    count, rows = _first_of(_UNRECORDED, [start, start], show)
    check.differ_in(count, [f"{entry_id}: {amount} posted, no record of its own" for entry_id, amount in rows])
    return check


def check_hours(show: int, since: datetime | None) -> Check:
    """Prove that every hour is the sum of its records."""
    check = Check("hours and records", show)
    start = provable_since(since)
    start = start.replace(minute=0, second=0, microsecond=0)
    check.looked_at = UsageHour.objects.filter(hour__gte=start).count()
    statement = _UNSOUND_HOURS.format(hour=_HOUR_OF[connection.vendor])
    count, rows = _first_of(statement, [start, start], show)
    check.differ_in(count, [_told_hour(*row) for row in rows])
    return check


def _sums_of_entries(check: Check) -> dict[_Of, tuple[int, int]]:
    """Return the nano-dollars and posts of what entries name; a text that names nothing is a difference."""
    groups = (
        LedgerEntry.objects.filter(kind__in=["post", "adjust"])
        .exclude(charges="")
        .order_by()
        .values_list("charges", "worker")
        .annotate(nanos=Sum("amount_nanos"), posts=Count("pk", filter=Q(kind="post")))
    )
    sums: dict[_Of, tuple[int, int]] = {}
    for text, worker, nanos, posts in groups.iterator(_ROWS_AT_ONCE):
        try:
            charges = read_charges(text)
        except ValueError:
            check.differ(f"{posts} posts by {worker} are charged to {text!r}, which names no budget's slice")
            continue
        for charge in charges:
            before = sums.get((charge, worker), (0, 0))
            sums[charge, worker] = (before[0] + int(nanos or 0), before[1] + posts)
    return sums


def _is_of_budget(counter: str, budget_id: int) -> bool:
    try:
        return read_counter(counter).budget_id == budget_id
    except ValueError:
        return False


def _told(sums: tuple[int, int]) -> str:
    return f"{sums[0]} nanos of {sums[1]} posts"


def _told_end(attempt_id: str, *counts: int) -> str:
    reserves, rests, posts, reserved, released = counts
    ends = f"{reserves} reserve, {posts} post, {rests} void or expire"
    return f"{attempt_id}: {ends}; {reserved} reserved, {released} released"


def _told_call(attempt_id: str, request_id: str, reserved: int, released: int, posted: int) -> str:
    return f"{attempt_id} of {request_id}: {reserved} reserved, {posted} posted, {released} released"


def _told_record(attempt_id: str, cost: int | None, entry_id: str | None, amount: int | None) -> str:
    return f"{attempt_id}: {cost} in the record, " + (f"{amount} in the post" if entry_id else "no post")


def _told_hour(*row: Any) -> str:
    moment, tenant_id, key_id, *named = row[:6]
    over = ", ".join(f"{name} {int(value):+d}" for name, value in zip(_SUMS, row[6:], strict=True) if value)
    whose = f"{str(moment)[:13]}h tenant {tenant_id} key {key_id} {' '.join(named)}"
    return f"{whose}: the hour is beyond its records by {over}"


def _first_of(statement: str, moments: Sequence[datetime], show: int) -> tuple[int, list[tuple[Any, ...]]]:
    """Return how many rows a statement finds, and the first of them."""
    bounded = f"SELECT COUNT(*) OVER (), found.* FROM ({statement}) AS found LIMIT {max(show, 1):d}"  # noqa: S608 ours
    rows = list(_rows(bounded, moments))
    return (rows[0][0] if rows else 0), [row[1:] for row in rows[:show]]


def _rows(statement: str, moments: Sequence[datetime]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [connection.ops.adapt_datetimefield_value(moment) for moment in moments])
        yield from cursor.fetchall()


_COUNTS = """
    SUM(CASE WHEN kind = 'reserve' THEN 1 ELSE 0 END) AS reserves,
    SUM(CASE WHEN kind IN ('void', 'expire') THEN 1 ELSE 0 END) AS rests,
    SUM(CASE WHEN kind = 'post' THEN 1 ELSE 0 END) AS posts,
    SUM(CASE WHEN kind = 'reserve' THEN amount_nanos ELSE 0 END) AS reserved,
    SUM(CASE WHEN kind IN ('void', 'expire') THEN amount_nanos ELSE 0 END) AS released
"""
_UNSOUND_ENDS = f"""
    SELECT * FROM (
        SELECT attempt_id, {_COUNTS} FROM usage_ledgerentry WHERE kind <> 'adjust' AND at >= %s GROUP BY attempt_id
    ) AS ends
    WHERE reserves + rests > 0 AND NOT (reserves = 1 AND rests = 1 AND posts = 1 AND released <= reserved)
"""  # noqa: S608 ours
# A caller may give several calls the same request id. Only where one reservation has exactly the posts that its last
# attempt's number says are they known to be of one call.
_CALLS = f"""
    SELECT calls.* FROM (
        SELECT request_id, {_COUNTS},
            SUM(CASE WHEN kind = 'post' THEN COALESCE(amount_nanos, 0) ELSE 0 END) AS posted,
            MAX(CASE WHEN kind = 'reserve' THEN attempt_id END) AS attempt_id,
            MAX(CASE WHEN kind = 'reserve' THEN at END) AS at
        FROM usage_ledgerentry WHERE kind <> 'adjust' AND at >= %s
        GROUP BY request_id, tenant_id, key_id, worker, charges
    ) AS calls
    JOIN usage_usagerecord AS record ON record.attempt_id = calls.attempt_id AND record.started_at = calls.at
    WHERE reserves = 1 AND rests = 1 AND posts = record.attempt_number AND calls.at >= %s
"""  # noqa: S608 ours
_UNSOUND_CALLS = f"""
    SELECT attempt_id, request_id, reserved, released, posted FROM ({_CALLS}) AS told
    WHERE released <> CASE WHEN posted < reserved THEN reserved - posted ELSE 0 END
"""  # noqa: S608 ours
_CALLS_IN_ALL = f"""
    SELECT COUNT(*), SUM(CASE WHEN posted > reserved THEN 1 ELSE 0 END) FROM ({_CALLS}) AS told
"""  # noqa: S608 ours
_UNPOSTED = """
    SELECT record.attempt_id, record.cost_nanos, post.entry_id, post.amount_nanos
    FROM usage_usagerecord AS record
    LEFT JOIN usage_ledgerentry AS post
        ON post.entry_id = record.attempt_id || '.p' AND post.at = record.started_at AND post.kind = 'post'
        AND post.at >= %s
    WHERE record.started_at >= %s AND (
        post.entry_id IS NULL OR COALESCE(post.amount_nanos, -1) <> COALESCE(record.cost_nanos, -1)
        OR COALESCE(post.tenant_id, -1) <> record.tenant_id OR COALESCE(post.key_id, -1) <> record.key_id
    )
"""
_UNRECORDED = """
    SELECT post.entry_id, post.amount_nanos
    FROM usage_ledgerentry AS post
    LEFT JOIN usage_usagerecord AS record
        ON record.attempt_id = post.attempt_id AND record.started_at = post.at AND record.started_at >= %s
    WHERE post.kind = 'post' AND post.at >= %s
        AND (record.attempt_id IS NULL OR post.entry_id <> post.attempt_id || '.p')
"""
_HOUR_OF = {
    "sqlite": "strftime('%%Y-%%m-%%d %%H:00:00', started_at)",
    "postgresql": "date_trunc('hour', started_at, 'UTC')",
}
_SUMS = ("attempts", "errors", "input_tokens", "output_tokens", "cost_nanos", "unpriced_attempts", "latency_us")
_UNSOUND_HOURS = f"""
    SELECT hour, tenant_id, key_id, route, provider, model, {", ".join(f"SUM({name})" for name in _SUMS)} FROM (
        SELECT hour, tenant_id, key_id, route, provider, model, {", ".join(_SUMS)}
        FROM usage_usagehour WHERE hour >= %s
        UNION ALL
        SELECT {{hour}}, tenant_id, key_id, route, provider, model, -COUNT(*),
            -SUM(CASE WHEN ending IN ('completed', 'cancelled') THEN 0 ELSE 1 END), -SUM(input_tokens),
            -SUM(output_tokens), -SUM(COALESCE(cost_nanos, 0)), -SUM(CASE WHEN cost_nanos IS NULL THEN 1 ELSE 0 END),
            -SUM(latency_us)
        FROM usage_usagerecord WHERE started_at >= %s GROUP BY 1, 2, 3, 4, 5, 6
    ) AS both_sides
    GROUP BY hour, tenant_id, key_id, route, provider, model
    HAVING {" OR ".join(f"SUM({name}) <> 0" for name in _SUMS)}
"""  # noqa: S608 ours
