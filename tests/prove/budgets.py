"""A budget under a crowd: it is never exceeded, and it is used up."""

import asyncio
import random
import time
from collections.abc import Sequence

from providers.dialects.canonical import Usage
from tests.prove.accounts import cost_nanos, usd
from tests.prove.bed import PRICES, Bed
from tests.prove.callers import Callers, Plan, any_plan, run
from tests.prove.report import Finding

# The smallest call there is, to find out whether anything at all still fits, and more than its worst case can be.
PROBE = Plan(tokens=1, max_tokens=1)
PROBE_WORST_TOKENS = 400
PROBE_WORST_NANOS = cost_nanos(Usage(input_tokens=PROBE_WORST_TOKENS, output_tokens=1), PRICES["spare"])
PROBES_MAX = 400
REFUSED = "budget_exceeded"
FREED_WITHIN_S = 20.0
SETTLED_WITHIN_S = 0.05


def crowd(bed: Bed, *, short: bool) -> Finding:
    """500 calls at once, half of them streams, against a budget that covers a third of them."""
    finding = Finding("crowd at a budget")
    chance = random.Random(1)
    plans = [any_plan(chance, tokens_max=300, stream=bool(n % 2)) for n in range(100 if short else 500)]
    limit_nanos = sum(_cost_of(plan) for plan in plans) // 3
    callers = bed.callers("crowd")
    bed.set_budget("crowd", limit_nanos, key="crowd")
    bed.set_budget("crowd, roomy", 10**12, key="crowd", period="rolling_hours", length=1)

    async def work() -> None:
        async with callers:
            await use_up(callers, plans)

    run(work)
    check_used_up(bed, finding, callers, limit_nanos)
    denied = bed.denied(callers.name, at_least=finding.refused)
    finding.expect(denied == finding.refused, f"{finding.refused} calls were refused, {denied} are written down")
    return finding


def another_crowd(bed: Bed, finding: Finding, callers: Callers, *, budget: str, calls: int = 120) -> None:
    """Give a budget room for a third of some more calls, and see that it is exactly kept and used up again.

    Whatever happened before: counters that forgot something would let too much through, and reservations that nobody
    gave back would let too little through.
    """
    chance = random.Random(calls)
    plans = [any_plan(chance, stream=bool(n % 2)) for n in range(calls)]
    bed.compare(callers.name)  # waits until everything so far is posted
    limit_nanos = bed.posted_nanos(callers.name) + sum(_cost_of(plan) for plan in plans) // 3
    bed.set_budget(budget, limit_nanos, key=callers.name)

    async def work() -> None:
        async with callers:
            await use_up(callers, plans)
            ends_at = time.monotonic() + FREED_WITHIN_S
            while rest_nanos(bed, callers, limit_nanos) >= PROBE_WORST_NANOS and time.monotonic() < ends_at:
                await use_up(callers, [PROBE] * 20)

    run(work)
    check_used_up(bed, finding, callers, limit_nanos)


def check_used_up(bed: Bed, finding: Finding, callers: Callers, limit_nanos: int) -> None:
    """Compare the books and what was posted with what the budget allowed."""
    finding.calls, finding.refused = callers.made, callers.count("refused")
    finding.books = bed.compare(callers.name)
    rest = limit_nanos - bed.posted_nanos(callers.name)
    finding.remarks.append(f"of {usd(limit_nanos)} allowed, {usd(rest)} is left")
    finding.expect(rest >= 0, f"the budget is overspent by {usd(-rest)}")
    finding.expect(rest < PROBE_WORST_NANOS, f"{usd(rest)} is left, and calls that fit were not served")
    if finding.faults:
        finding.remarks.append(f"calls without an answer: {callers.troubles()}")


async def use_up(callers: Callers, plans: Sequence[Plan], *, refusal: str = REFUSED) -> None:
    """Make calls all at once; let the refused ones come again until no call fits any more."""
    waiting, in_vain = list(plans), 0
    while waiting and in_vain < 2:
        answers = await callers.call_together(waiting)
        refused = [answer.plan for answer in answers if answer.code == refusal]
        in_vain = in_vain + 1 if len(refused) == len(waiting) else 0
        waiting = refused
        await asyncio.sleep(SETTLED_WITHIN_S)
    for _ in range(PROBES_MAX):
        if (await callers.call(PROBE)).code == refusal:
            return


def rest_nanos(bed: Bed, callers: Callers, limit_nanos: int) -> int:
    """Return what a budget has left once everything is posted."""
    bed.compare(callers.name)
    return limit_nanos - bed.posted_nanos(callers.name)


def _cost_of(plan: Plan) -> int:
    text = plan.body()["messages"][0]["content"]
    return cost_nanos(Usage(input_tokens=-(-len(text) // 4), output_tokens=plan.tokens), PRICES["plain"])
