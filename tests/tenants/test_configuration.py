"""Every way to write configuration moves its version, in the same transaction as the change."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from providers.models import Price, PriceCatalog, Provider
from routing.models import Route, Target
from tenants.configuration import ConfigurationVersion, Configured
from tenants.models import Tenant
from usage.models import Budget, BudgetAllowance, Limit

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> dict[str, Any]:
    tenant = Tenant.objects.create(slug="t", name="T")
    provider = Provider.objects.create(slug="p", kind="mock")
    route = Route.objects.create(name="m", tenant=tenant)
    target = Target.objects.create(route=route, provider=provider, model="m")
    price = Price.objects.create(catalog=PriceCatalog.objects.create(source="s"), vendor="v", model="m")
    budget = Budget.objects.create(name="b", limit_nanos=1)
    return {
        "tenant": tenant,
        "provider": provider,
        "route": route,
        "target": target,
        "price": price,
        "budget": budget,
        "limit": Limit.objects.create(name="l", measure="requests", span="minute", value=1),
        "allowance": BudgetAllowance.objects.create(budget=budget, limit_nanos=2, reason="r"),
    }


def moved(change: Callable[[], Any]) -> int:
    before = ConfigurationVersion.current()
    change()
    return ConfigurationVersion.current() - before


def test_nothing_configured_is_version_zero() -> None:
    ConfigurationVersion.objects.all().delete()
    assert ConfigurationVersion.current() == 0
    ConfigurationVersion.advance()
    assert ConfigurationVersion.current() == 1
    assert str(ConfigurationVersion.objects.get()) == "version 1"


def test_there_is_one_row() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ConfigurationVersion.objects.create(pk=2)


@pytest.mark.parametrize("name", ["tenant", "provider", "route", "target", "price", "budget", "limit", "allowance"])
def test_saving_updating_and_deleting_move_it(rows: dict[str, Any], name: str) -> None:
    row = rows[name]
    kind = type(row)
    assert moved(row.save) > 0
    assert moved(lambda: kind.objects.filter(pk=row.pk).update(id=row.pk)) > 0
    assert moved(lambda: kind.objects.bulk_update([row], [row._meta.fields[1].name])) > 0
    assert moved(row.delete) > 0
    assert not kind.objects.filter(pk=row.pk).exists()


def test_every_configured_model_is_tried_above(rows: dict[str, Any]) -> None:
    assert {type(row) for row in rows.values()} >= concrete(Configured)


def concrete(base: type[Configured]) -> set[type[Configured]]:
    """Return every model below a base that has a table."""
    below = base.__subclasses__()
    return {kind for kind in below if not kind._meta.abstract}.union(*(concrete(kind) for kind in below))


def test_writing_in_bulk_moves_it(rows: dict[str, Any]) -> None:
    more = [Route(name="x"), Route(name="y")]
    assert moved(lambda: Route.objects.bulk_create(more)) > 0
    assert moved(lambda: Route.objects.filter(name__in=["x", "y"]).delete()) > 0
    assert moved(lambda: Route.objects.get_or_create(name="z")) > 0
    assert moved(lambda: Route.objects.update_or_create(name="z", defaults={"max_attempts": 2})) > 0


@pytest.mark.parametrize("parent", ["tenant", "provider", "route"])
def test_what_goes_with_its_parent_moves_it(rows: dict[str, Any], parent: str) -> None:
    assert moved(lambda: type(rows[parent]).objects.filter(pk=rows[parent].pk).delete()) > 0
    assert not Target.objects.exists()


def test_related_rows_move_it(rows: dict[str, Any]) -> None:
    assert moved(lambda: rows["route"].targets.update(weight=2)) > 0
    assert moved(lambda: rows["route"].targets.create(provider=rows["provider"], model="n")) > 0
    assert moved(lambda: rows["route"].targets.all().delete()) > 0


def test_a_change_that_is_undone_undoes_the_version(rows: dict[str, Any]) -> None:
    def fail() -> None:
        with transaction.atomic():
            rows["route"].save()
            assert moved(rows["target"].save) == 1
            transaction.set_rollback(True)

    assert moved(fail) == 0


def test_a_change_that_is_refused_does_not_move_it(rows: dict[str, Any]) -> None:
    def refused() -> None:
        with pytest.raises(IntegrityError):
            Provider.objects.create(slug="p", kind="mock")

    assert moved(refused) == 0


def test_reading_does_not_move_it(rows: dict[str, Any]) -> None:
    assert moved(lambda: (list(Route.objects.all()), rows["route"].refresh_from_db())) == 0
