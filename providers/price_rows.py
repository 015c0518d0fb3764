"""Price rows into books: which rows answer for one (vendor, model), in which order. Read when a snapshot is compiled.

Every row stands in one list by where it came from. The lists of one model are asked in this order, and the first one
with a price in force decides (`PriceBook.price_at`):

1. under the model's exact name: prices entered by hand, then loaded files, then the bundled list;
2. the same three under the name whose `match` rule fits the model, so that a dated or prefixed spelling finds its
   entry, and an override of the entry holds for all its spellings;
3. where neither has anything, the same for the vendors whose models this one resells.

A tenant's own price goes by the exact name alone and before all of these.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from django.db.models import QuerySet

from kernel.money import usd_per_mtok_to_attos, usd_to_attos
from providers import models
from providers.matching import Rule, RuleBroken, check_rule, find_match
from providers.prices import Price, PriceBook, Rates, Tier

logger = logging.getLogger("providers.prices")

MANUAL = "manual"
BUNDLED = "genai-prices"
RATE_FIELDS: Mapping[str, str] = {
    "input": "input_per_mtok",
    "cached_input": "cached_input_per_mtok",
    "cache_write": "cache_write_per_mtok",
    "output": "output_per_mtok",
    "reasoning": "reasoning_per_mtok",
    "audio_input": "audio_input_per_mtok",
    "audio_output": "audio_output_per_mtok",
    "image": "per_image",
    "request": "per_request",
    "character": "per_mcharacter",
    "audio_minute": "per_audio_minute",
    "search": "per_search",
}
_PER_MILLION = ("_per_mtok", "per_mcharacter")
# As in the bundled list: whose models a vendor sells at their maker's price unless it has a price of its own.
RESOLD_FROM: Mapping[str, tuple[str, ...]] = {
    "azure": ("openai", "anthropic", "deepseek", "x-ai", "moonshotai"),
    "google": ("anthropic",),
}

_BOOKS_MAX = 4096
_HEAD = ("pk", "vendor", "model", "match", "tenant_id", "catalog__source", "effective_from", "withdrawn", "tiers")


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One row as it was read; it becomes a Price when a call needs it."""

    pk: int
    vendor: str
    model: str
    match: Rule | None
    tenant_id: int | None
    source: str
    effective_from: datetime
    withdrawn: bool
    tiers: list[dict[str, Any]]
    usd: tuple[Decimal | None, ...]


class PriceIndex:
    """Every price of some vendors. Books are made when first asked for, because few of the models are ever used.

    Names come from callers (a route may pass any name on), so only so many books are kept.
    """

    def __init__(self, rows: Iterable[PriceRow]) -> None:
        self._rows: dict[tuple[str, str], list[PriceRow]] = defaultdict(list)
        self._rules: dict[str, dict[str, Rule]] = defaultdict(dict)
        self._books: dict[tuple[str, str], PriceBook] = {}
        for row in sorted(rows, key=lambda row: (row.vendor, row.model, row.effective_from, row.pk)):
            self._rows[row.vendor, row.model].append(row)
            if row.match is not None and row.tenant_id is None and _has_sound_rule(row):
                self._rules[row.vendor][row.model] = row.match

    def book(self, vendor: str, model: str) -> PriceBook:
        """Return the prices of one model; an empty book where there are none."""
        found = self._books.get((vendor, model))
        if found is None:
            if len(self._books) >= _BOOKS_MAX:
                self._books.clear()
            found = self._books[vendor, model] = self._make_book(vendor, model)
        return found

    def _make_book(self, vendor: str, model: str) -> PriceBook:
        lists = self._lists(vendor, model)
        for maker in RESOLD_FROM.get(vendor, ()):
            if lists:
                break
            lists = self._lists(maker, model)
        own: dict[int, list[Price]] = defaultdict(list)
        for row in self._rows.get((vendor, model), ()):
            if row.tenant_id is not None:
                own[row.tenant_id].append(to_price(row))
        return PriceBook(lists=lists, overrides={tenant_id: tuple(prices) for tenant_id, prices in own.items()})

    def _lists(self, vendor: str, model: str) -> tuple[tuple[Price, ...], ...]:
        entry = find_match(model, self._rules.get(vendor, {}).items())
        names = [model] if entry is None or entry == model else [model, entry]
        return tuple(prices for name in names for prices in self._layers(vendor, name))

    def _layers(self, vendor: str, model: str) -> list[tuple[Price, ...]]:
        layers: dict[int, list[Price]] = defaultdict(list)
        for row in self._rows.get((vendor, model), ()):
            if row.tenant_id is None:
                layers[precedence(row.source)].append(to_price(row))
        return [tuple(layers[key]) for key in sorted(layers)]


