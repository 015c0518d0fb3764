"""The price list that comes with the gateway: the `genai-prices` package, read offline.

Its prices are taken over as they are, dated ones and tiers for long prompts included. Where our usage does not tell
apart what the list does, the dearest rate holds, so that no cost is understated: the price of the dearest time of
day, and, of a model that generates images or video, the rate of those tokens for all of its output. A model billed only
in units that no usage reports (pages, messages) gets no price, and neither does one for which the list states nothing,
unless it says that it is free.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from genai_prices import data_snapshot, types

from providers.catalogs.built_in import list_mock_prices
from providers.catalogs.listed import ListedPrice, PriceList, Usd, check_names, fit_usd, write_tier
from providers.matching import Rule, check_rule
from providers.price_rows import BUNDLED

_FIELDS = {
    "input_mtok": "input_per_mtok",
    "cache_read_mtok": "cached_input_per_mtok",
    "cache_write_mtok": "cache_write_per_mtok",
    "output_mtok": "output_per_mtok",
    "output_image_mtok": "output_per_mtok",
    "output_video_mtok": "output_per_mtok",
    "output_reasoning_mtok": "reasoning_per_mtok",
    "input_audio_mtok": "audio_input_per_mtok",
    "output_audio_mtok": "audio_output_per_mtok",
}
_UNIT_FIELDS = {  # the field, and how many of its units the list prices at once
    "requests_kcount": ("per_request", 1000),
    "input_mchars": ("per_mcharacter", 1),
    "audio_hours": ("per_audio_minute", 60),
    "input_audio_hours": ("per_audio_minute", 60),
}
_FREE_FIELDS = ("input_per_mtok", "output_per_mtok")


def bundled_version() -> str:
    """Return the version of the bundled list, without reading the list."""
    return version("genai-prices")


def read_bundled_list() -> PriceList:
    """Return the bundled list."""
    prices = list_mock_prices()
    notes: list[str] = []
    for provider in data_snapshot.get_snapshot().providers:
        for model in provider.models:
            check_names(provider.id, model.id)
            found = list(_read_model(provider.id, model, notes))
            prices += found
            if not found:
                notes.append(f"{provider.id}/{model.id}: no price by a unit that usage reports")
    return PriceList(source=BUNDLED, version=bundled_version(), prices=tuple(prices), notes=tuple(notes))


def _read_model(vendor: str, model: types.ModelInfo, notes: list[str]) -> Iterator[ListedPrice]:
    rule = check_rule(to_rule(model.match))
    before = None
    for day in [None, *_start_days(model)]:
        alternatives = _alternatives(model, day)
        where = f"{vendor}/{model.id}"
        usd = _rates_above(alternatives, 0, where, notes)
        if not usd and _is_free(model):
            usd = {name: Usd(Decimal(0)) for name in _FREE_FIELDS}
        thresholds = _thresholds(alternatives)
        tiers = [write_tier(above, _rates_above(alternatives, above + 1, where, notes)) for above in thresholds]
        if usd and (usd, tiers) != before:
            before = (usd, tiers)
            yield ListedPrice(vendor, model.id, usd, tiers, rule, _midnight(day) if day else None)


def to_rule(clause: Any) -> Rule:
    """Write one of the package's clauses as a rule of `providers.matching`."""
    ((name, value),) = vars(clause).items()
    if isinstance(value, list):
        return {name.rstrip("_"): [to_rule(part) for part in value]}
    return {name: value}


def _start_days(model: types.ModelInfo) -> list[date]:
    if isinstance(model.prices, types.ModelPrice):
        return []
    constraints = [price.constraint for price in model.prices]
    return sorted({found.start_date for found in constraints if isinstance(found, types.StartDateConstraint)})


def _alternatives(model: types.ModelInfo, day: date | None) -> list[types.ModelPrice]:
    """Return the prices that hold at some time of that day; before the first day without one."""
    if isinstance(model.prices, types.ModelPrice):
        return [model.prices]
    found = []
    for price in reversed(model.prices):
        found.append(price.prices)
        if isinstance(price.constraint, types.TimeOfDateConstraint):
            continue
        if price.constraint is None or (day is not None and price.constraint.start_date <= day):
            return found
        found.pop()
    return [*found, model.prices[0].prices]


def _thresholds(alternatives: list[types.ModelPrice]) -> list[int]:
    return sorted(
        {
            tier.start
            for prices in alternatives
            for key, price in vars(prices).items()
            if isinstance(price, types.TieredPrices) and key in _FIELDS
            for tier in price.tiers
        }
    )


def _rates_above(
    alternatives: list[types.ModelPrice], input_tokens: int, where: str, notes: list[str]
) -> dict[str, Usd]:
    """Return what a request of so many input tokens pays, the dearest of the alternatives for each field."""
    usd: dict[str, Usd] = {}
    for key, price in [item for prices in alternatives for item in vars(prices).items()]:
        field, at_once = _UNIT_FIELDS.get(key, (_FIELDS.get(key), 1))
        if field is not None and price is not None:
            amount = _amount_above(price, input_tokens) / at_once
            fitting = fit_usd(amount, where=f"{where}: {key}", notes=notes)
            usd[field] = max(usd.get(field, fitting), fitting)
    return usd


def _amount_above(price: Decimal | types.TieredPrices, input_tokens: int) -> Decimal:
    if isinstance(price, Decimal):
        return price
    passed = [tier.price for tier in price.tiers if input_tokens > tier.start]
    return passed[-1] if passed else price.base


def _is_free(model: types.ModelInfo) -> bool:
    said = f"{model.description or ''} {model.price_comments or ''}".lower()
    every = [model.prices] if isinstance(model.prices, types.ModelPrice) else [price.prices for price in model.prices]
    if any(price is not None for prices in every for price in vars(prices).values()):
        return False
    return model.id.endswith(":free") or "free of charge" in said


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
