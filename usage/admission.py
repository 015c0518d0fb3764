"""May this call be made, and what does it hold while it is under way: reserve on entry, settle on exit.

Everything that applies to a call is checked and reserved in one atomic step: requests, tokens, calls at once, and the
most the call can cost in every budget. What it really used replaces the reservation when it ends.
"""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from kernel.errors import BudgetExceeded, GatewayError, RateLimited, Unavailable
from kernel.money import format_usd
from usage.counters.base import Change, Check, Counters, CountersAway, Verdict
from usage.policy import NO_RULES, BudgetLine, CallerPolicy, LimitLine, ProviderLimit
from usage.records import Charge
from usage.windows import HELD, Window

Headers = list[tuple[bytes, bytes]]
AWAY_RETRY_S = 1.0


class Demand(msgspec.Struct, frozen=True):
    """The most that a call can take. `cost_nanos` matters only where a budget applies."""

    tokens: int
    cost_nanos: int
    streamed: bool


class Extension(msgspec.Struct, frozen=True):
    """More money for the same call, reserved later: for another try after one that has used some."""

    nanos: int
    slices: tuple[int, ...]


class Grant(msgspec.Struct):
    """What a call holds until it is settled. `reserved_nanos` is None where no budget applies to it."""

    policy: CallerPolicy
    demand: Demand
    lines: Sequence[LimitLine | BudgetLine] = ()
    checks: Sequence[Check] = ()
    verdict: Verdict = Verdict(None, (), ())
    charges: tuple[Charge, ...] = ()
    reserved_nanos: int | None = None
    extensions: list[Extension] = []
    deltas: Sequence[int] = ()

    def settle(self, counters: Counters, *, posted_nanos: int, tokens: int) -> None:
        """Replace what was reserved by what was used; the second time it does nothing."""
        if self.deltas or not self.checks:
            return
        self.deltas = [
            _delta_of(line, check, posted_nanos=posted_nanos, tokens=tokens)
            for line, check in zip(self.lines, self.checks, strict=True)
        ]
        changes = [
            Change(check.counter, check.window, number, delta)
            for check, number, delta in zip(self.checks, self.verdict.slices, self.deltas, strict=True)
            if delta
        ]
        for extension in self.extensions:
            changes += _returned(self.policy.budgets, extension)
        counters.settle(changes)

    def headers(self, now_s: float) -> Headers:
        """Return what an answer tells of the tightest limits and budgets, after this call as far as it is settled."""
        used = self.verdict.used
        if self.deltas:
            used = tuple([sum_ + delta for sum_, delta in zip(used, self.deltas, strict=True)])
        return _describe(self.lines, self.checks, used, self.verdict.slices, now_s)


class Refusal(msgspec.Struct, frozen=True):
    """A refused call: which rule it was, what was left of it, and the error that the caller sees.

    `by_amount` tells that it was tokens or money: a smaller estimate might have fitted.
    """

    rule: str
    remaining: int
    error: GatewayError
    by_amount: bool = False


def plan_checks(policy: CallerPolicy, demand: Demand) -> tuple[list[LimitLine | BudgetLine], list[Check]]:
    """Return what has to be reserved for a call, limits first, and the rule behind each."""
    lines: list[LimitLine | BudgetLine] = []
    checks: list[Check] = []
    for limit in policy.limits:
        rule = limit.rule
        if rule.measure == "parallel_streams" and not demand.streamed:
            continue
        amount = demand.tokens if rule.measure == "tokens" else 1
        lines.append(limit)
        checks.append(Check(limit.counter, rule.window, amount, rule.value))
    for budget in policy.budgets:
        lines.append(budget)
        checks.append(_check_of(budget, demand.cost_nanos))
    return lines, checks


async def admit(counters: Counters, policy: CallerPolicy, demand: Demand) -> Grant | Refusal:
    """Reserve everything a call may take, or say what refuses it. Raises Unavailable where that can't be decided."""
    if policy is NO_RULES:
        return Grant(policy, demand)
    lines, checks = plan_checks(policy, demand)
    try:
        verdict = await counters.reserve(checks)
    except CountersAway as error:
        raise _away() from error
    if verdict.refused is not None:
        return explain(lines, checks, verdict, counters.now_s())
    budgets = policy.budgets
    if not budgets:
        return Grant(policy, demand, lines, checks, verdict)
    slices = verdict.slices[-len(budgets) :]
    charges = tuple([Charge(line.counter, number) for line, number in zip(budgets, slices, strict=True)])
    return Grant(policy, demand, lines, checks, verdict, charges, demand.cost_nanos)


async def extend(counters: Counters, grant: Grant, *, nanos: int) -> bool:
    """Reserve more money for a call that goes on; False where its budgets don't have it, or can't say."""
    if grant.reserved_nanos is None or nanos <= 0:
        return True
    try:
        verdict = await counters.reserve([_check_of(line, nanos) for line in grant.policy.budgets])
    except CountersAway:
        return False
    if verdict.refused is not None:
        return False
    grant.extensions = [*grant.extensions, Extension(nanos, verdict.slices)]
    grant.reserved_nanos += nanos
    return True


async def enter_provider(counters: Counters, limits: Sequence[ProviderLimit]) -> bool:
    """Take a place at a provider that serves only so many calls at once; False where it is full or can't say."""
    try:
        verdict = await counters.reserve([Check(limit.counter, HELD, 1, limit.value) for limit in limits])
    except CountersAway:
        return False
    return verdict.refused is None


