"""Rows into books: which one answers for a name, and nothing lost on the way from dollars to integers."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from genai_prices.data_snapshot import get_snapshot

from providers.models import Price, PriceCatalog
from providers.price_rows import (
    BUNDLED,
    MANUAL,
    RATE_FIELDS,
    RESOLD_FROM,
    PriceIndex,
    PriceRow,
    TiersBroken,
    read_price_index,
    read_prices,
    read_tiers,
)
from providers.prices import Price as ExactPrice
from tenants.models import Tenant

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NOW_S = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
MTOK = 10**12  # atto-dollars a token of one dollar a million tokens


def row(pk: int, model: str = "gpt-4o", *, usd: str | None = "1", **fields: Any) -> PriceRow:
    amounts = (Decimal(usd) if usd is not None else None, *[None] * (len(RATE_FIELDS) - 1))
    usual: dict[str, Any] = {
        "vendor": "openai",
        "match": None,
        "tenant_id": None,
        "source": BUNDLED,
        "effective_from": LONG_AGO,
        "withdrawn": False,
        "tiers": [],
    }
    return PriceRow(pk=pk, model=model, usd=amounts, **(usual | fields))


def price_of(rows: list[PriceRow], model: str, *, vendor: str = "openai", tenant_id: int | None = None) -> int | None:
    found = PriceIndex(rows).book(vendor, model).price_at(tenant_id, NOW_S)
    return found.id if found else None


FAMILY = {"starts_with": "gpt-4o"}


def test_the_exact_name_goes_before_a_rule() -> None:
    rows = [row(1, match=FAMILY), row(2, "gpt-4o-2024-08-06")]
    assert price_of(rows, "gpt-4o-2024-08-06") == 2
    assert price_of(rows, "gpt-4o-2024-11-20") == 1
    assert price_of(rows, "gpt-5") is None


def test_sources_are_asked_by_hand_then_files_then_bundled() -> None:
    rows = [row(1, match=FAMILY), row(2, source="file:x.json"), row(3, source=MANUAL)]
    assert price_of(rows, "gpt-4o") == price_of(rows, "gpt-4o-mini") == 3
    assert price_of(rows[:2], "gpt-4o") == 2
    later = row(4, source=MANUAL, effective_from=datetime(2030, 1, 1, tzinfo=UTC))
    assert price_of([rows[0], later], "gpt-4o") == 1


def test_a_price_by_hand_without_rates_hands_back_to_the_lists() -> None:
    ended = row(2, source=MANUAL, usd=None, effective_from=datetime(2025, 1, 1, tzinfo=UTC))
    assert price_of([row(1), row(3, source=MANUAL), ended], "gpt-4o") == 1


def test_a_tenants_price_goes_by_the_exact_name_alone() -> None:
    rows = [row(1, match=FAMILY), row(2, tenant_id=7, source=MANUAL)]
    assert price_of(rows, "gpt-4o", tenant_id=7) == 2
    assert price_of(rows, "gpt-4o", tenant_id=8) == 1
    assert price_of(rows, "gpt-4o-mini", tenant_id=7) == 1


def test_a_reseller_falls_back_to_the_maker_as_in_the_bundled_list() -> None:
    rows = [row(1, match=FAMILY), row(2, "own", vendor="azure")]
    assert price_of(rows, "gpt-4o", vendor="azure") == 1
    assert price_of([*rows, row(3, vendor="azure")], "gpt-4o", vendor="azure") == 3
    bundled = {p.id: tuple(p.fallback_model_providers) for p in get_snapshot().providers if p.fallback_model_providers}
    assert bundled == RESOLD_FROM


def test_the_latest_rule_of_an_entry_holds() -> None:
    newer = row(2, match={"equals": "new"}, effective_from=datetime(2025, 1, 1, tzinfo=UTC))
    rows = [newer, row(1, match={"equals": "old"})]
    assert price_of(rows, "new") == 2
    assert price_of(rows, "old") is None


def test_tiers_complete_each_other_upwards() -> None:
    tiers = [
        {"above_input_tokens": 200, "output_per_mtok": "9"},
        {"above_input_tokens": 100, "input_per_mtok": "2.5"},
    ]
    found = PriceIndex([row(1, tiers=tiers)]).book("openai", "gpt-4o").price_at(None, NOW_S)
    assert found is not None
    assert [(tier.above_input_tokens, tier.rates.input, tier.rates.output) for tier in found.tiers] == [
        (100, 5 * MTOK // 2, None),
        (200, 5 * MTOK // 2, 9 * MTOK),
    ]


@pytest.mark.parametrize(
    "tiers",
    [
        {"above_input_tokens": 1},
        [{}],
        ["x"],
        [{"above_input_tokens": -1}],
        [{"above_input_tokens": 1}, {"above_input_tokens": 1}],
        [{"above_input_tokens": 1, "input_per_mtok": "cheap"}],
        [{"above_input_tokens": 1, "input_per_mtok": "-1"}],
        [{"above_input_tokens": 1, "input_per_mtok": "NaN"}],
        [{"above_input_tokens": 1, "input": "1"}],
    ],
)
def test_tiers_that_make_no_sense_leave_the_model_without_a_price(tiers: Any, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(TiersBroken):
        read_tiers(tiers)
    assert price_of([row(1, tiers=tiers)], "gpt-4o") is None
    assert "price can't be read" in caplog.text


def test_a_rule_entered_by_hand_that_is_none_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    assert price_of([row(1, source=MANUAL, match={"like": "x"}), row(2, "b", match={"equals": "c"})], "c") == 2
    assert "rule can't be read" in caplog.text


def test_names_from_callers_do_not_pile_up() -> None:
    index = PriceIndex([row(1, match=FAMILY)])
    first = index.book("openai", "gpt-4o")
    assert index.book("openai", "gpt-4o") is first
    for number in range(5000):
        index.book("openai", f"gpt-4o-{number}")
    assert len(index._books) <= 4096
    assert index.book("openai", "gpt-4o") == first


@pytest.mark.django_db
def test_rows_are_read_exactly_and_in_one_query(django_assert_num_queries: Any) -> None:
    catalog = PriceCatalog.objects.create(source=MANUAL)
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    usd = {field: Decimal(f"{index}.000000000001") for index, field in enumerate(RATE_FIELDS.values(), start=1)}
    shared = Price.objects.create(catalog=catalog, vendor="v", model="m", effective_from=LONG_AGO, **usd)
    own = Price.objects.create(
        catalog=catalog, vendor="v", model="m", tenant=tenant, input_per_mtok=1, effective_from=LONG_AGO
    )
    Price.objects.create(catalog=catalog, vendor="other", model="m", input_per_mtok=1)
    with django_assert_num_queries(1):
        books = read_prices({("v", "m"), ("v", "unknown")})
    found = books["v", "m"].price_at(None, NOW_S)
    assert isinstance(found, ExactPrice)
    assert (found.id, found.rates.input, found.rates.request) == (shared.pk, MTOK + 1, 9 * 10**18 + 10**6)
    assert found.effective_from_s == LONG_AGO.timestamp()
    assert books["v", "m"].price_at(tenant.pk, NOW_S).id == own.pk  # type: ignore[union-attr]
    assert books["v", "unknown"].price_at(None, NOW_S) is None
    assert read_price_index({"v"}).book("other", "m").price_at(None, NOW_S) is None
