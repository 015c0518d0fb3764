"""May this call be made, and what does it hold while it is under way: reserve on entry, settle on exit.

Everything that applies to a call is checked and reserved in one atomic step: requests, tokens, calls at once, and the
most the call can cost in every budget. What it really used replaces the reservation when it ends. How things stand
then is told as facts; in which words a caller reads them is the front door's affair.
"""

from collections.abc import Sequence
from functools import lru_cache
from operator import add, sub
from typing import Literal

import msgspec

from kernel.errors import BudgetExceeded, GatewayError, RateLimited, Unavailable
from kernel.money import format_usd
from usage.counters.base import Check, Counters, CountersAway, Verdict, weigh
from usage.policy import NO_RULES, BudgetLine, CallerPolicy, LimitLine, Plan, ProviderLimit, Slices
from usage.records import Charge
from usage.windows import HELD, Window

AWAY_RETRY_S = 1.0
_NOWHERE = Slices()


class Demand(msgspec.Struct, frozen=True, gc=False):
    """The most that a call can take. `cost_nanos` matters only where a budget applies."""

    tokens: int
    cost_nanos: int
    streamed: bool


class Standing(msgspec.Struct, frozen=True, gc=False):
    """How things stand with what a call counts against: of several alike, with the tightest.

    A `warning` is about a soft budget that has been exceeded. Money is in nano-dollars. `resets_in_s` says when all of
    it is there again if nobody else comes; None for never.
    """

    kind: Literal["requests", "tokens", "budget", "warning"]
    limit: int
    left: int
    resets_in_s: float | None
    rule: str


class Extension(msgspec.Struct, frozen=True, gc=False):
    """More money for the same call, reserved later: for another try after one that has used some."""

    nanos: int
    slices: tuple[int, ...]


class Grant(msgspec.Struct, gc=False):
    """What a call holds until it is settled. `reserved_nanos` is None where no budget applies to it.

    `amounts` is what was reserved of each rule, `used` each rule's sum, this call included as far as it is settled.
    """

    plan: Plan
    amounts: Sequence[int] = ()
    slices: Slices = _NOWHERE
    used: Sequence[int] = ()
    reserved_nanos: int | None = None
    extensions: tuple[Extension, ...] = ()
    settled: bool = False

    @property
    def charges(self) -> tuple[Charge, ...]:
        """Return where the cost of the call is posted."""
        return self.slices.charges

    def settle(self, counters: Counters, *, posted_nanos: int, tokens: int) -> None:
        """Replace what was reserved by what was used; the second time it does nothing."""
        if self.settled or not self.amounts:
            return
        self.settled = True
        plan = self.plan
        deltas = [*map(sub, plan.amounts(tokens, posted_nanos, 0), self.amounts)]
        self.used = [*map(add, self.used, deltas)]
        counters.settle(plan.checks, self.slices.numbers, deltas)
        for extension in self.extensions:
            counters.settle(plan.money, extension.slices, [-extension.nanos] * len(plan.money))

    def standings(self, now_s: float) -> list[Standing]:
        """Return how the limits and budgets stand."""
        return _standings(self.plan, self.used, self.slices, now_s)


class Refusal(msgspec.Struct, frozen=True):
    """A refused call: which rule it was, what was left of it, the error that the caller sees, and how all rules stand.

    `by_amount` tells that it was tokens or money: a smaller estimate might have fitted.
    """

    rule: str
    remaining: int
    error: GatewayError
    by_amount: bool = False
    standings: Sequence[Standing] = ()


class Refused(Exception):
    """Carries a refusal to where it is written down."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.rule)
        self.refusal = refusal


def plan_checks(plan: Plan, demand: Demand) -> list[Check]:
    """Return what has to be reserved for a call."""
    return [*weigh(plan.checks, plan.amounts(demand.tokens, demand.cost_nanos, 1))]


async def admit(counters: Counters, policy: CallerPolicy, demand: Demand) -> Grant:
    """Reserve everything a call may take. Raises Refused, Unavailable where that can't be decided."""
    plan = policy.plan(streamed=demand.streamed)
    if policy is NO_RULES:
        return Grant(plan)
    amounts = plan.amounts(demand.tokens, demand.cost_nanos, 1)
    try:
        verdict = await counters.reserve(plan.checks, amounts)
    except CountersAway as error:
        raise _away() from error
    if verdict.refused is not None:
        raise Refused(explain(plan, weigh(plan.checks, amounts), verdict, counters.now_s()))
    reserved_nanos = demand.cost_nanos if plan.budgets else None
    return Grant(plan, amounts, plan.slices(verdict.slices), verdict.used, reserved_nanos)


async def extend(counters: Counters, grant: Grant, *, nanos: int) -> bool:
    """Reserve more money for a call that goes on; False where its budgets don't have it, or can't say."""
    if grant.reserved_nanos is None or nanos <= 0:
        return True
    money = grant.plan.money
    try:
        verdict = await counters.reserve(money, [nanos] * len(money))
    except CountersAway:
        return False
    if verdict.refused is not None:
        return False
    grant.extensions = (*grant.extensions, Extension(nanos, verdict.slices))
    grant.reserved_nanos += nanos
    return True


async def enter_provider(counters: Counters, limits: Sequence[ProviderLimit]) -> bool:
    """Take a place at a provider that serves only so many calls at once; False where it is full or can't say."""
    try:
        verdict = await counters.reserve(_places_at(limits))
    except CountersAway:
        return False
    return verdict.refused is None