def leave_provider(counters: Counters, limits: Sequence[ProviderLimit]) -> None:
    """Give the place back."""
    counters.settle([Change(limit.counter, HELD, 0, -1) for limit in limits])


def explain(
    lines: Sequence[LimitLine | BudgetLine], checks: Sequence[Check], verdict: Verdict, now_s: float
) -> Refusal:
    """Say which rule refused and in which error a caller hears of it."""
    assert verdict.refused is not None
    line, check, used = lines[verdict.refused], checks[verdict.refused], verdict.used[verdict.refused]
    assert check.limit is not None
    left = max(0, check.limit - used)
    resets_at_s = check.window.ends_at(verdict.slices[verdict.refused])
    resets_in_s = None if resets_at_s is None else resets_at_s - now_s
    error: GatewayError
    if isinstance(line, BudgetLine):
        error = _over_budget(line.rule.name, left, check.amount, resets_in_s)
    else:
        error = _over_limit(line, check, left, verdict.wait_s)
    error.headers = [*error.headers, *_describe(lines, checks, verdict.used, verdict.slices, now_s)]
    if not error.retryable:
        error.headers.append((b"x-should-retry", b"false"))
    by_amount = isinstance(line, BudgetLine) or line.rule.measure == "tokens"
    return Refusal(line.rule.name, left, error, by_amount)


def over_call_budget(*, allowed_nanos: int, needed_nanos: int) -> Refusal:
    """Return the refusal of a call that could cost more than its own `max_cost_usd`."""
    error = _over_budget("max_cost_usd", allowed_nanos, needed_nanos, None)
    error.param = "max_cost_usd"
    error.headers.append((b"x-should-retry", b"false"))
    return Refusal("max_cost_usd", allowed_nanos, error, by_amount=True)


def _check_of(line: BudgetLine, nanos: int) -> Check:
    hard = line.rule.hard
    return Check(line.counter, line.window, nanos, line.limit_nanos if hard else None, strict=hard, tracked=True)


def _returned(budgets: Sequence[BudgetLine], extension: Extension) -> list[Change]:
    return [
        Change(line.counter, line.window, number, -extension.nanos)
        for line, number in zip(budgets, extension.slices, strict=True)
    ]


def _away() -> Unavailable:
    message = "Budgets and limits can't be checked now, and no call is served unchecked."
    return Unavailable(message, code="counters_unavailable", retry_after_s=AWAY_RETRY_S)


def _over_budget(name: str, left: int, needed: int, resets_in_s: float | None) -> BudgetExceeded:
    when = "" if resets_in_s is None else f" It resets in {format_span(resets_in_s)}."
    error = BudgetExceeded(
        f"The budget '{name}' has {format_usd(left)} USD left and this call could cost {format_usd(needed)} USD.{when}"
    )
    error.headers.append((b"x-gateway-budget", name.encode("ascii", "replace")))
    return error


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


def _delta_of(line: LimitLine | BudgetLine, check: Check, *, posted_nanos: int, tokens: int) -> int:
    """Return what a call really used of a rule, less what it had reserved."""
    if isinstance(line, BudgetLine):
        return posted_nanos - check.amount
    if check.window.kind == "held":
        return -check.amount
    return tokens - check.amount if line.rule.measure == "tokens" else 0


def _describe(
    lines: Sequence[LimitLine | BudgetLine],
    checks: Sequence[Check],
    sums: Sequence[int],
    slices: Sequence[int],
    now_s: float,
) -> Headers:
    """Return the headers of the tightest limit of requests, of tokens, and of the tightest hard budget."""
    tightest: dict[str, tuple[int, int]] = {}
    headers: Headers = []
    for index, (line, check, used) in enumerate(zip(lines, checks, sums, strict=True)):
        limit = check.limit
        if limit is None:
            assert isinstance(line, BudgetLine)
            if used > line.limit_nanos:
                headers.append((b"x-gateway-budget-warning", line.rule.name.encode("ascii", "replace")))
            continue
        kind: str = "budget" if isinstance(line, BudgetLine) else line.rule.measure
        left = limit - used if used < limit else 0
        best = tightest.get(kind)
        if best is None or left < best[0]:
            tightest[kind] = (left, index)
    for kind, (left, index) in tightest.items():
        if kind in ("requests", "tokens"):
            headers += _rate_headers(kind.encode(), checks[index], left, slices[index], now_s)
        elif kind == "budget":
            headers.append((b"x-gateway-budget-remaining-usd", format_usd(left).encode()))
    return headers


def _rate_headers(kind: bytes, check: Check, left: int, number: int, now_s: float) -> Headers:
    ends_at_s = check.window.ends_at(number)
    resets_in_s = 0.0 if ends_at_s is None or left == check.limit else ends_at_s - now_s
    return [
        (b"x-ratelimit-limit-" + kind, b"%d" % (check.limit or 0)),
        (b"x-ratelimit-remaining-" + kind, b"%d" % left),
        (b"x-ratelimit-reset-" + kind, format_span(resets_in_s).encode()),
    ]


def format_span(seconds: float) -> str:
    """Write a span as rate-limit headers do: 120ms, 8.64s, 6m0s, 26h3m20s."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))}ms"
    if seconds < 60:
        return f"{round(seconds, 2):g}s"
    return _format_minutes(round(seconds))


@lru_cache(maxsize=1024)
def _format_minutes(seconds: int) -> str:
    minutes, rest_s = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{rest_s}s" if hours else f"{minutes}m{rest_s}s"
