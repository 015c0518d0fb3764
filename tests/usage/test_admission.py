"""Everything is reserved or nothing, refusals say why, and what was not used comes back."""

from typing import Any

import pytest

from kernel.errors import BudgetExceeded, RateLimited, Unavailable
from usage import admission
from usage.admission import Demand, Grant, Refusal, Refused, Standing, format_span
from usage.counters.base import CountersAway
from usage.counters.memory import MemoryCounters
from usage.policy import (
    NO_RULES,
    BudgetLine,
    BudgetRule,
    CallerPolicy,
    LimitLine,
    LimitRule,
    Measure,
    ProviderLimit,
    Scope,
    limit_window,
)
from usage.records import Charge
from usage.windows import LIFETIME, Window

NOW_S = 1_000_000.0
DEMAND = Demand(tokens=100, cost_nanos=50, streamed=False)


@pytest.fixture
def counters() -> MemoryCounters:
    return MemoryCounters("test", clock=lambda: NOW_S)


def limit(measure: Measure, value: int, *, number: int = 1) -> LimitLine:
    rule = LimitRule(number, f"limit of {measure}", Scope(), measure, limit_window(measure, 60.0), value)
    return LimitLine(rule, f"l{number}.")


def budget(limit_nanos: int, *, number: int = 1, window: Window = LIFETIME, hard: bool = True) -> BudgetLine:
    rule = BudgetRule(number, f"budget {number}", Scope(), window, limit_nanos, hard=hard)
    return BudgetLine(rule, f"b{number}.0.", window, limit_nanos)


def policy(*lines: LimitLine | BudgetLine) -> CallerPolicy:
    limits = tuple(line for line in lines if isinstance(line, LimitLine))
    return CallerPolicy(limits, tuple(line for line in lines if isinstance(line, BudgetLine)))


def sum_of(counters: MemoryCounters, line: LimitLine | BudgetLine) -> int:
    window = line.rule.window
    return counters.sums([(line.counter, window)])[0]


async def admitted(counters: MemoryCounters, rules: CallerPolicy, demand: Demand = DEMAND) -> Grant:
    return await admission.admit(counters, rules, demand)


async def refused(counters: MemoryCounters, rules: CallerPolicy, demand: Demand = DEMAND) -> Refusal:
    with pytest.raises(Refused) as refusal:
        await admission.admit(counters, rules, demand)
    return refusal.value.refusal


async def test_without_rules_nothing_is_held(counters: MemoryCounters) -> None:
    grant = await admitted(counters, NO_RULES)
    assert (grant.reserved_nanos, grant.charges, grant.standings(NOW_S)) == (None, (), [])
    grant.settle(counters, posted_nanos=5, tokens=5)
    assert len(counters) == 0


async def test_everything_is_reserved_and_the_rest_comes_back(counters: MemoryCounters) -> None:
    lines = (
        limit("requests", 10, number=1),
        limit("tokens", 1_000, number=2),
        limit("parallel_calls", 3, number=3),
        budget(1_000, number=4),
        budget(1_000, number=5, hard=False),
    )
    grant = await admitted(counters, policy(*lines))
    assert [sum_of(counters, line) for line in lines] == [1, 100, 1, 50, 50]
    assert (grant.reserved_nanos, grant.charges) == (50, (Charge("b4.0.", 0), Charge("b5.0.", 0)))
    grant.settle(counters, posted_nanos=20, tokens=30)
    grant.settle(counters, posted_nanos=20, tokens=30)
    assert [sum_of(counters, line) for line in lines] == [1, 30, 0, 20, 20]


async def test_one_that_does_not_fit_leaves_the_others_alone(counters: MemoryCounters) -> None:
    fits, tight = limit("requests", 10, number=1), budget(49, number=2)
    got = await refused(counters, policy(fits, tight))
    assert (got.rule, got.remaining, got.by_amount) == ("budget 2", 49, True)
    assert sum_of(counters, fits) == sum_of(counters, tight) == 0


async def test_a_budgets_refusal_says_which_what_is_left_and_when_it_resets(counters: MemoryCounters) -> None:
    got = await refused(counters, policy(budget(49, window=Window("day"))))
    error = got.error
    assert isinstance(error, BudgetExceeded)
    assert (error.status, error.type, error.code) == (429, "insufficient_quota", "budget_exceeded")
    resets_in = format_span(86_400 - NOW_S % 86_400)
    assert error.message == (
        "The budget 'budget 1' has 0.000000049 USD left and this call could cost 0.00000005 USD. "
        f"It resets in {resets_in}."
    )
    assert not error.retryable
    assert list(got.standings) == [Standing("budget", 49, 49, 0.0, "budget 1")]