def precedence(source: str) -> int:
    """Return where rows of a source stand, lower first: entered by hand, loaded from a file, bundled."""
    return {MANUAL: 0, BUNDLED: 2}.get(source, 1)


def read_price_index(vendors: Collection[str]) -> PriceIndex:
    """Read every price of these vendors, and of those whose models they resell."""
    wanted = {*vendors, *(maker for vendor in vendors for maker in RESOLD_FROM.get(vendor, ()))}
    return PriceIndex(read_rows(models.Price.objects.filter(vendor__in=wanted)))


def read_prices(wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], PriceBook]:
    """Return the books of these (vendor, model) pairs."""
    index = read_price_index({vendor for vendor, _ in wanted})
    return {pair: index.book(*pair) for pair in wanted}


def read_rows(queryset: QuerySet[models.Price]) -> list[PriceRow]:
    """Read the rows of a queryset of prices, in one query."""
    return [_to_row(values) for values in queryset.order_by().values_list(*_HEAD, *RATE_FIELDS.values())]


def to_price(row: PriceRow) -> Price:
    """Return the exact price of a row; a row that can't be read (its tiers are free text in a form) prices nothing."""
    facts: dict[str, Any] = {
        "id": row.pk,
        "vendor": row.vendor,
        "model": row.model,
        "effective_from_s": row.effective_from.timestamp(),
    }
    try:
        rates = {name: to_attos(name, usd) for name, usd in zip(RATE_FIELDS, row.usd, strict=True) if usd is not None}
        return Price(rates=Rates(**rates), tiers=read_tiers(row.tiers, rates), withdrawn=row.withdrawn, **facts)
    except ValueError as error:
        logger.warning("price can't be read", extra={"price": row.pk, "model": row.model, "reason": str(error)})
        return Price(rates=Rates(), withdrawn=True, **facts)


class TiersBroken(ValueError):
    """Tiers that are not of the form that `providers.models.Price` describes."""


def read_tiers(tiers: Any, rates: Mapping[str, int] = MappingProxyType({})) -> tuple[Tier, ...]:
    """Return the tiers above these rates, each completed with what holds below it. Raises TiersBroken."""
    complete = dict(rates)
    found = []
    try:
        for above, tier in sorted({int(tier["above_input_tokens"]): tier for tier in tiers}.items()):
            complete |= _own_rates(tier)
            found.append(Tier(above_input_tokens=above, rates=Rates(**complete)))
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        raise TiersBroken(f"tiers that can't be read: {error!r}") from error
    if len(found) < len(tiers) or any(tier.above_input_tokens < 0 for tier in found):
        raise TiersBroken("tiers with a threshold below zero, or with the same one twice")
    return tuple(found)


def to_attos(name: str, usd: Decimal) -> int:
    """Turn dollars as a row has them into the integer rate of that class."""
    return usd_per_mtok_to_attos(usd) if RATE_FIELDS[name].endswith(_PER_MILLION) else usd_to_attos(usd)


def _to_row(values: tuple[Any, ...]) -> PriceRow:
    pk, vendor, model, match, tenant_id, source, effective_from, withdrawn, tiers, *usd = values
    return PriceRow(pk, vendor, model, match, tenant_id, source, effective_from, withdrawn, tiers, tuple(usd))


def _own_rates(tier: dict[str, Any]) -> dict[str, int]:
    unknown = tier.keys() - {"above_input_tokens", *RATE_FIELDS.values()}
    if unknown:
        raise KeyError(*sorted(unknown))
    return {
        name: to_attos(name, Decimal(str(tier[field])))
        for name, field in RATE_FIELDS.items()
        if tier.get(field) is not None
    }


def _has_sound_rule(row: PriceRow) -> bool:
    if row.source != MANUAL:
        return True  # checked when it was loaded; a form takes any JSON
    try:
        check_rule(row.match)
    except RuleBroken as error:
        logger.warning("rule can't be read", extra={"price": row.pk, "model": row.model, "reason": str(error)})
        return False
    return True
