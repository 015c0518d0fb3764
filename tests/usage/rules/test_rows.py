"""Rows of budgets and limits become the rules that they say."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from providers.models import Provider
from tests.money_rows import USD, add_budget, add_limit
from tests.usage_rows import add_tenant
from usage.models import BudgetAllowance
from usage.policy import Allowance, BudgetRule, LimitRule, ProviderLimit, Scope
from usage.rules.rows import read_policy
from usage.windows import HELD, LIFETIME, Window

pytestmark = pytest.mark.django_db


def test_nothing_is_configured() -> None:
    policy = read_policy()
    assert (policy.budgets, policy.limits, policy.providers) == ((), (), {})


def test_a_budget_with_its_overrides() -> None:
    key = add_tenant()
    budget = add_budget(tenant=key.tenant, per="key", route="smart", hard=False, generation=3)
    until = timezone.now() + timedelta(hours=1)
    for subject, ends in (("k1", None), ("k2", until), ("k3", until - timedelta(hours=2))):
        BudgetAllowance.objects.create(budget=budget, subject=subject, limit_nanos=USD, until=ends, reason="r")
    assert read_policy().budgets == (
        BudgetRule(
            id=budget.pk,
            name="team",
            scope=Scope(tenant_id=key.tenant_id, route="smart", per="key"),
            window=LIFETIME,
            limit_nanos=10 * USD,
            hard=False,
            generation=3,
            allowances={"k1": Allowance(USD, None), "k2": Allowance(USD, until.timestamp())},
        ),
    )


@pytest.mark.parametrize(
    ("fields", "window"),
    [
        ({"period": "day", "time_zone": "Asia/Tokyo"}, Window("day", time_zone="Asia/Tokyo")),
        ({"period": "week", "per": "tenant"}, Window("week", time_zone="")),
        ({"period": "month", "per": "key"}, Window("month", time_zone="")),
        ({"period": "month", "per": "user"}, Window("month", time_zone="UTC")),
        ({"period": "month"}, Window("month", time_zone="UTC")),
        ({"period": "rolling_hours", "length": 5}, Window("sliding", 18_000.0)),
        ({"period": "rolling_days", "length": 7}, Window("sliding", 604_800.0)),
        ({"period": "lifetime"}, LIFETIME),
    ],
)
def test_windows(fields: dict[str, object], window: Window) -> None:
    add_budget(**fields)
    assert read_policy().budgets[0].window == window


def test_limits_and_those_of_providers() -> None:
    key = add_tenant()
    acme = Provider.objects.create(slug="acme", name="Acme", kind="mock")
    pace = add_limit(key=key)
    held = add_limit("streams", measure="parallel_streams", span="", value=4, per="key")
    ones = [add_limit(name, measure="provider_calls", span="", value=9, provider=acme) for name in ("one", "two")]
    policy = read_policy()
    assert policy.limits == (
        LimitRule(pace.pk, "pace", Scope(key_id=key.pk), "requests", Window("sliding", 60.0), 60),
        LimitRule(held.pk, "streams", Scope(per="key"), "parallel_streams", HELD, 4),
    )
    assert policy.providers == {"acme": tuple(ProviderLimit(row.pk, row.name, "acme", 9) for row in ones)}


def test_what_is_switched_off_does_not_hold_and_many_rules_take_few_queries() -> None:
    off = add_budget("off", enabled=False)
    BudgetAllowance.objects.create(budget=off, subject="", limit_nanos=1, reason="r")
    add_limit("off", enabled=False)
    for number in range(20):
        add_budget(f"b{number}")
        add_limit(f"l{number}")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        policy = read_policy()
    assert (len(policy.budgets), len(policy.limits), len(queries)) == (20, 20, 3)