def leave_provider(counters: Counters, limits: Sequence[ProviderLimit]) -> None:
    """Give the place back."""
    counters.settle(_places_at(limits), [0] * len(limits), [-1] * len(limits))


def explain(plan: Plan, checks: Sequence[Check], verdict: Verdict, now_s: float) -> Refusal:
    """Say which rule refused and in which error a caller hears of it."""
    assert verdict.refused is not None
    line, check, used = plan.lines[verdict.refused], checks[verdict.refused], verdict.used[verdict.refused]
    assert check.limit is not None
    left = max(0, check.limit - used)
    error: GatewayError
    if isinstance(line, BudgetLine):
        resets_at_s = check.window.ends_at(verdict.slices[verdict.refused])
        resets_in_s = None if resets_at_s is None else resets_at_s - now_s
        error = _over_budget(line.rule.name, left, check.amount, resets_in_s)
    else:
        error = _over_limit(line, check, left, verdict.wait_s)
    by_amount = isinstance(line, BudgetLine) or line.rule.measure == "tokens"
    return Refusal(
        line.rule.name, left, error, by_amount, _standings(plan, verdict.used, plan.slices(verdict.slices), now_s)
    )


def over_call_budget(*, allowed_nanos: int, needed_nanos: int) -> Refusal:
    """Return the refusal of a call that could cost more than its own `max_cost_usd`."""
    error = _over_budget("max_cost_usd", allowed_nanos, needed_nanos, None)
    error.param = "max_cost_usd"
    return Refusal("max_cost_usd", allowed_nanos, error, by_amount=True)


def format_span(seconds: float) -> str:
    """Write a span as OpenAI's rate-limit headers do: 120ms, 8.64s, 6m0s, 26h3m20s."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))}ms"
    if seconds < 60:
        return _format_hundredths(round(seconds * 100))
    return _format_minutes(round(seconds))


@lru_cache(maxsize=6000)  # as many as there are
def _format_hundredths(hundredths: int) -> str:
    return f"{hundredths / 100:g}s"


@lru_cache(maxsize=1024)
def _format_minutes(seconds: int) -> str:
    minutes, rest_s = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{rest_s}s" if hours else f"{minutes}m{rest_s}s"


def _places_at(limits: Sequence[ProviderLimit]) -> list[Check]:
    return [Check(limit.counter, HELD, 1, limit.value) for limit in limits]


def _away() -> Unavailable:
    message = "Budgets and limits can't be checked now, and no call is served unchecked."
    return Unavailable(message, code="counters_unavailable", retry_after_s=AWAY_RETRY_S)


def _over_budget(name: str, left: int, needed: int, resets_in_s: float | None) -> BudgetExceeded:
    when = "" if resets_in_s is None else f" It resets in {format_span(resets_in_s)}."
    return BudgetExceeded(
        f"The budget '{name}' has {format_usd(left)} USD left and this call could cost {format_usd(needed)} USD.{when}"
    )


def _over_limit(line: LimitLine, check: Check, left: int, wait_s: float | None) -> RateLimited:
    rule = line.rule
    if rule.measure == "tokens":
        what = f"{rule.value} tokens {_span_words(rule.window)}: {left} are left and this call may take {check.amount}"
    elif rule.window.kind == "held":
        what = f"{rule.value} {'streams' if rule.measure == 'parallel_streams' else 'calls'} at once"
    else:
        what = f"{rule.value} requests {_span_words(rule.window)}"
    held = rule.window.kind == "held"
    error = RateLimited(f"The limit '{rule.name}' is reached: {what}.", retry_after_s=AWAY_RETRY_S if held else wait_s)
    error.type = "tokens" if rule.measure == "tokens" else "requests"
    error.retryable = held or wait_s is not None
    return error


def _span_words(window: Window) -> str:
    names = {60.0: "a minute", 3600.0: "an hour", 86400.0: "a day"}
    return names.get(window.span_s) or f"in {format_span(window.span_s)}"


def _standings(plan: Plan, used: Sequence[int], slices: Slices, now_s: float) -> list[Standing]:
    standings: list[Standing] = []
    limits = plan.limits
    for counted, places in plan.told:
        place = places[0] if len(places) == 1 else _tightest(limits, places, used)
        limit, sum_ = limits[place], used[place]
        left = limit - sum_ if sum_ < limit else 0
        ends_at_s = now_s if left == limit else slices.ends_at_s[place]
        resets_in_s = None if ends_at_s is None else ends_at_s - now_s
        standings.append(Standing(counted, limit, left, resets_in_s, plan.names[place]))
    if plan.soft:
        standings += _warnings(plan, used)
    return standings


def _tightest(limits: Sequence[int], places: tuple[int, ...], used: Sequence[int]) -> int:
    """Return the place of the rule that has the least left."""
    tightest, least = places[0], limits[places[0]] - used[places[0]]
    for place in places[1:]:
        left = limits[place] - used[place]
        if left < least and least > 0:
            tightest, least = place, left
    return tightest


def _warnings(plan: Plan, used: Sequence[int]) -> list[Standing]:
    lines = [(plan.budgets[place - len(plan.lines)], used[place]) for place in plan.soft]
    return [
        Standing("warning", line.limit_nanos, 0, None, line.rule.name)
        for line, spent in lines
        if spent > line.limit_nanos
    ]
