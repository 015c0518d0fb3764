"""The reports: the same as adding the records up by hand, in any time zone, on both databases."""

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from django.db import connection

from providers.dialects.canonical import Usage
from tenants import keys
from tenants.models import Tenant
from usage.journal.journal import Journal
from usage.ledger.shipper import Shipper
from usage.records import AttemptRecord
from usage.reports import summaries
from usage.reports.summaries import GroupBy, Sums

Make = Callable[..., AttemptRecord]
Ship = Callable[..., None]

pytestmark = pytest.mark.usefixtures("database")

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
A_MONTH = {"since": NEW_YEAR, "until": NEW_YEAR + timedelta(days=31)}


@pytest.fixture
def ship(tmp_path: Path) -> Ship:
    """Return a function that takes records all the way into the tables."""

    def ship_records(*records: AttemptRecord) -> None:
        journal = Journal(tmp_path, worker="w1")
        for record in records:
            journal.append(record)
        journal.close()
        assert Shipper(tmp_path).ship_once() == len(records)

    return ship_records


@pytest.fixture
def month(make_record: Make, ship: Ship) -> list[AttemptRecord]:
    """Return the shipped records of a busy January."""
    draw = random.Random(20260101)
    records = [
        make_record(
            number,
            started_at_ns=int(NEW_YEAR.timestamp() * 1e9) + draw.randrange(31 * 86_400 * 1_000_000) * 1_000,
            tenant_id=draw.choice([1, 2]),
            key_id=draw.choice([1, 2, 3]),
            route=draw.choice(["smart", "cheap"]),
            provider=draw.choice(["acme", "zenith"]),
            model=draw.choice(["m-1", "m-2", "m-3"]),
            ending=draw.choice(["completed", "refused", "failed", "cut", "cancelled"]),
            usage=Usage(input_tokens=draw.randrange(10**9), output_tokens=draw.randrange(10**9)),
            cost_nanos=draw.choice([None, 0, draw.randrange(10**15)]),
            latency_us=draw.randrange(10**9),
        )
        for number in range(400)
    ]
    ship(*records)
    return records


def started_at(record: AttemptRecord) -> datetime:
    return datetime.fromtimestamp(record.started_at_ns // 1_000_000_000, UTC)


def sums_of(records: list[AttemptRecord]) -> Sums:
    return Sums(
        attempts=len(records),
        errors=sum(record.ending in ("refused", "failed", "cut") for record in records),
        input_tokens=sum(record.usage.input_tokens for record in records),
        output_tokens=sum(record.usage.output_tokens for record in records),
        cost_nanos=sum(record.cost_nanos or 0 for record in records),
        unpriced_attempts=sum(record.cost_nanos is None for record in records),
        latency_us=sum(record.latency_us for record in records),
    )


def grouped(records: list[AttemptRecord], key: Callable[[AttemptRecord], Any]) -> dict[Any, Sums]:
    groups: defaultdict[Any, list[AttemptRecord]] = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    return {value: sums_of(members) for value, members in groups.items()}


@pytest.mark.parametrize("group_by", ["route", "provider", "model"])
def test_groups_by_text_are_the_naive_sums_dearest_first(month: list[AttemptRecord], group_by: GroupBy) -> None:
    found = summaries.summary(**A_MONTH, group_by=group_by)
    assert {row.value: row.sums for row in found.rows} == grouped(month, lambda record: getattr(record, group_by))
    costs = [row.sums.cost_nanos for row in found.rows]
    assert costs == sorted(costs, reverse=True)
    assert found.totals == sums_of(month)
    assert not found.truncated


@pytest.mark.parametrize("group_by", ["tenant", "key"])
def test_groups_by_who_carry_the_id(month: list[AttemptRecord], group_by: GroupBy) -> None:
    found = summaries.summary(**A_MONTH, group_by=group_by)
    assert {row.id: row.sums for row in found.rows} == grouped(month, lambda r: getattr(r, f"{group_by}_id"))
    assert {row.value for row in found.rows} == {""}


def test_who_is_named_as_of_today(make_record: Make, ship: Ship) -> None:
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    key, _ = keys.issue(tenant=tenant, name="build server")
    ship(make_record(1, tenant_id=tenant.pk, key_id=key.pk))
    assert [row.value for row in summaries.summary(**A_MONTH, group_by="tenant").rows] == ["acme"]
    assert [row.value for row in summaries.summary(**A_MONTH, group_by="key").rows] == ["build server"]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati"])
def test_days_are_those_of_the_time_zone(month: list[AttemptRecord], zone: str) -> None:
    found = summaries.summary(**A_MONTH, time_zone=zone, group_by="day")
    expected = grouped(month, lambda record: started_at(record).astimezone(ZoneInfo(zone)).date().isoformat())
    assert {row.value: row.sums for row in found.rows} == expected
    assert [row.value for row in found.rows] == sorted(expected)


def test_where_days_begin_inside_an_hour_it_counts_to_the_day_it_began_in(make_record: Make, ship: Ship) -> None:
    # In India the first of January 2026 begins at 18:30 UTC.
    at = datetime(2025, 12, 31, 18, 45, tzinfo=UTC)
    ship(make_record(1, started_at_ns=int(at.timestamp()) * 10**9))
    found = summaries.summary(since=at, until=at + timedelta(hours=1), time_zone="Asia/Kolkata", group_by="day")
    assert [row.value for row in found.rows] == ["2025-12-31"]


def test_hours_stay_in_order_when_the_clock_goes_back(make_record: Make, ship: Ship) -> None:
    before = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    instants = [before, before + timedelta(hours=1)]
    ship(*(make_record(n, started_at_ns=int(at.timestamp()) * 10**9) for n, at in enumerate(instants)))
    found = summaries.summary(
        since=before, until=before + timedelta(hours=2), time_zone="Europe/Berlin", group_by="hour"
    )
    assert [row.value for row in found.rows] == ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]


