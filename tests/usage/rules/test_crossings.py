"""Crossings: every percentage that is passed, of everybody who passed it, in their own day and with their own limit."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants import keys
from tenants.models import Tenant
from usage.models import Budget, BudgetAllowance, BudgetBalance
from usage.rules.crossings import Crossing, crossed
from usage.windows import Window

NOW = datetime(2026, 11, 21, 11, tzinfo=UTC)
USD = 10**9

pytestmark = pytest.mark.usefixtures("database")


def budget(**fields: Any) -> Budget:
    return Budget.objects.create(**({"name": "b", "limit_nanos": 10 * USD, "period": "lifetime"} | fields))


def spend(row: Budget, usd: float, *, subject: str = "", number: int = 0, worker: str = "w1") -> None:
    BudgetBalance.objects.create(
        budget_id=row.pk,
        counter=f"b{row.pk}.{row.generation}.{subject}",
        slice=number,
        worker=worker,
        posted_nanos=round(usd * USD),
    )


def percents(now: datetime = NOW) -> list[tuple[str, int]]:
    return [(crossing.subject, crossing.percent) for crossing in crossed(now)]


def test_it_says_what_an_alert_needs() -> None:
    row = budget(period="month", hard=False)
    number = Window("month").slice_at(NOW.timestamp())
    spend(row, 8, number=number)
    top, _ = crossed(NOW)
    assert top == Crossing(
        budget_id=row.pk,
        budget="b",
        hard=False,
        counter=f"b{row.pk}.0.",
        period=number,
        subject="",
        subject_name="all together",
        tenant_id=None,
        percent=80,
        spent_nanos=8 * USD,
        limit_nanos=10 * USD,
        resets_at=datetime(2026, 12, 1, tzinfo=UTC),
    )


def test_workers_and_corrections_add_up() -> None:
    row = budget(alert_percents=[50])
    spend(row, 4)
    spend(row, 1.5, worker="w2")
    assert percents() == [("", 50)]
    spend(row, -0.6, worker="adjustments")
    assert percents() == []


@pytest.mark.parametrize(
    ("usd", "expected"),
    [(4.999999999, []), (5, [50]), (7.999999999, [50]), (8, [80, 50]), (10, [100, 80, 50]), (99, [100, 80, 50])],
)
def test_exactly_the_percentage_is_past_it(usd: float, expected: list[int]) -> None:
    spend(budget(), usd)
    assert [percent for _, percent in percents()] == expected


def test_percentages_may_be_repeated_above_a_hundred_and_absent() -> None:
    spend(budget(alert_percents=[150, 120, 120]), 12)
    spend(budget(name="quiet", alert_percents=[]), 99)
    assert percents() == [("", 120)]


def test_of_a_limit_of_nothing_everything_is_all() -> None:
    row = budget(limit_nanos=0, alert_percents=[100, 200], per="tenant")
    spend(row, 0, subject="t1")
    spend(row, 0.000000001, subject="t2")
    assert percents() == [("t2", 100)]


def test_only_what_is_in_force() -> None:
    spend(budget(enabled=False), 9)
    old = budget(name="reset")
    spend(old, 9)
    old.generation = 1
    old.save()
    assert percents() == []


def test_everybody_is_counted_apart_and_named() -> None:
    acme = Tenant.objects.create(slug="acme", name="Acme")
    key, _ = keys.issue(tenant=acme, name="app")
    for per, subject in (("tenant", f"t{acme.pk}"), ("key", f"k{key.pk}"), ("user", "u7"), ("route", "rsmart")):
        row = budget(name=per, per=per, alert_percents=[50])
        spend(row, 6, subject=subject)
        spend(row, 4, subject=subject + "9")
    spend(budget(name="of acme", tenant=acme, alert_percents=[50]), 6)
    found = {crossing.budget: (crossing.subject_name, crossing.tenant_id) for crossing in crossed(NOW)}
    assert found == {
        "tenant": ("Acme", acme.pk),
        "key": ("app (Acme)", acme.pk),
        "user": ("deleted (7)", None),
        "route": ("smart", None),
        "of acme": ("all together", acme.pk),
    }


def test_overrides_hold_while_they_last() -> None:
    row = budget(per="tenant", alert_percents=[50])
    over, ahead = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    for subject, usd, limit_usd, until in (("t1", 6, 20, None), ("t2", 2, 4, ahead), ("t3", 6, 20, over)):
        BudgetAllowance.objects.create(
            budget=row, subject=subject, limit_nanos=limit_usd * USD, until=until, reason="because"
        )
        spend(row, usd, subject=subject)
    assert [(one.subject, one.limit_nanos // USD) for one in crossed(NOW)] == [("t2", 4), ("t3", 10)]


def test_each_tenants_own_day_counts() -> None:
    row = budget(period="day", per="tenant", alert_percents=[50])
    for zone in ("Pacific/Apia", "Pacific/Honolulu"):
        tenant = Tenant.objects.create(slug=zone[8:12].lower(), name=zone[8:], time_zone=zone)
        today = Window("day", time_zone=zone).slice_at(NOW.timestamp())
        spend(row, 6, subject=f"t{tenant.pk}", number=today)
        spend(row, 9, subject=f"t{tenant.pk}", number=today - 1)
    found = [(one.subject_name, one.spent_nanos // USD, one.resets_at) for one in crossed(NOW)]
    assert found == [
        ("Apia", 6, datetime(2026, 11, 22, 11, tzinfo=UTC)),
        ("Honolulu", 6, datetime(2026, 11, 22, 10, tzinfo=UTC)),
    ]


def test_a_sliding_window_is_one_period_for_ever() -> None:
    row = budget(period="rolling_hours", length=2, alert_percents=[50])
    newest = Window("sliding", 7_200).slice_at(NOW.timestamp())
    for number in (newest - 65, newest - 64, newest):
        spend(row, 3, number=number)
    [found] = crossed(NOW)
    assert (found.period, found.spent_nanos, found.resets_at) == (0, 6 * USD, None)
    assert list(crossed(NOW + timedelta(minutes=5))) == []


def test_many_subjects_cost_few_queries() -> None:
    row = budget(per="tenant", alert_percents=[50, 100])
    for number in range(1, 101):
        spend(row, 20 if number % 10 == 0 else 1, subject=f"t{number}")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(percents()) == 20
    assert len(queries) <= 7
