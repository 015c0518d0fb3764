"""The one form that every price list is read into, with the checks that keep its numbers exact on the way down."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NewType

from providers.matching import Rule

DECIMALS_MAX = 12
DIGITS_MAX = 15  # SQLite keeps decimals as doubles; a fifteen-digit decimal survives that, a sixteen-digit one may not
_NAME_MAX, _VENDOR_MAX = 200, 64

Usd = NewType("Usd", Decimal)


class PriceListBroken(Exception):
    """A price list that can't be read; the message names the model and the key."""


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """What a list says of one model from a moment on; without a moment, for all time.

    `usd` and the tiers hold fields of `providers.models.Price`; a tier's amounts are texts, as its column wants them.
    """

    vendor: str
    model: str
    usd: dict[str, Usd]
    tiers: list[dict[str, Any]] = field(default_factory=list)
    match: Rule | None = None
    effective_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class PriceList:
    """A whole list; several prices of one model stand by rising date. `notes` say what could not be taken over."""

    source: str
    prices: tuple[ListedPrice, ...]
    version: str = ""
    last_updated: date | None = None
    notes: tuple[str, ...] = ()


def check_usd(amount: Decimal, *, where: str) -> Usd:
    """Return an amount that the database keeps exactly. Raises PriceListBroken."""
    if fit_usd(amount, where=where) != amount:
        raise PriceListBroken(f"{where}: {amount} has more digits than a price may have")
    return Usd(amount)


def fit_usd(amount: Decimal, *, where: str, notes: list[str] | None = None) -> Usd:
    """Round an amount half to even to the digits that the database keeps, and note it if that changed it.

    For lists of others', in which prices that went through a float end in noise. Raises PriceListBroken.
    """
    if not amount.is_finite() or amount < 0:
        raise PriceListBroken(f"{where}: {amount} is no price")
    decimals = min(DECIMALS_MAX, DIGITS_MAX - 1 - amount.adjusted()) if amount else 0
    fitting = Usd(round(amount, decimals))
    if notes is not None and fitting != amount:
        notes.append(f"{where}: {amount} is rounded to {fitting.normalize():f}, the digits a price may have")
    return fitting


def check_names(vendor: str, model: str) -> None:
    """Raise PriceListBroken where a name is empty or too long for its column."""
    if not 0 < len(vendor) <= _VENDOR_MAX or not 0 < len(model) <= _NAME_MAX:
        raise PriceListBroken(f"{vendor[:_VENDOR_MAX]}/{model[:_NAME_MAX]}: a name of no or of too many characters")


def write_tier(above_input_tokens: int, usd: dict[str, Usd]) -> dict[str, Any]:
    """Return a tier as its column wants it."""
    return {
        "above_input_tokens": above_input_tokens,
        **{name: f"{amount.normalize():f}" for name, amount in usd.items()},
    }
