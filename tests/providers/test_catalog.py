"""Lists into rows: only what differs is added, nothing is rewritten, and what the operator set stays."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.forms.models import model_to_dict

from providers.catalog import BEGINNING, OPERATOR, Diff, load, seed_bundled_prices, set_price
from providers.catalogs.bundled import bundled_version, read_bundled_list
from providers.catalogs.listed import ListedPrice, PriceList, PriceListBroken
from providers.matching import RuleBroken
from providers.models import Price, PriceCatalog
from providers.price_rows import BUNDLED, TiersBroken, read_price_index
from tenants.configuration import ConfigurationVersion
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=10)
MTOK = 10**12


def listed(model: str = "m", usd: int | str = 1, **fields: Any) -> ListedPrice:
    return ListedPrice("v", model, {"input_per_mtok": Decimal(usd)}, **fields)  # type: ignore[dict-item]


def load_list(*prices: ListedPrice, source: str = "file:a.json", now: datetime = NOW, **options: Any) -> Diff:
    return load(PriceList(source=source, prices=prices, version="1"), now=now, **options)


def usd_at(moment: datetime, model: str = "m", *, tenant_id: int | None = None) -> Decimal | None:
    price = read_price_index({"v"}).book("v", model).price_at(tenant_id, moment.timestamp())
    return None if price is None else Decimal(price.rates.input or 0) / MTOK


def sums(found: Diff) -> tuple[int, int, int, int]:
    return len(found.of("added")), len(found.of("changed")), len(found.of("withdrawn")), found.unchanged_count


def test_what_was_never_heard_of_holds_for_all_time() -> None:
    assert sums(load_list(listed())) == (1, 0, 0, 0)
    assert usd_at(BEGINNING) == usd_at(LATER) == 1


def test_a_second_load_adds_nothing_and_moves_no_version() -> None:
    load_list(listed(), listed("n", 2))
    before = ConfigurationVersion.current(), Price.objects.count(), PriceCatalog.objects.count()
    assert sums(load_list(listed(), listed("n", 2), now=LATER)) == (0, 0, 0, 2)
    assert (ConfigurationVersion.current(), Price.objects.count(), PriceCatalog.objects.count()) == before


def test_a_changed_price_holds_from_now_on_and_the_old_row_stays_as_it_was() -> None:
    load_list(listed())
    old = Price.objects.get()
    before = model_to_dict(old)
    found = load_list(listed(usd=2))
    assert sums(found) == (0, 1, 0, 0)
    assert model_to_dict(Price.objects.get(pk=old.pk)) == before
    assert [usd_at(NOW - timedelta(seconds=1)), usd_at(NOW), usd_at(LATER)] == [1, 2, 2]


@pytest.mark.parametrize("fields", [{"tiers": [{"above_input_tokens": 5}]}, {"match": {"equals": "n"}}])
def test_tiers_and_rules_are_part_of_what_a_price_says(fields: dict[str, Any]) -> None:
    load_list(listed())
    assert sums(load_list(listed(**fields))) == (0, 1, 0, 0)
    assert sums(load_list(listed(**fields))) == (0, 0, 0, 1)


def test_a_dry_run_writes_nothing() -> None:
    assert sums(load_list(listed(), dry_run=True)) == (1, 0, 0, 0)
    assert not PriceCatalog.objects.exists()


def test_announced_prices_come_on_their_day_and_may_be_taken_back() -> None:
    announced = listed(usd=9, effective_from=LATER)
    load_list(listed(), announced)
    assert [usd_at(NOW), usd_at(LATER)] == [1, 9]
    assert sums(load_list(listed(), announced)) == (0, 0, 0, 1)
    assert sums(load_list(listed())) == (0, 1, 0, 0)
    assert [usd_at(NOW), usd_at(LATER + timedelta(seconds=1))] == [1, 1]
    assert sums(load_list(listed())) == (0, 0, 0, 1)
    count = Price.objects.count()
    assert sums(load_list(listed(), announced)) == (0, 1, 0, 0)
    assert usd_at(LATER + timedelta(seconds=1)) == 9
    assert Price.objects.count() == count + 1


def test_a_day_that_was_over_when_the_list_came_does_not_rewrite_the_past() -> None:
    load_list(listed())
    load_list(listed(), listed(usd=3, effective_from=NOW - timedelta(days=9)))
    assert [usd_at(NOW - timedelta(days=1)), usd_at(NOW)] == [1, 3]


def test_a_file_goes_before_the_bundled_list_and_leaves_its_past() -> None:
    load_list(listed(), source=BUNDLED)
    load_list(listed(usd=2))
    assert [usd_at(NOW - timedelta(days=1)), usd_at(NOW)] == [1, 2]
    assert sums(load_list(listed(), source=BUNDLED)) == (0, 0, 0, 1)
    found = load_list(listed(usd=5), source=BUNDLED)
    assert [change.overridden_by for change in found.changes] == ["file:a.json"]
    assert usd_at(LATER) == 2


def test_two_files_take_turns_and_the_last_one_loaded_holds() -> None:
    load_list(listed())
    load_list(listed(usd=2), source="file:b.json")
    assert usd_at(LATER) == 2
    assert sums(load_list(listed(), now=LATER)) == (0, 1, 0, 0)
    assert usd_at(LATER) == 1


def test_pruning_withdraws_only_what_this_source_listed() -> None:
    load_list(listed("bundled"), source=BUNDLED)
    load_list(listed("other"), source="file:b.json")
    load_list(listed(), listed("gone", match={"starts_with": "gone"}), listed("gone", 7, effective_from=LATER))
    assert sums(load_list(listed())) == (0, 0, 0, 1)
    assert sums(load_list(listed(), prune=True)) == (0, 0, 1, 1)
    after = LATER + timedelta(days=1)
    assert [usd_at(after, name) for name in ("m", "bundled", "other", "gone", "gone-2")] == [1, 1, 1, None, None]
    assert sums(load_list(listed(), prune=True)) == (0, 0, 0, 1)
    assert sums(load_list(listed(), listed("gone"))) == (0, 1, 0, 1)
    assert usd_at(after, "gone") == 1


def test_a_price_by_hand_goes_before_every_list_until_it_is_ended() -> None:
    load_list(listed(), source=BUNDLED)
    set_price(vendor="v", model="m", effective_from=NOW, input_per_mtok=Decimal("0.5"))
    assert usd_at(LATER) == Decimal("0.5")
    found = load_list(listed(usd=3), source=BUNDLED)
    assert [change.overridden_by for change in found.changes] == [OPERATOR]
    assert usd_at(LATER) == Decimal("0.5")
    set_price(vendor="v", model="m", effective_from=LATER)
    assert usd_at(LATER) == 3
    set_price(vendor="v", model="m", effective_from=LATER, withdrawn=True)
    assert usd_at(LATER + timedelta(seconds=1)) is None


def test_a_price_for_one_tenant_is_nobody_elses() -> None:
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    load_list(listed())
    set_price(vendor="v", model="m", tenant=tenant, effective_from=NOW, input_per_mtok=4)
    assert usd_at(LATER, tenant_id=tenant.pk) == 4
    assert usd_at(LATER) == 1
    assert sums(load_list(listed(), prune=True)) == (0, 0, 0, 1)


def test_two_prices_by_hand_at_one_moment_do_not_collide() -> None:
    rows = [set_price(vendor="v", model="m", effective_from=NOW, input_per_mtok=usd) for usd in (1, 2)]
    assert rows[0].effective_from < rows[1].effective_from
    assert usd_at(LATER) == 2
    assert PriceCatalog.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"input_per_mtok": 0.5}, TypeError),
        ({"input_per_token": 1}, TypeError),
        ({"input_per_mtok": -1}, PriceListBroken),
        ({"input_per_mtok": Decimal("0.0000000000001")}, PriceListBroken),
        ({"tiers": [{"above": 1}]}, TiersBroken),
        ({"match": {"like": "m"}}, RuleBroken),
        ({"model": ""}, ValidationError),
    ],
)
def test_a_price_by_hand_that_makes_no_sense_is_refused(fields: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        set_price(**({"vendor": "v", "model": "m"} | fields))
    assert not Price.objects.exists()


def test_the_bundled_list_is_loaded_once_a_version(django_assert_num_queries: Any) -> None:
    first = seed_bundled_prices()
    assert first is not None
    assert len(first.of("added")) > 2000
    with django_assert_num_queries(1):
        assert seed_bundled_prices() is None
    assert PriceCatalog.objects.get(source=BUNDLED).version == bundled_version()
    again = load(read_bundled_list(), now=NOW)
    assert (again.changes, again.unchanged_count) == ((), len(first.changes))
    PriceCatalog.objects.update(version="0.0.1")
    count = Price.objects.count()
    upgrade = seed_bundled_prices()
    assert upgrade is not None
    assert upgrade.changes == ()
    assert (Price.objects.count(), PriceCatalog.objects.filter(source=BUNDLED).count()) == (count, 2)