async def test_a_soft_budget_warns_and_does_not_stop(counters: MemoryCounters) -> None:
    grant = await admitted(counters, policy(budget(49, hard=False)))
    assert grant.standings(NOW_S) == [Standing("warning", 49, 0, None, "budget 1")]


async def test_what_was_used_counts_once_it_is_known(counters: MemoryCounters) -> None:
    grant = await admitted(counters, policy(budget(60), budget(55, number=2, window=Window("day"))))
    resets_in_s = 86_400 - NOW_S % 86_400
    assert grant.standings(NOW_S) == [Standing("budget", 55, 5, resets_in_s, "budget 2")]
    grant.settle(counters, posted_nanos=10, tokens=0)
    assert grant.standings(NOW_S) == [Standing("budget", 55, 45, resets_in_s, "budget 2")]


async def test_of_several_limits_the_tightest_is_told(counters: MemoryCounters) -> None:
    wide, tight = limit("requests", 10, number=1), limit("requests", 3, number=2)
    grant = await admitted(counters, policy(wide, tight, limit("tokens", 500, number=3)))
    requests, tokens = grant.standings(NOW_S)
    assert (requests.kind, requests.limit, requests.left, requests.rule) == ("requests", 3, 2, "limit of requests")
    assert (tokens.kind, tokens.limit, tokens.left) == ("tokens", 500, 400)
    assert requests.resets_in_s is not None
    assert 60 <= requests.resets_in_s <= 61  # a whole minute, and what is left of the slice


@pytest.mark.parametrize(
    ("measure", "value", "kind", "retried"),
    [
        ("requests", 1, "requests", True),
        ("tokens", 150, "tokens", True),
        ("tokens", 99, "tokens", False),  # such a call never fits
        ("parallel_calls", 1, "requests", True),
    ],
)
async def test_a_limits_refusal(
    counters: MemoryCounters, measure: Measure, value: int, kind: str, retried: bool
) -> None:
    rules = policy(limit(measure, value))
    if value >= 100 or measure != "tokens":
        await admitted(counters, rules)
    error = (await refused(counters, rules)).error
    assert isinstance(error, RateLimited)
    assert (error.status, error.code, error.type) == (429, "rate_limit_exceeded", kind)
    assert (error.retry_after_s is not None) is retried
    assert error.retryable is retried


async def test_only_streams_count_as_streams(counters: MemoryCounters) -> None:
    rules = policy(limit("parallel_streams", 1))
    stream = Demand(tokens=1, cost_nanos=0, streamed=True)
    first = await admitted(counters, rules, stream)
    await admitted(counters, rules)
    await refused(counters, rules, stream)
    first.settle(counters, posted_nanos=0, tokens=0)
    await admitted(counters, rules, stream)


async def test_a_call_that_goes_on_reserves_more_and_gives_it_back(counters: MemoryCounters) -> None:
    line = budget(120)
    grant = await admitted(counters, policy(line))
    assert await admission.extend(counters, grant, nanos=40)
    assert (sum_of(counters, line), grant.reserved_nanos) == (90, 90)
    assert not await admission.extend(counters, grant, nanos=40)
    assert await admission.extend(counters, grant, nanos=0)
    grant.settle(counters, posted_nanos=70, tokens=0)
    assert sum_of(counters, line) == 70


async def test_a_provider_has_so_many_places(counters: MemoryCounters) -> None:
    limits = [ProviderLimit(1, "p", "somewhere", 1)]
    assert await admission.enter_provider(counters, limits)
    assert not await admission.enter_provider(counters, limits)
    admission.leave_provider(counters, limits)
    assert await admission.enter_provider(counters, limits)


class Away(MemoryCounters):
    async def reserve(self, checks: Any, amounts: Any = None) -> Any:
        raise CountersAway

    async def peek(self, checks: Any) -> Any:
        raise CountersAway


async def test_what_cannot_be_checked_is_not_served() -> None:
    away = Away("test")
    with pytest.raises(Unavailable) as caught:
        await admission.admit(away, policy(budget(100)), DEMAND)
    assert (caught.value.status, caught.value.code) == (503, "counters_unavailable")
    assert not await admission.enter_provider(away, [ProviderLimit(1, "p", "somewhere", 1)])
    grant = Grant(policy(budget(100)).plan(streamed=False), reserved_nanos=10)
    assert not await admission.extend(away, grant, nanos=1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0ms"), (0.12, "120ms"), (8.64, "8.64s"), (360, "6m0s"), (94_400, "26h13m20s"), (59.999, "60s")],
)
def test_spans_are_written_as_in_rate_limit_headers(seconds: float, text: str) -> None:
    assert format_span(seconds) == text
