"""What a call costs: exact integers from the usage of one attempt and the price in force. No database, no clock.

A rate is an integer of atto-dollars a unit. `Rates` keeps what the price list says and, worked out once at
construction, what each token really costs after the fallbacks; `cost_nanos` is then a handful of multiplications and
one rounding, because it runs in the way of every call.

The fallbacks: cached input, cache writes and audio input without a price of their own cost what input costs;
reasoning and audio output what output costs. A class of unit that was used and has no price even so makes the whole
attempt unpriced (None), never free; a free model has rates of zero. No price a request means no such fee.

Pictures, characters, minutes of sound and searches are other measures of the same work: vendors bill by them, or by
tokens, or by the request. So of a call that was measured in such units too, one of these prices is enough: units
without a price cost nothing beside priced tokens or a fee, tokens without a price nothing beside priced units or a fee.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from kernel.money import round_to_nanos
from providers.dialects.canonical import Usage


@dataclass(frozen=True, slots=True)
class Rates:
    """Atto-dollars a unit; None where the price list names no price.

    A unit is a token, an image, a character spoken, a minute of sound, a search, a request.
    """

    input: int | None = None
    cached_input: int | None = None
    cache_write: int | None = None
    output: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    image: int | None = None
    request: int | None = None
    character: int | None = None
    audio_minute: int | None = None
    search: int | None = None
    # What a part costs beyond the same unit of its whole; without meaning where the whole has no price.
    _cached_extra: int = field(init=False, repr=False, compare=False)
    _write_extra: int = field(init=False, repr=False, compare=False)
    _audio_input_extra: int = field(init=False, repr=False, compare=False)
    _reasoning_extra: int = field(init=False, repr=False, compare=False)
    _audio_output_extra: int = field(init=False, repr=False, compare=False)
    says_nothing: bool = field(init=False, repr=False, compare=False)  # no class of unit has a price
    # The dearest class of each side, which a worst case counts with; None where the whole has no price.
    _dearest_input: int | None = field(init=False, repr=False, compare=False)
    _dearest_output: int | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in RATE_NAMES:
            rate = getattr(self, name)
            if rate is not None and rate < 0:
                raise ValueError(f"the rate {name} is below zero")
        for name, part, whole in (
            ("_cached_extra", self.cached_input, self.input),
            ("_write_extra", self.cache_write, self.input),
            ("_audio_input_extra", self.audio_input, self.input),
            ("_reasoning_extra", self.reasoning, self.output),
            ("_audio_output_extra", self.audio_output, self.output),
        ):
            object.__setattr__(self, name, 0 if part is None or whole is None else part - whole)
        object.__setattr__(self, "says_nothing", all(getattr(self, name) is None for name in RATE_NAMES))
        dearest_input = _dearest(self.input, self.cached_input, self.cache_write, self.audio_input)
        object.__setattr__(self, "_dearest_input", dearest_input)
        object.__setattr__(self, "_dearest_output", _dearest(self.output, self.reasoning, self.audio_output))

    @property
    def free(self) -> bool:
        """Tell whether there are prices and all of them are zero."""
        return not self.says_nothing and not any(getattr(self, name) for name in RATE_NAMES)


_MS_A_MINUTE = 60_000
RATE_NAMES = tuple(item.name for item in fields(Rates) if item.init)


@dataclass(frozen=True, slots=True)
class Tier:
    """The rates of a whole request whose prompt is longer than `above_input_tokens`.

    The list prices the request as a whole by the longest threshold it is over, not token by token. The rates are
    complete: what a tier does not change repeats the rate below it.
    """

    above_input_tokens: int
    rates: Rates


@dataclass(frozen=True, slots=True)
class Price:
    """What one model costs from a moment on; `id` is the row it came from. Tiers stand in rising order."""

    id: int
    vendor: str
    model: str
    rates: Rates
    tiers: tuple[Tier, ...] = ()
    effective_from_s: float = 0.0
    withdrawn: bool = False

    def __post_init__(self) -> None:
        thresholds = [tier.above_input_tokens for tier in self.tiers]
        if thresholds != sorted(set(thresholds)) or any(threshold < 0 for threshold in thresholds):
            raise ValueError(f"the tiers of {self.vendor}/{self.model} are not in rising order")

    @property
    def says_nothing(self) -> bool:
        """Tell whether the row names no price at all, which hands the question to the next list."""
        return not self.withdrawn and not self.tiers and self.rates.says_nothing

    @property
    def free(self) -> bool:
        """Tell whether the model costs nothing, however long the prompt."""
        return not self.withdrawn and self.rates.free and all(tier.rates.free for tier in self.tiers)

    def rates_for(self, input_tokens: int) -> Rates:
        """Return the rates of a request with so long a prompt."""
        for tier in reversed(self.tiers):
            if input_tokens > tier.above_input_tokens:
                return tier.rates
        return self.rates


def cost_nanos(usage: Usage, price: Price) -> int | None:
    """Return what an attempt cost in nano-dollars; None where a class of unit it used has no price.

    Parts that exceed their whole (a provider's nonsense) are cut down to it, in the order cached, cache write, audio;
    reasoning, audio. Counts below zero count as zero.
    """
    rates = price.rates_for(usage.input_tokens) if price.tiers else price.rates
    if usage.images > 0 or usage.characters > 0 or usage.audio_ms > 0 or usage.searches > 0:
        return _cost_with_units(usage, rates)
    cost_attos = rates.request or 0
    if (whole := usage.input_tokens) > 0:
        if usage.cached_input_tokens or usage.cache_write_tokens or usage.audio_input_tokens:
            side_attos = _input_attos(usage, rates)
        else:
            side_attos = None if rates.input is None else whole * rates.input
        if side_attos is None:
            return None
        cost_attos += side_attos
    if (whole := usage.output_tokens) > 0:
        if usage.reasoning_tokens or usage.audio_output_tokens:
            side_attos = _output_attos(usage, rates)
        else:
            side_attos = None if rates.output is None else whole * rates.output
        if side_attos is None:
            return None
        cost_attos += side_attos
    return round_to_nanos(cost_attos)


def _cost_with_units(usage: Usage, rates: Rates) -> int | None:
    """Return what an attempt cost that was measured in more than tokens; None where no price covers it."""
    sides = [
        _Side(sum(count * rate for count, rate in classes if rate is not None), all(r is not None for _, r in classes))
        for classes in (_input_classes(usage, rates), _output_classes(usage, rates))
        if classes
    ]
    units = _count_units(rates, usage.images, usage.characters, usage.audio_ms, usage.searches)
    return _round(_join(sides, units, rates))


def ceiling_nanos(
    *,
    price: Price,
    input_tokens: int,
    output_tokens: int,
    images: int = 0,
    characters: int = 0,
    audio_ms: int = 0,
    searches: int = 0,
) -> int | None:
    """Return the most that a call within these bounds can cost; None where that can't be said.

    Each token counts as the dearest class of its side, in the dearest tier that a prompt of up to that length reaches.
    """
    usual = price.rates
    if (
        usual._dearest_input is not None
        and usual._dearest_output is not None
        and not (price.tiers or images or characters or audio_ms or searches)
    ):  # the usual call, and the way of every call under a budget
        return round_to_nanos(
            input_tokens * usual._dearest_input + output_tokens * usual._dearest_output + (usual.request or 0)
        )
    reachable = [price.rates, *(tier.rates for tier in price.tiers if input_tokens > tier.above_input_tokens)]
    ceilings = []
    for rates in reachable:
        sides = [
            _bound(input_tokens, rates.input, rates.cached_input, rates.cache_write, rates.audio_input),
            _bound(output_tokens, rates.output, rates.reasoning, rates.audio_output),
        ]
        units = _count_units(rates, images, characters, audio_ms, searches)
        ceilings.append(_join([side for side in sides if side is not None], units, rates))
    known = [ceiling for ceiling in ceilings if ceiling is not None]
    return _round(max(known)) if len(known) == len(ceilings) else None


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Every price of one model, past and to come.

    `lists` stand in the order in which they are asked (`providers.price_rows` has the order); each holds its prices
    by rising `effective_from_s`, which are few. `overrides` holds those of single tenants, by tenant id.
    """

    lists: tuple[tuple[Price, ...], ...] = ()
    overrides: Mapping[int, tuple[Price, ...]] = field(default_factory=dict)

    def price_at(self, tenant_id: int | None, now_s: float) -> Price | None:
        """Return the price in force for a tenant at a moment; None where there is none.

        A tenant's own price goes first; once withdrawn, the shared lists answer again. Of these the first one that has
        a price in force decides, and a withdrawn price there means none: nobody is charged by a list the operator has
        closed. A row without any rate has no say and hands on to the next list.
        """
        if self.overrides and tenant_id is not None:
            own = _in_force(self.overrides.get(tenant_id, ()), now_s)
            if own is not None and not own.withdrawn and not own.says_nothing:
                return own
        for prices in self.lists:
            price = _in_force(prices, now_s)
            if price is not None and not price.says_nothing:
                return None if price.withdrawn else price
        return None


def _in_force(prices: tuple[Price, ...], now_s: float) -> Price | None:
    for price in reversed(prices):
        if price.effective_from_s <= now_s:
            return price
    return None


def _input_attos(usage: Usage, rates: Rates) -> int | None:
    whole, cached, write = usage.input_tokens, usage.cached_input_tokens, usage.cache_write_tokens
    audio = usage.audio_input_tokens
    if cached < 0 or write < 0 or audio < 0 or cached + write + audio > whole:
        cached, write, audio = _fit(whole, cached, write, audio)
    if rates.input is not None:
        return (
            whole * rates.input
            + cached * rates._cached_extra
            + write * rates._write_extra
            + audio * rates._audio_input_extra
        )
    return _sum_attos(
        (whole - cached - write - audio, None),
        (cached, rates.cached_input),
        (write, rates.cache_write),
        (audio, rates.audio_input),
    )


def _output_attos(usage: Usage, rates: Rates) -> int | None:
    whole, reasoning, audio = usage.output_tokens, usage.reasoning_tokens, usage.audio_output_tokens
    if reasoning < 0 or audio < 0 or reasoning + audio > whole:
        reasoning, audio = _fit(whole, reasoning, audio)
    if rates.output is not None:
        return whole * rates.output + reasoning * rates._reasoning_extra + audio * rates._audio_output_extra
    return _sum_attos((whole - reasoning - audio, None), (reasoning, rates.reasoning), (audio, rates.audio_output))


def _dearest(whole: int | None, *parts: int | None) -> int | None:
    """Return the dearest class of one side; None where the whole has no price."""
    return None if whole is None else max([whole, *(rate for rate in parts if rate is not None)])


def _fit(whole: int, *parts: int) -> list[int]:
    fitting = []
    for part in parts:
        fitting.append(min(max(part, 0), whole))
        whole -= fitting[-1]
    return fitting


def _sum_attos(*counted: tuple[int, int | None]) -> int | None:
    total_attos = 0
    for count, rate in counted:
        if count and rate is None:
            return None
        total_attos += count * (rate or 0)
    return total_attos


@dataclass(frozen=True, slots=True)
class _Side:
    """What one measure of a call comes to; `whole` tells that all of it has a price."""

    attos: int
    whole: bool


def _input_classes(usage: Usage, rates: Rates) -> list[tuple[int, int | None]]:
    """Return the classes of the prompt that were used, each with its rate or that of the whole."""
    whole = max(usage.input_tokens, 0)
    cached, write, audio = _fit(whole, usage.cached_input_tokens, usage.cache_write_tokens, usage.audio_input_tokens)
    return _with_rates(
        rates.input,
        (whole - cached - write - audio, None),
        (cached, rates.cached_input),
        (write, rates.cache_write),
        (audio, rates.audio_input),
    )


def _output_classes(usage: Usage, rates: Rates) -> list[tuple[int, int | None]]:
    """Return the classes of the answer that were used, each with its rate or that of the whole."""
    whole = max(usage.output_tokens, 0)
    reasoning, audio = _fit(whole, usage.reasoning_tokens, usage.audio_output_tokens)
    return _with_rates(
        rates.output, (whole - reasoning - audio, None), (reasoning, rates.reasoning), (audio, rates.audio_output)
    )


def _with_rates(whole: int | None, *counted: tuple[int, int | None]) -> list[tuple[int, int | None]]:
    return [(count, whole if rate is None else rate) for count, rate in counted if count]


def _bound(count: int, whole: int | None, *parts: int | None) -> _Side | None:
    """Return what so many tokens of one side come to, each as the dearest class; None where there are none."""
    if count <= 0:
        return None
    return _Side(count * max((rate for rate in (whole, *parts) if rate is not None), default=0), whole is not None)


def _count_units(rates: Rates, images: int, characters: int, audio_ms: int, searches: int) -> _Side | None:
    """Return what the units that are no tokens come to; None where there are none."""
    used = [
        (count, size, rate)
        for count, size, rate in (
            (images, 1, rates.image),
            (characters, 1, rates.character),
            (audio_ms, _MS_A_MINUTE, rates.audio_minute),
            (searches, 1, rates.search),
        )
        if count > 0
    ]
    if not used:
        return None
    priced = [-(-count * rate // size) for count, size, rate in used if rate is not None]
    return _Side(sum(priced), whole=len(priced) == len(used))


def _join(sides: list[_Side], units: _Side | None, rates: Rates) -> int | None:
    """Return the sum of tokens, units and fee; None where no price covers the call."""
    total_attos = sum(side.attos for side in sides) + (rates.request or 0)
    priced = all(side.whole for side in sides)
    if units is None:
        return total_attos if priced else None
    covered = units.whole or rates.request is not None or (bool(sides) and priced)
    return total_attos + units.attos if covered else None


def _round(cost_attos: int | None) -> int | None:
    return None if cost_attos is None else round_to_nanos(cost_attos)