def test_a_filter_leaves_the_others_out(month: list[AttemptRecord]) -> None:
    of_tenant = [record for record in month if record.tenant_id == 2]
    assert summaries.summary(**A_MONTH, tenant_id=2).totals == sums_of(of_tenant)
    of_key = [record for record in of_tenant if record.key_id == 3]
    assert summaries.summary(**A_MONTH, tenant_id=2, key_id=3, group_by="model").totals == sums_of(of_key)


def test_a_period_is_widened_to_whole_hours(month: list[AttemptRecord]) -> None:
    found = summaries.summary(
        since=NEW_YEAR + timedelta(days=3, minutes=59), until=NEW_YEAR + timedelta(days=9, minutes=1)
    )
    since, until = NEW_YEAR + timedelta(days=3), NEW_YEAR + timedelta(days=9, hours=1)
    assert (found.since, found.until) == (since, until)
    assert found.totals == sums_of([record for record in month if since <= started_at(record) < until])


def test_a_limit_cuts_the_rows_and_not_the_totals(month: list[AttemptRecord]) -> None:
    found = summaries.summary(**A_MONTH, group_by="model", limit=2)
    assert (len(found.rows), found.truncated) == (2, True)
    assert found.totals == sums_of(month)


def test_an_empty_period_is_zeros() -> None:
    found = summaries.summary(**A_MONTH, group_by="route")
    assert (found.rows, found.totals) == ([], Sums())
    assert found.totals.mean_latency_us == 0


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        summaries.summary(**A_MONTH, time_zone="Mars/Olympus")


def test_the_dashboard_is_the_naive_series_and_totals(month: list[AttemptRecord]) -> None:
    now = NEW_YEAR + timedelta(days=20, hours=15, minutes=20)
    board = summaries.dashboard(now=now, hours=168)
    by_hour = grouped(month, lambda record: started_at(record).replace(minute=0, second=0))
    first = NEW_YEAR + timedelta(days=13, hours=16)
    assert [point.hour for point in board.hours] == [first + timedelta(hours=n) for n in range(168)]
    assert all(point.sums == by_hour.get(point.hour, Sums()) for point in board.hours)
    assert sum(point.sums.attempts for point in board.hours) > 50

    def since(days: int) -> Sums:
        start, end = NEW_YEAR + timedelta(days=21 - days), NEW_YEAR + timedelta(days=20, hours=16)
        return sums_of([record for record in month if start <= started_at(record) < end])

    assert (board.today, board.last_7_days, board.last_30_days) == (since(1), since(7), since(30))


def test_the_dashboard_counts_today_from_local_midnight(make_record: Make, ship: Ship) -> None:
    ship(make_record(0), make_record(3_600 * 5, tenant_id=2))
    now = NEW_YEAR + timedelta(hours=6)
    assert summaries.dashboard(now=now).today.attempts == 2
    assert summaries.dashboard(now=now, time_zone="America/New_York").today.attempts == 1
    assert summaries.dashboard(now=now, tenant_id=2).last_7_days.attempts == 1


def test_a_dashboard_is_one_query(month: list[AttemptRecord], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1, connection=connection):
        summaries.dashboard(now=NEW_YEAR + timedelta(days=5))


def test_the_attempts_of_a_request_are_those_of_its_key(make_record: Make, ship: Ship) -> None:
    ship(
        make_record(1, request_id="req_1", ending="failed", cost_nanos=None, status=500),
        make_record(2, request_id="req_1", attempt_number=2),
        make_record(3, request_id="req_1", key_id=2),
        make_record(4, request_id="req_2"),
    )
    first, second = summaries.usage_of_request("req_1", 1)
    assert (first.attempt_id, first.ending, first.status, first.cost_nanos) == ("att_00000001", "failed", 500, None)
    assert (second.attempt_number, second.usage.input_tokens, second.cost_nanos) == (2, 10, 1_000)
    assert second == make_record(2, request_id="req_1", attempt_number=2)
    assert summaries.usage_of_request("req_3", 1) == []
