"""How budgets stand: exact sums of the window as it is now, whoever posted them, in everyone's own calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants import keys
from tenants.models import Tenant
from tests.money_rows import USD, add_budget, reserve, spend
from tests.usage_rows import add_tenant
from usage.models import Budget, BudgetAllowance
from usage.rules.standings import Standing, fullest, slice_for, standing

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kernel.clock.now", lambda: NOW)


def spent(budget: Budget) -> dict[str, int]:
    return {line.subject: line.spent_nanos for line in standing(budget)}


def test_one_counter_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = add_budget()
    spend(budget, 3 * USD, worker="w1")
    spend(budget, 1, worker="w2")
    spend(budget, -1 * USD, worker="adjustments")
    [line] = standing(budget)
    assert (line.name, line.spent_nanos, line.reserved_nanos, line.resets_at) == (
        "all together",
        2 * USD + 1,
        None,
        None,
    )
    assert line.left_nanos == 8 * USD - 1
    reserve(monkeypatch, budget, 5 * USD)
    [line] = standing(budget)
    assert (line.reserved_nanos, line.left_nanos) == (3 * USD - 1, 5 * USD)
    assert (line.percent, line.reserved_percent) == (20.00000001, 29.99999999)


def test_counters_that_lag_hold_nothing_less_than_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = add_budget()
    spend(budget, 3 * USD)
    reserve(monkeypatch, budget, 2 * USD)
    assert standing(budget)[0].reserved_nanos == 0


def test_days_end_where_each_tenant_lives() -> None:
    here, there = add_tenant(), Tenant.objects.create(slug="apia", name="Apia", time_zone="Pacific/Apia")
    budget = add_budget(per="tenant", period="day")
    for tenant in (here.tenant_id, there.pk):
        spend(budget, USD, subject=f"t{tenant}", at=NOW)
        spend(budget, 7 * USD, subject=f"t{tenant}", at=NOW - timedelta(days=1))
    assert spent(budget) == {f"t{here.tenant_id}": USD, f"t{there.pk}": USD}
    ends = {line.subject: line.resets_at for line in standing(budget)}
    assert ends == {
        f"t{here.tenant_id}": datetime(2026, 6, 2, tzinfo=UTC),
        f"t{there.pk}": datetime(2026, 6, 2, 11, tzinfo=UTC),
    }
    assert slice_for(budget, f"t{there.pk}", NOW) == slice_for(budget, f"t{here.tenant_id}", NOW) + 1


def test_a_sliding_window_holds_its_span() -> None:
    budget = add_budget(period="rolling_hours", length=2)
    for minutes, nanos in ((0, 1), (60, 10), (115, 100), (180, 1_000)):
        spend(budget, nanos, at=NOW - timedelta(minutes=minutes))
    assert spent(budget) == {"": 111}
    assert standing(budget)[0].resets_at is None


def test_the_largest_shares_come_first_and_overrides_count() -> None:
    tenant = add_tenant().tenant
    issued = [keys.issue(tenant=tenant, name=f"key {number}")[0] for number in range(4)]
    budget = add_budget(per="key")
    for number, key in enumerate(issued[:3], start=1):
        spend(budget, number * USD, subject=f"k{key.pk}")
    for key, until in ((issued[0], NOW + timedelta(hours=1)), (issued[3], None), (issued[1], NOW)):
        BudgetAllowance.objects.create(budget=budget, subject=f"k{key.pk}", limit_nanos=2 * USD, until=until, reason="")
    lines = standing(budget)
    assert [(line.name, line.percent, line.overridden) for line in lines] == [
        ("key 0 (Acme)", 50.0, True),
        ("key 2 (Acme)", 30.0, False),
        ("key 1 (Acme)", 20.0, False),
        ("key 3 (Acme)", 0.0, True),
    ]
    assert [line.override_until for line in lines] == [NOW + timedelta(hours=1), None, None, None]
    assert len(standing(budget, at_most=2)) == 2


def test_a_limit_of_nothing_is_used_up() -> None:
    line = Standing("", "b1.0.", window=None, limit_nanos=0, spent_nanos=0, resets_at=None)  # type: ignore[arg-type]
    assert (line.percent, line.reserved_percent, line.left_nanos) == (100.0, 0.0, 0)


def test_the_fullest_of_many() -> None:
    key = add_tenant()
    one, two, unused = add_budget("one"), add_budget("two", per="key"), add_budget("three", per="user")
    spend(two, 4 * USD, subject=f"k{key.pk}")
    spend(two, USD, subject="k999999")
    found = fullest([one, two, unused])
    assert {number: (line.name, line.spent_nanos) for number, line in found.items()} == {
        one.pk: ("all together", 0),
        two.pk: ("app (Acme)", 4 * USD),
    }


def test_thousands_of_subjects_take_no_more_queries() -> None:
    budget = add_budget(per="key")
    for number in range(60):
        spend(budget, number, subject=f"k{number + 1}")
    with CaptureQueriesContext(connection) as queries:
        lines = standing(budget)
    assert (len(lines), lines[0].spent_nanos, len(queries)) == (50, 59, 3)
