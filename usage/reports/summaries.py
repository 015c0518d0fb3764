"""What was used and what it cost, summed: the questions that the API, the admin and the portal ask.

Sums come from the hours, never from the records, so a year is a few thousand rows and not a million. The price of
that is whole hours: a period is widened to the hours it touches, and where a time zone is not whole hours from UTC
an hour counts wholly to the day in which it began there.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import QuerySet, Sum
from django.db.models.functions import Coalesce

from providers.dialects.canonical import Usage
from tenants.models import Key, Tenant
from usage.models import UsageHour, UsageRecord
from usage.records import AttemptRecord

__all__ = [
    "Dashboard",
    "GroupBy",
    "HourPoint",
    "Summary",
    "SummaryRow",
    "Sums",
    "dashboard",
    "summary",
    "usage_of_request",
]

GroupBy = Literal["day", "hour", "tenant", "key", "route", "provider", "model"]
_COLUMN_OF: dict[GroupBy, str] = {
    "day": "hour",
    "hour": "hour",
    "tenant": "tenant_id",
    "key": "key_id",
    "route": "route",
    "provider": "provider",
    "model": "model",
}
_IN_TIME = ("day", "hour")
_ONE_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sums(msgspec.Struct, frozen=True):
    """What some attempts used, together. Errors are attempts that neither completed nor were hung up on."""

    attempts: int = 0
    errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nanos: int = 0
    unpriced_attempts: int = 0
    latency_us: int = 0

    def plus(self, other: "Sums") -> "Sums":
        """Return both together."""
        return Sums(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))

    @property
    def mean_latency_us(self) -> int:
        """Return the mean over the attempts, rounded down; 0 where there were none."""
        return self.latency_us // self.attempts if self.attempts else 0


class SummaryRow(msgspec.Struct, frozen=True):
    """The sums of one group: `value` is the day, hour or text; tenants and keys have their `id` beside their name."""

    value: str
    sums: Sums
    id: int | None = None


class Summary(msgspec.Struct, frozen=True):
    """Rows by group, and the totals of all of them, also of rows left out by the limit.

    `since` and `until` are the whole hours that were summed.
    """

    since: datetime
    until: datetime
    time_zone: str
    group_by: GroupBy
    rows: list[SummaryRow]
    totals: Sums
    truncated: bool


class HourPoint(msgspec.Struct, frozen=True):
    """One hour of the dashboard's charts."""

    hour: datetime
    sums: Sums


class Dashboard(msgspec.Struct, frozen=True):
    """The admin's first page: every hour up to now, empty ones too, and the totals people ask for."""

    hours: list[HourPoint]
    today: Sums
    last_7_days: Sums
    last_30_days: Sums


def usage_of_request(request_id: str, key_id: int) -> list[AttemptRecord]:
    """Return every attempt that a key made for a request, in order; empty until they are shipped."""
    rows = UsageRecord.objects.filter(request_id=request_id).order_by()  # by that index alone: the key's is far longer
    own = sorted((row for row in rows if row.key_id == key_id), key=lambda row: (row.started_at, row.attempt_number))
    return [_record_of(row) for row in own]


def _record_of(row: UsageRecord) -> AttemptRecord:
    counts = {name: getattr(row, name) for name in Usage.__struct_fields__ if name != "estimated"}
    same = {name: getattr(row, name) for name in AttemptRecord.__struct_fields__ if hasattr(row, name)}
    usage = Usage(**counts, estimated=row.tokens_estimated)
    started_at_ns = (row.started_at - _EPOCH) // timedelta(microseconds=1) * 1000
    return AttemptRecord(**same, usage=usage, started_at_ns=started_at_ns)


