"""Why an attempt cost what it cost: the price that was used, class by class of unit.

It repeats with names what `providers.prices` computes in one go; a test holds the two together.
"""

from dataclasses import dataclass

from kernel.money import ATTOS_PER_USD, TOKENS_PER_MTOK
from providers.prices import Price, Rates
from usage.models import UsageRecord

_EACH = ("image", "request", "search")
_MS_A_MINUTE = 60_000
_FALLBACK = {
    "cached_input": "input",
    "cache_write": "input",
    "audio_input": "input",
    "reasoning": "output",
    "audio_output": "output",
}
_TITLES = {
    "input": "Input",
    "cached_input": "Cached input",
    "cache_write": "Cache write",
    "audio_input": "Audio input",
    "output": "Output",
    "reasoning": "Reasoning",
    "audio_output": "Audio output",
    "image": "Images",
    "character": "Characters",
    "audio_minute": "Sound, in milliseconds",
    "search": "Searches",
    "request": "Request",
}


@dataclass(frozen=True, slots=True)
class CostLine:
    """One class of unit: how many, at what rate for `rate_units` of them, which makes how much."""

    title: str
    units: int
    rate_attos: int | None
    rate_per_mtok: bool
    borrowed: bool = False
    rate_units: int = 1

    @property
    def cost_attos(self) -> int | None:
        """Return what the units cost, unrounded; None without a rate."""
        return None if self.rate_attos is None else -(-self.units * self.rate_attos // self.rate_units)

    @property
    def rate_text(self) -> str:
        """Write the rate in dollars."""
        if self.rate_attos is None:
            return "no price"
        scale = TOKENS_PER_MTOK if self.rate_per_mtok else 1
        each = " a million" if self.rate_per_mtok else " each" if self.rate_units == 1 else " a minute"
        note = ", that of the whole" if self.borrowed else ""
        return f"${_plain(self.rate_attos * scale)}{each}{note}"

    @property
    def cost_text(self) -> str:
        """Write the cost in dollars, exactly."""
        return "-" if self.cost_attos is None else f"${_plain(self.cost_attos)}"


def explain_cost(record: UsageRecord, price: Price) -> list[CostLine]:
    """Return the lines whose sum is the cost of the attempt at that price."""
    rates = price.rates_for(record.input_tokens)
    used = {name: units for name, units in _split(record).items() if units}
    if not rates.request:
        used.pop("request")
    return [_line(name, units, rates) for name, units in used.items()]


def _line(name: str, units: int, rates: Rates) -> CostLine:
    rate, borrowed = getattr(rates, name), False
    if rate is None and name in _FALLBACK:
        rate, borrowed = getattr(rates, _FALLBACK[name]), True
    if name == "audio_minute":
        return CostLine(_TITLES[name], units, rate, rate_per_mtok=False, rate_units=_MS_A_MINUTE)
    return CostLine(_TITLES[name], units, rate, rate_per_mtok=name not in _EACH, borrowed=borrowed)


def _split(record: UsageRecord) -> dict[str, int]:
    """Take the parts out of their wholes, each cut down to what is left of it."""
    units = {"input": record.input_tokens, "output": record.output_tokens}
    for part, whole in _FALLBACK.items():
        units[part] = min(getattr(record, f"{part}_tokens"), units[whole])
        units[whole] -= units[part]
    units |= {"image": record.images, "character": record.characters, "audio_minute": record.audio_ms}
    units |= {"search": record.searches, "request": 1}
    return {name: units[name] for name in _TITLES}


def _plain(attos: int) -> str:
    whole, fraction = divmod(attos, ATTOS_PER_USD)
    digits = f"{fraction:018d}".rstrip("0")
    return f"{whole:,}.{digits}" if digits else f"{whole:,}"
