"""Months of usage: made ahead, filled from the default one, dropped whole, and their sums kept."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from tests.usage_rows import add_hour, add_record, add_tenant
from usage.ledger import posting
from usage.ledger.partitions import drop_old, ensure_partitions
from usage.models import (
    Budget,
    BudgetBalance,
    Denial,
    LedgerEntry,
    RetentionHorizon,
    UsageHour,
    UsageRecord,
)
from usage.records import AttemptRecord, Charge

Make = Callable[..., AttemptRecord]
MONTH_S = 31 * 24 * 3_600

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def on_postgresql(database: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("partitions are PostgreSQL's")


def utc(year: int, month: int, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def parts(table: str = "usage_usagerecord") -> dict[str, int]:
    """Count the rows of every partition that has any."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text, count(*) FROM {table} GROUP BY 1 ORDER BY 1")
        return dict(cursor.fetchall())


def exists(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        return bool(cursor.fetchone()[0])


def post(record: AttemptRecord, worker: str = "w1") -> None:
    with transaction.atomic():
        posting.write([record], worker=worker)


@pytest.mark.usefixtures("on_postgresql")
def test_months_are_made_ahead_once() -> None:
    ensure_partitions(utc(2031, 11, 30))
    names = [
        f"{table}_{month}" for table in ("usage_usagerecord", "usage_ledgerentry") for month in ("2031_11", "2032_01")
    ]
    assert all(map(exists, names))
    assert not exists("usage_usagerecord_2032_02")
    assert ensure_partitions(utc(2031, 11, 30)) == []
    assert ensure_partitions(utc(2031, 12, 1)) == ["usage_usagerecord_2032_02", "usage_ledgerentry_2032_02"]
    drop_old(keep_months=1, now=utc(2040, 1))


@pytest.mark.usefixtures("on_postgresql")
def test_rows_without_a_month_move_when_it_is_made(make_record: Make) -> None:
    key = add_tenant()
    add_record(key, attempt_id="a", started_at=utc(2033, 5, 31))
    add_record(key, attempt_id="b", started_at=utc(2033, 6, 1))
    post(make_record(1, started_at_ns=int(utc(2033, 5, 2).timestamp()) * 10**9))
    assert parts() == {"usage_usagerecord_default": 2}
    ensure_partitions(utc(2033, 4))
    assert parts() == {"usage_usagerecord_2033_05": 1, "usage_usagerecord_2033_06": 1}
    assert parts("usage_ledgerentry") == {"usage_ledgerentry_2033_05": 1}
    assert not exists("usage_usagerecord_default_full")
    drop_old(keep_months=1, now=utc(2040, 1))


@pytest.mark.usefixtures("on_postgresql")
def test_rows_that_came_late_get_a_month_too() -> None:
    add_record(add_tenant(), started_at=utc(2029, 2, 28))
    assert ensure_partitions(utc(2034, 1))[0] == "usage_usagerecord_2029_02"
    assert parts() == {"usage_usagerecord_2029_02": 1}
    drop_old(keep_months=1, now=utc(2040, 1))


@pytest.mark.usefixtures("on_postgresql")
def test_an_index_made_for_the_whole_serves_new_months() -> None:
    ensure_partitions(utc(2035, 1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'usage_usagerecord_2035_01'")
        assert cursor.fetchone() == (7,)
    drop_old(keep_months=1, now=utc(2040, 1))


def test_old_usage_goes_and_its_hours_stay(make_record: Make) -> None:
    key = add_tenant()
    for number, month in enumerate((1, 2, 3), start=1):
        add_record(key, attempt_id=f"a{number}", started_at=utc(2036, month, 15))
        add_hour(key, utc(2036, month, 15))
    Denial.objects.create(denial_id="d", at=utc(2036, 1, 15), tenant_id=key.tenant_id, key_id=key.pk)
    ensure_partitions(utc(2036, 3, 20))
    dropped = drop_old(keep_months=1, now=utc(2036, 3, 20))
    assert sorted(UsageRecord.objects.values_list("pk", flat=True)) == ["a2", "a3"]
    assert UsageHour.objects.count() == 3
    assert not Denial.objects.exists()
    assert RetentionHorizon.objects.get().kept_since == utc(2036, 2)
    if connection.vendor == "postgresql":
        assert {"usage_usagerecord_2036_01"} <= set(dropped.partitions)
        assert "usage_usagerecord_2036_02" not in dropped.partitions
        assert dropped.rows == 1
    else:
        assert (dropped.partitions, dropped.rows) == ((), 2)


def test_zero_keeps_everything() -> None:
    add_record(add_tenant(), started_at=utc(2020, 1))
    assert drop_old(keep_months=0, now=utc(2036, 3)).rows == 0
    assert UsageRecord.objects.count() == 1
    assert not RetentionHorizon.objects.exists()


def test_the_horizon_never_moves_back() -> None:
    drop_old(keep_months=1, now=utc(2036, 3))
    drop_old(keep_months=12, now=utc(2036, 3))
    assert RetentionHorizon.objects.get().kept_since == utc(2036, 2)


@pytest.mark.usefixtures("on_postgresql")
def test_balances_remember_what_they_hold_of_dropped_entries(make_record: Make) -> None:
    budget = Budget.objects.create(name="all", limit_nanos=10**9, period="lifetime")
    charge = Charge(f"b{budget.pk}.0.", 0)
    for number, month in ((1, 1), (2, 2), (3, 2)):
        started_at_ns = int(utc(2037, month, 9).timestamp()) * 10**9
        post(make_record(number, started_at_ns=started_at_ns, charges=(charge,)))
    ensure_partitions(utc(2037, 3))
    dropped = drop_old(keep_months=1, now=utc(2037, 3))
    assert "usage_ledgerentry_2037_01" in dropped.partitions
    assert LedgerEntry.objects.count() == 2
    balance = BudgetBalance.objects.get()
    assert (balance.posted_nanos, balance.posts) == (3_000, 3)
    assert (balance.carried_nanos, balance.carried_posts) == (1_000, 1)
    drop_old(keep_months=1, now=utc(2040, 1))
    assert BudgetBalance.objects.filter(posted_nanos=3_000, carried_nanos=3_000).count() == 1


@pytest.mark.usefixtures("on_postgresql")
def test_balances_that_no_window_holds_go_with_their_entries(make_record: Make) -> None:
    budget = Budget.objects.create(name="all", limit_nanos=10**9, period="month", time_zone="UTC")
    for number, month in ((1, 1), (2, 2)):
        slice_number = 2037 * 12 + month - 1
        started_at_ns = int(utc(2037, month, 9).timestamp()) * 10**9
        post(make_record(number, started_at_ns=started_at_ns, charges=(Charge(f"b{budget.pk}.0.", slice_number),)))
    ensure_partitions(utc(2037, 3))
    drop_old(keep_months=1, now=utc(2037, 3))
    assert list(BudgetBalance.objects.values_list("slice", flat=True)) == [2037 * 12 + 1]
    drop_old(keep_months=1, now=utc(2040, 1))


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    add_record(add_tenant(), started_at=utc(2020, 1))
    call_command("retain_usage", months=1)
    assert "rows deleted" in capsys.readouterr().out
    assert not UsageRecord.objects.exists()


def test_an_attempt_is_recorded_once(make_record: Make) -> None:
    key = add_tenant()
    add_record(key, started_at=utc(2036, 1))
    with pytest.raises(Exception, match=r"(?i)unique"), transaction.atomic():
        add_record(key, started_at=utc(2036, 1))
