"""The bundled list, taken over: what a call costs by our rows is what the list's own calculator says."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal

import genai_prices
from genai_prices import types
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.money import usd_to_nanos
from providers.catalog import BEGINNING
from providers.catalogs.bundled import bundled_version, read_bundled_list
from providers.catalogs.listed import ListedPrice
from providers.dialects.canonical import Usage
from providers.price_rows import BUNDLED, RATE_FIELDS, PriceIndex, PriceRow
from providers.prices import cost_nanos

LIST = read_bundled_list()
BY_MODEL: dict[tuple[str, str], list[ListedPrice]] = defaultdict(list)
for _price in LIST.prices:
    BY_MODEL[_price.vendor, _price.model].append(_price)
INDEX = PriceIndex(
    PriceRow(
        pk=number,
        vendor=price.vendor,
        model=price.model,
        match=price.match,
        tenant_id=None,
        source=BUNDLED,
        effective_from=price.effective_from or BEGINNING,
        withdrawn=False,
        tiers=price.tiers,
        usd=tuple(map(price.usd.get, RATE_FIELDS.values())),
    )
    for number, price in enumerate(LIST.prices)
)
# What the bundled list tells apart and our usage does not, or gives with more digits than a price may have.
_ROUNDED = {note.partition(": ")[0] for note in LIST.notes if "is rounded to" in note}


def _prices_of(model: types.ModelInfo) -> list[types.ModelPrice]:
    return [model.prices] if isinstance(model.prices, types.ModelPrice) else [one.prices for one in model.prices]


def _is_exact(provider: types.Provider, model: types.ModelInfo) -> bool:
    by_the_hour = not isinstance(model.prices, types.ModelPrice) and any(
        isinstance(one.constraint, types.TimeOfDateConstraint) for one in model.prices
    )
    pictures = any(prices.output_image_mtok or prices.output_video_mtok for prices in _prices_of(model))
    return not by_the_hour and not pictures and f"{provider.id}/{model.id}" not in _ROUNDED


EXACT = [
    (provider, model)
    for provider in get_snapshot().providers
    for model in provider.models
    if (provider.id, model.id) in BY_MODEL and _is_exact(provider, model)
]
TIERED = [
    (provider, model)
    for provider, model in EXACT
    if any(isinstance(price, types.TieredPrices) for prices in _prices_of(model) for price in vars(prices).values())
]
DATED = [(provider, model) for provider, model in EXACT if len(BY_MODEL[provider.id, model.id]) > 1]


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_a_call_costs_what_the_bundled_calculator_says(data: st.DataObject) -> None:
    provider, model = data.draw(st.sampled_from(EXACT) | st.sampled_from(TIERED) | st.sampled_from(DATED))
    moment = data.draw(st.datetimes(datetime(2024, 1, 1), datetime(2027, 6, 1)))  # noqa: DTZ001 - Hypothesis wants naive bounds
    plain, cached, write, output, reasoning = data.draw(st.tuples(*[st.integers(0, 400_000)] * 5))
    theirs = model.calc_price(
        genai_prices.Usage(
            input_tokens=plain + cached + write,
            cache_read_tokens=cached,
            cache_write_tokens=write,
            output_tokens=output + reasoning,
            output_reasoning_tokens=reasoning,
        ),
        provider,
        genai_request_timestamp=moment.replace(tzinfo=UTC),
    )
    price = INDEX.book(provider.id, model.id).price_at(None, moment.replace(tzinfo=UTC).timestamp())
    assert price is not None
    ours = cost_nanos(
        Usage(
            input_tokens=plain + cached + write,
            cached_input_tokens=cached,
            cache_write_tokens=write,
            output_tokens=output + reasoning if price.rates.output is not None else 0,
            reasoning_tokens=reasoning if price.rates.output is not None else 0,
        ),
        price,
    )
    if price.rates.input is None:
        assert ours is None or plain + cached + write == 0
    else:
        assert ours == usd_to_nanos(theirs.total_price)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_audio_costs_what_the_bundled_calculator_says(text: int, audio: int, output: int, spoken: int) -> None:
    provider = next(one for one in get_snapshot().providers if one.id == "openai")
    model = next(one for one in provider.models if one.id == "gpt-4o-audio-preview")
    usage = genai_prices.Usage(
        input_tokens=text + audio,
        input_audio_tokens=audio,
        output_tokens=output + spoken,
        output_audio_tokens=spoken,
    )
    price = INDEX.book("openai", "gpt-4o-audio-preview").price_at(None, datetime(2026, 11, 1, tzinfo=UTC).timestamp())
    assert price is not None
    ours = Usage(
        input_tokens=text + audio, audio_input_tokens=audio, output_tokens=output + spoken, audio_output_tokens=spoken
    )
    assert cost_nanos(ours, price) == usd_to_nanos(model.calc_price(usage, provider).total_price)


def test_the_oracle_covers_tiers_and_dates() -> None:
    assert len(EXACT) > 2000
    assert len(TIERED) > 100
    assert len(DATED) > 100


def test_every_model_is_taken_over_or_noted() -> None:
    noted = {note.partition(": ")[0] for note in LIST.notes}
    every = {(provider.id, model.id) for provider in get_snapshot().providers for model in provider.models}
    assert {pair for pair in every if pair not in BY_MODEL} == {
        pair for pair in every if "/".join(pair) in noted - _ROUNDED
    }
    assert LIST.version == bundled_version() == genai_prices.__version__


def test_free_models_say_zero_and_silence_is_no_price() -> None:
    free = BY_MODEL["openrouter", "deepseek/deepseek-r1:free"]
    assert [price.usd for price in free] == [{"input_per_mtok": 0, "output_per_mtok": 0}]
    assert BY_MODEL["openai", "moderation"][0].usd["input_per_mtok"] == 0
    assert ("openrouter", "google/lyria-3-pro-preview") not in BY_MODEL


def test_minutes_of_sound_and_characters_are_units_of_their_own() -> None:
    assert BY_MODEL["openai", "whisper-1"][0].usd == {"per_audio_minute": Decimal("0.006")}
    assert BY_MODEL["groq", "canopylabs/orpheus-arabic-saudi"][0].usd == {"per_mcharacter": 40}
    price = INDEX.book("openai", "whisper-1").price_at(None, datetime(2026, 11, 1, tzinfo=UTC).timestamp())
    assert price is not None
    assert cost_nanos(Usage(audio_ms=90_000), price) == 9_000_000


def test_the_dearest_time_of_day_holds() -> None:
    (price,) = BY_MODEL["deepseek", "deepseek-reasoner"]
    assert price.usd["output_per_mtok"] == Decimal("2.19")


def test_dated_prices_hold_from_their_day_on_and_the_first_for_all_time() -> None:
    prices = BY_MODEL["anthropic", "claude-sonnet-4-6"]
    assert len(prices) > 1
    assert prices[0].effective_from is None
    days = [price.effective_from for price in prices[1:]]
    assert days == sorted(filter(None, days))
    assert all(day is not None and day.tzinfo is UTC and day.hour == 0 for day in days)


def test_pictures_are_output_at_their_own_rate() -> None:
    assert BY_MODEL["google", "gemini-2.5-flash-image"][-1].usd["output_per_mtok"] == 30