def summary(
    *,
    since: datetime,
    until: datetime,
    tenant_id: int | None = None,
    key_id: int | None = None,
    time_zone: str = "UTC",
    group_by: GroupBy = "day",
    limit: int = 10_000,
) -> Summary:
    """Return what was used from `since` to before `until`: time in its order, anything else by cost, dearest first.

    Raises zoneinfo.ZoneInfoNotFoundError for a time zone that isn't one.
    """
    zone = ZoneInfo(time_zone)
    since, until = _whole_hours(since, until)
    groups = _sum_groups(_hours(since, until, tenant_id, key_id), _COLUMN_OF[group_by])
    if group_by == "day":
        groups = _fold_into_days(groups, zone)
    if group_by in _IN_TIME:
        chosen = sorted(groups.items())[:limit]
    else:
        chosen = sorted(groups.items(), key=lambda item: (-item[1].cost_nanos, -item[1].attempts, item[0]))[:limit]
    return Summary(
        since=since,
        until=until,
        time_zone=time_zone,
        group_by=group_by,
        rows=_named(group_by, chosen, zone),
        totals=_total(groups.values()),
        truncated=len(groups) > limit,
    )


def dashboard(*, now: datetime, hours: int = 24, time_zone: str = "UTC", tenant_id: int | None = None) -> Dashboard:
    """Return the series of the last so many hours, the present one included, and the totals up to now.

    The totals of 7 and of 30 days count today and the whole days before it.
    """
    _, until = _whole_hours(now, now + timedelta(microseconds=1))
    midnight = now.astimezone(ZoneInfo(time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = {days: _whole_hours(midnight - timedelta(days=days - 1), until)[0] for days in (1, 7, 30)}
    first = until - timedelta(hours=hours)
    found = _sum_groups(_hours(min(first, starts[30]), until, tenant_id, None), "hour")
    totals = {days: _total(sums for hour, sums in found.items() if hour >= start) for days, start in starts.items()}
    return Dashboard(
        hours=[HourPoint(hour, found.get(hour, Sums())) for hour in (first + n * _ONE_HOUR for n in range(hours))],
        today=totals[1],
        last_7_days=totals[7],
        last_30_days=totals[30],
    )


def _whole_hours(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Widen a period to whole hours of UTC."""
    floor = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    ceiling = until.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return floor, ceiling if ceiling == until else ceiling + _ONE_HOUR


def _hours(since: datetime, until: datetime, tenant_id: int | None, key_id: int | None) -> QuerySet[UsageHour]:
    rows = UsageHour.objects.filter(hour__gte=since, hour__lt=until)
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    if key_id is not None:
        rows = rows.filter(key_id=key_id)
    return rows


def _sum_groups(rows: QuerySet[UsageHour], column: str) -> dict[Any, Sums]:
    """Sum hours by a column in the database. PostgreSQL answers sums of big integers as decimals."""
    sums = {f"sum_{name}": Coalesce(Sum(name), 0) for name in Sums.__struct_fields__}
    found = rows.order_by().values_list(column).annotate(**sums)
    return {value: Sums(*map(int, amounts)) for value, *amounts in found}


def _fold_into_days(hours: dict[datetime, Sums], zone: ZoneInfo) -> dict[date, Sums]:
    days: defaultdict[date, Sums] = defaultdict(Sums)
    for hour, sums in hours.items():
        day = hour.astimezone(zone).date()
        days[day] = days[day].plus(sums)
    return dict(days)


def _total(parts: Iterable[Sums]) -> Sums:
    total = Sums()
    for part in parts:
        total = total.plus(part)
    return total


def _named(group_by: GroupBy, groups: list[tuple[Any, Sums]], zone: ZoneInfo) -> list[SummaryRow]:
    """Write groups as rows; tenants and keys by their names of today, empty for those deleted."""
    if group_by in ("tenant", "key"):
        return _named_by_id(group_by, groups)
    if group_by == "hour":
        return [SummaryRow(hour.astimezone(zone).isoformat(), sums) for hour, sums in groups]
    return [SummaryRow(str(value), sums) for value, sums in groups]


def _named_by_id(group_by: GroupBy, groups: list[tuple[int, Sums]]) -> list[SummaryRow]:
    named = Tenant.objects.values_list("pk", "slug") if group_by == "tenant" else Key.objects.values_list("pk", "name")
    names = dict(named.filter(pk__in=[pk for pk, _ in groups]))
    return [SummaryRow(names.get(pk, ""), sums, pk) for pk, sums in groups]
