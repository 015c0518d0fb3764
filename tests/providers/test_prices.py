"""What a call costs, to the nano-dollar: against a plain oracle, and by the rules one by one."""

from fractions import Fraction
from math import ceil

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.canonical import Usage
from providers.prices import RATE_NAMES, Price, PriceBook, Rates, Tier, ceiling_nanos, cost_nanos

NANO = 10**9  # atto-dollars
COUNTS = [name for name in Usage.__struct_fields__ if name != "estimated"]
rates = st.builds(Rates, **dict.fromkeys(RATE_NAMES, st.none() | st.integers(0, 10**14)))


def price(own: Rates, *tiers: Tier, **fields: object) -> Price:
    return Price(id=1, vendor="v", model="m", rates=own, tiers=tiers, **fields)  # type: ignore[arg-type]


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    parts = [draw(st.integers(0, 10**6)) for _ in range(7)]
    plain_in, cached, write, audio_in, plain_out, reasoning, audio_out = parts
    return Usage(
        input_tokens=plain_in + cached + write + audio_in,
        cached_input_tokens=cached,
        cache_write_tokens=write,
        audio_input_tokens=audio_in,
        output_tokens=plain_out + reasoning + audio_out,
        reasoning_tokens=reasoning,
        audio_output_tokens=audio_out,
        images=draw(st.integers(0, 3)),
        characters=draw(st.just(0) | st.integers(0, 10**5)),
        audio_ms=draw(st.just(0) | st.integers(0, 10**7)),
        searches=draw(st.just(0) | st.integers(0, 3)),
    )


def slow_cost(usage: Usage, own: Rates) -> int | None:
    """The rule as the module's docstring tells it, one class at a time."""

    def first(*candidates: int | None) -> int | None:
        return next((rate for rate in candidates if rate is not None), None)

    parts_in = usage.cached_input_tokens + usage.cache_write_tokens + usage.audio_input_tokens
    counted = [
        (usage.input_tokens - parts_in, own.input),
        (usage.cached_input_tokens, first(own.cached_input, own.input)),
        (usage.cache_write_tokens, first(own.cache_write, own.input)),
        (usage.audio_input_tokens, first(own.audio_input, own.input)),
        (usage.output_tokens - usage.reasoning_tokens - usage.audio_output_tokens, own.output),
        (usage.reasoning_tokens, first(own.reasoning, own.output)),
        (usage.audio_output_tokens, first(own.audio_output, own.output)),
    ]
    tokens = [(count, rate) for count, rate in counted if count]
    units = [
        (usage.images, own.image, 1),
        (usage.characters, own.character, 1),
        (usage.audio_ms, own.audio_minute, 60_000),
        (usage.searches, own.search, 1),
    ]
    used = [(count, rate, size) for count, rate, size in units if count]
    covered = [all(rate is not None for _, rate in tokens) and (bool(tokens) or not used)]
    if used:
        covered += [all(rate is not None for _, rate, _ in used), own.request is not None]
    if not any(covered):
        return None
    total = Fraction(own.request or 0) + sum(count * rate for count, rate in tokens if rate is not None)
    total += sum(ceil(Fraction(count * rate, size)) for count, rate, size in used if rate is not None)
    return round(Fraction(total, NANO))  # Fraction rounds half to even


@given(usages(), rates)
def test_cost_is_the_sum_of_every_class_rounded_once(usage: Usage, own: Rates) -> None:
    assert cost_nanos(usage, price(own)) == slow_cost(usage, own)


@given(usages(), rates, rates)
def test_a_long_prompt_is_priced_as_a_whole_by_its_tier(usage: Usage, own: Rates, dear: Rates) -> None:
    tiered = price(own, Tier(500_000, dear), Tier(10**9, Rates()))
    assert cost_nanos(usage, tiered) == slow_cost(usage, dear if usage.input_tokens > 500_000 else own)


@pytest.mark.parametrize(("tokens", "expected"), [(200_000, 200_000), (200_001, 400_002), (300_001, 900_003)])
def test_a_tier_begins_above_its_threshold(tokens: int, expected: int) -> None:
    tiered = price(Rates(input=NANO), Tier(200_000, Rates(input=2 * NANO)), Tier(300_000, Rates(input=3 * NANO)))
    assert cost_nanos(Usage(input_tokens=tokens), tiered) == expected


