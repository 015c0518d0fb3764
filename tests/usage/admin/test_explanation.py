"""The explained cost is the charged cost, whatever was used and however the price is written."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from kernel.money import round_to_nanos
from providers.dialects.canonical import Usage
from providers.prices import RATE_NAMES, Price, Rates, Tier, cost_nanos
from usage.admin.explanation import CostLine, explain_cost
from usage.models import UsageRecord

counts = st.integers(0, 5_000)
rates = st.builds(Rates, **{name: st.none() | st.integers(0, 10**15) for name in RATE_NAMES})
prices = st.builds(
    lambda below, above, limit: Price(id=1, vendor="v", model="m", rates=below, tiers=(Tier(limit, above),)),
    rates,
    rates,
    counts,
)
usages = st.builds(Usage, **{name: counts for name in Usage.__struct_fields__ if name != "estimated"})


@given(usage=usages, price=prices)
def test_lines_add_up_to_what_is_charged(usage: Usage, price: Price) -> None:
    record = UsageRecord(**{name: getattr(usage, name) for name in Usage.__struct_fields__ if name != "estimated"})
    costs = [line.cost_attos for line in explain_cost(record, price)]
    known = [cost for cost in costs if cost is not None]
    cost = cost_nanos(usage, price)
    assert cost in (None, round_to_nanos(sum(known)))
    units = usage.images or usage.characters or usage.audio_ms or usage.searches
    if not units or len(known) == len(costs):
        assert (cost is not None) == (len(known) == len(costs))


def test_lines_read_well() -> None:
    price = Price(id=1, vendor="v", model="m", rates=Rates(input=250_000_000_000, request=10**15))
    record = UsageRecord(input_tokens=1_000, cached_input_tokens=400, output_tokens=5)
    lines = [(line.title, line.units, line.rate_text, line.cost_text) for line in explain_cost(record, price)]
    assert lines == [
        ("Input", 600, "$0.25 a million", "$0.00015"),
        ("Cached input", 400, "$0.25 a million, that of the whole", "$0.0001"),
        ("Output", 5, "no price", "-"),
        ("Request", 1, "$0.001 each", "$0.001"),
    ]


def test_other_units_read_well_too() -> None:
    rates = Rates(image=10**16, character=15 * 10**12, audio_minute=6 * 10**15, search=2 * 10**15)
    price = Price(id=1, vendor="v", model="m", rates=rates)
    record = UsageRecord(images=2, characters=1_000, audio_ms=90_000, searches=3)
    lines = [(line.title, line.units, line.rate_text, line.cost_text) for line in explain_cost(record, price)]
    assert lines == [
        ("Images", 2, "$0.01 each", "$0.02"),
        ("Characters", 1_000, "$15 a million", "$0.015"),
        ("Sound, in milliseconds", 90_000, "$0.006 a minute", "$0.009"),
        ("Searches", 3, "$0.002 each", "$0.006"),
    ]


def test_amounts_are_exact() -> None:
    line = CostLine("x", 3, 1, rate_per_mtok=True)
    assert Decimal(line.cost_text.removeprefix("$")) == Decimal(3).scaleb(-18)
