"""Calendars of a budget: one where it names one, else that of each subject's tenant."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tenants import keys
from tenants.models import Tenant
from usage.models import Budget
from usage.rules.calendars import slices_now, sole_tenant, windows_of
from usage.windows import Window

pytestmark = pytest.mark.django_db
NOW_S = datetime(2026, 11, 21, 11, tzinfo=UTC).timestamp()
TODAY = Window("day").slice_at(NOW_S)


def budget(**fields: Any) -> Budget:
    return Budget(**({"name": "b", "limit_nanos": 1, "period": "day"} | fields))


@pytest.fixture
def apia() -> Tenant:
    return Tenant.objects.create(slug="apia", name="Apia", time_zone="Pacific/Apia")


def test_a_budget_may_name_its_own(apia: Tenant) -> None:
    row = budget(time_zone="Pacific/Apia", per="tenant")
    assert windows_of(row, ["t1", "t2"]) == dict.fromkeys(["t1", "t2"], Window("day", time_zone="Pacific/Apia"))
    assert slices_now(row, NOW_S) == (TODAY + 1, TODAY + 1)


def test_a_budget_of_one_tenant_follows_it(apia: Tenant) -> None:
    key, _ = keys.issue(tenant=apia, name="app")
    for row in (budget(tenant=apia), budget(key=key)):
        assert sole_tenant(row) == apia
        assert windows_of(row, [""]) == {"": Window("day", time_zone="Pacific/Apia")}
        assert slices_now(row, NOW_S) == (TODAY + 1, TODAY + 1)


def test_everybody_together_is_counted_in_utc(apia: Tenant) -> None:
    assert sole_tenant(budget()) is None
    assert slices_now(budget(), NOW_S) == (TODAY, TODAY)


def test_each_follows_their_own(apia: Tenant) -> None:
    utc = Tenant.objects.create(slug="u", name="U", time_zone="UTC")
    key, _ = keys.issue(tenant=apia, name="app")
    found = windows_of(budget(per="tenant"), [f"t{apia.pk}", f"t{utc.pk}", "t99999"])
    assert [window.time_zone for window in found.values()] == ["Pacific/Apia", "UTC", "UTC"]
    assert windows_of(budget(per="key"), [f"k{key.pk}"])[f"k{key.pk}"].time_zone == "Pacific/Apia"
    assert slices_now(budget(per="key"), NOW_S) == (TODAY, TODAY + 1)


def test_a_sliding_window_has_many_slices() -> None:
    first, last = slices_now(budget(period="rolling_hours", length=1), NOW_S)
    assert last - first == 64