@pytest.mark.parametrize(("attos", "nanos"), [(1, 0), (NANO // 2, 0), (NANO // 2 + 1, 1), (NANO * 3 // 2, 2)])
def test_rounding_is_half_to_even_and_once(attos: int, nanos: int) -> None:
    assert cost_nanos(Usage(input_tokens=1), price(Rates(input=attos))) == nanos
    split = Usage(input_tokens=1, output_tokens=1)
    assert cost_nanos(split, price(Rates(input=attos // 2, output=attos - attos // 2))) == nanos


def test_free_is_zero_and_unpriced_is_none() -> None:
    usage = Usage(input_tokens=5, output_tokens=5)
    assert cost_nanos(usage, price(Rates(input=0, output=0))) == 0
    assert cost_nanos(usage, price(Rates(input=NANO))) is None
    assert cost_nanos(Usage(input_tokens=5), price(Rates(input=NANO))) == 5
    assert cost_nanos(Usage(images=1), price(Rates(input=NANO, output=NANO))) is None


def test_every_attempt_pays_the_fee_of_a_request() -> None:
    assert cost_nanos(Usage(), price(Rates(input=NANO, request=7 * NANO))) == 7


@pytest.mark.parametrize(
    ("usage", "nanos"),
    [
        (Usage(input_tokens=10, cached_input_tokens=50), 10),
        (Usage(input_tokens=10, cached_input_tokens=8, cache_write_tokens=8), 8 + 2 * 3),
        (Usage(input_tokens=10, cached_input_tokens=-4), 20),
        (Usage(input_tokens=-10, output_tokens=-3, images=-2), 0),
        (Usage(output_tokens=10, reasoning_tokens=99), 50),
    ],
)
def test_nonsense_is_cut_down_to_its_whole(usage: Usage, nanos: int) -> None:
    own = Rates(input=2 * NANO, cached_input=NANO, cache_write=3 * NANO, output=4 * NANO, reasoning=5 * NANO)
    assert cost_nanos(usage, price(own)) == nanos


@given(st.builds(Usage, **dict.fromkeys(COUNTS, st.integers(-100, 100))))
def test_whatever_a_provider_reports_the_cost_stays_within_the_dearest_rate(usage: Usage) -> None:
    own = Rates(**{name: (index + 1) * NANO for index, name in enumerate(RATE_NAMES)})
    nanos = cost_nanos(usage, price(own))
    units = [usage.input_tokens, usage.output_tokens, usage.images, usage.characters, usage.searches]
    counted = sum(max(count, 0) for count in units)
    assert nanos is not None
    assert counted <= nanos <= len(RATE_NAMES) * (counted + 2)


BOUNDED = ("input_tokens", "output_tokens", "images", "characters", "audio_ms", "searches")


@given(usages(), rates, rates)
def test_no_call_within_the_bounds_costs_more_than_the_ceiling(usage: Usage, own: Rates, dear: Rates) -> None:
    tiered = price(own, Tier(500_000, dear))
    ceiling = ceiling_nanos(price=tiered, **{name: getattr(usage, name) for name in BOUNDED})
    fewer = msgspec.structs.replace(usage, input_tokens=usage.input_tokens // 2)
    of_one_kind = [
        msgspec.structs.replace(usage, **{other: 0 for other in BOUNDED if other != name}) for name in BOUNDED
    ]
    for part in (usage, fewer, *of_one_kind):
        cost = cost_nanos(part, tiered)
        assert ceiling is None or cost is None or cost <= ceiling
    if ceiling is not None and not any(getattr(usage, name) for name in BOUNDED[2:]):
        assert cost_nanos(fewer, tiered) is not None


@pytest.mark.parametrize(
    ("usage", "own", "nanos"),
    [
        (Usage(images=2), Rates(image=3 * NANO), 6),
        (Usage(characters=1_000), Rates(character=NANO), 1_000),
        (Usage(audio_ms=90_000), Rates(audio_minute=6 * NANO), 9),
        (Usage(audio_ms=1), Rates(audio_minute=60_000 * NANO), 1),
        (Usage(searches=2), Rates(search=2 * NANO), 4),
        (Usage(searches=2), Rates(request=2 * NANO), 2),
        (Usage(searches=2), Rates(input=NANO, output=NANO), None),
        (Usage(searches=1, input_tokens=5), Rates(input=NANO), 5),
        (Usage(images=1, input_tokens=5, output_tokens=7), Rates(input=NANO, output=2 * NANO), 19),
        (Usage(images=1, input_tokens=5, output_tokens=7), Rates(image=40 * NANO), 40),
        (Usage(images=1, input_tokens=5, output_tokens=7), Rates(image=40 * NANO, input=NANO), 45),
        (Usage(images=1, input_tokens=5, output_tokens=7), Rates(input=NANO), None),
        (Usage(images=1, characters=1), Rates(image=NANO), None),
    ],
)
def test_other_units_have_prices_of_their_own_or_are_covered(usage: Usage, own: Rates, nanos: int | None) -> None:
    assert cost_nanos(usage, price(own)) == nanos
    bounds = {name: getattr(usage, name) for name in BOUNDED}
    assert ceiling_nanos(price=price(own), **bounds) == nanos


def test_the_ceiling_takes_the_dearest_class_and_the_dearest_tier_in_reach() -> None:
    own = Rates(input=NANO, cache_write=2 * NANO, output=NANO, reasoning=3 * NANO, request=NANO)
    tiered = price(own, Tier(100, Rates(input=5 * NANO, output=NANO)))
    assert ceiling_nanos(price=tiered, input_tokens=100, output_tokens=10) == 200 + 30 + 1
    assert ceiling_nanos(price=tiered, input_tokens=101, output_tokens=10) == 505 + 10
    assert ceiling_nanos(price=tiered, input_tokens=0, output_tokens=0, images=1) == 1
    assert ceiling_nanos(price=price(Rates(input=NANO)), input_tokens=0, output_tokens=0, images=1) is None


def test_rates_and_tiers_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="output is below zero"):
        Rates(output=-1)
    with pytest.raises(ValueError, match="not in rising order"):
        price(Rates(), Tier(2, Rates()), Tier(1, Rates()))


def test_free_means_every_stated_rate_is_zero() -> None:
    zero = Rates(input=0, output=0)
    assert price(zero).free
    assert not price(Rates()).free
    assert not price(zero, withdrawn=True).free
    assert not price(zero, Tier(10, Rates(input=1, output=0))).free


CHEAP, DEAR = Rates(input=1), Rates(input=2)


def test_the_latest_price_in_force_wins() -> None:
    book = PriceBook(lists=((price(CHEAP, effective_from_s=10.0), price(DEAR, effective_from_s=20.0)),))
    found = [book.price_at(1, at) for at in (9.9, 10.0, 19.9, 20.0, 99.0)]
    assert [one and one.rates for one in found] == [None, CHEAP, CHEAP, DEAR, DEAR]


def test_a_tenants_own_price_goes_first_until_it_is_withdrawn() -> None:
    own = (price(DEAR, effective_from_s=10.0), price(Rates(), effective_from_s=20.0, withdrawn=True))
    book = PriceBook(lists=((price(CHEAP),),), overrides={7: own})
    assert [book.price_at(7, at).rates for at in (5.0, 15.0, 25.0)] == [CHEAP, DEAR, CHEAP]  # type: ignore[union-attr]
    assert book.price_at(8, 15.0).rates == CHEAP  # type: ignore[union-attr]
    assert book.price_at(None, 15.0).rates == CHEAP  # type: ignore[union-attr]


def test_the_first_list_with_a_price_in_force_decides_even_by_withdrawing_it() -> None:
    upper = (
        price(DEAR, effective_from_s=10.0),
        price(Rates(), effective_from_s=20.0),
        price(Rates(), effective_from_s=30.0, withdrawn=True),
    )
    book = PriceBook(lists=(upper, (price(CHEAP),)))
    found = [book.price_at(None, at) for at in (5.0, 15.0, 25.0, 35.0)]
    assert [one and one.rates for one in found] == [CHEAP, DEAR, CHEAP, None]
    assert PriceBook().price_at(1, 1.0) is None
