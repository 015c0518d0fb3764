"""Rules that no call could fit, or that make no sense, are refused with the field that is wrong."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from providers.models import Provider
from tenants import keys
from tenants.models import Tenant, User
from tests.money_rows import USD, add_budget
from tests.usage_rows import add_tenant
from usage.models import Budget, Limit

pytestmark = pytest.mark.django_db


def wrong(rule: Budget | Limit) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        rule.full_clean()
    return set(caught.value.message_dict)


def budget(**fields: Any) -> Budget:
    return Budget(**({"name": "b", "limit_nanos": USD} | fields))


def limit(**fields: Any) -> Limit:
    return Limit(**({"name": "l", "measure": "requests", "span": "minute", "value": 1} | fields))


def test_ordinary_ones_are_fine() -> None:
    key = add_tenant()
    budget(tenant=key.tenant, key=key, per="key", time_zone="Europe/Berlin").full_clean()
    budget(period="rolling_days", length=30, limit_nanos=0, alert_percents=[]).full_clean()
    limit(measure="parallel_calls", span="").full_clean()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"period": "rolling_hours"}, "length"),
        ({"period": "rolling_hours", "length": 0}, "length"),
        ({"period": "month", "length": 3}, "length"),
        ({"period": "decade"}, "period"),
        ({"limit_nanos": -1}, "limit_nanos"),
        ({"limit_nanos": 10**18 + 1}, "limit_nanos"),
        ({"alert_percents": [0]}, "alert_percents"),
        ({"alert_percents": "50"}, "alert_percents"),
        ({"per": "planet"}, "per"),
        ({"name": ""}, "name"),
    ],
)
def test_budgets(fields: dict[str, Any], field: str) -> None:
    assert field in wrong(budget(**fields))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"span": ""}, "span"),
        ({"measure": "parallel_calls"}, "span"),
        ({"measure": "provider_calls", "span": ""}, "provider"),
        ({"value": -1}, "value"),
    ],
)
def test_limits(fields: dict[str, Any], field: str) -> None:
    assert field in wrong(limit(**fields))


def test_a_providers_calls_are_limited_whoever_calls() -> None:
    acme = Provider.objects.create(slug="acme", name="Acme", kind="mock")
    limit(measure="provider_calls", span="", provider=acme).full_clean()
    assert "provider" in wrong(limit(provider=acme))
    assert "route" in wrong(limit(measure="provider_calls", span="", provider=acme, route="smart"))
    assert "per" in wrong(limit(measure="provider_calls", span="", provider=acme, per="key"))


def test_a_key_and_its_owners_must_agree() -> None:
    key, other = add_tenant(), Tenant.objects.create(slug="other", name="Other")
    person = User.objects.create_user("p", "p@example.org")
    assert "key" in wrong(budget(key=key, tenant=other))
    assert "key" in wrong(budget(key=key, user=person))
    assert "per" in wrong(budget(key=key, per="user"))
    own, _ = keys.issue(tenant=other, name="own", user=person)
    limit(key=own, user=person, tenant=other, per="user").full_clean()


def test_names_are_taken_once() -> None:
    add_budget("b")
    assert "name" in wrong(budget())
