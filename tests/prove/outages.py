"""Stores that are emptied, restarted and away: nothing is lost, and budgets and limits hold."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from tests.prove.accounts import usd
from tests.prove.bed import Bed
from tests.prove.budgets import PROBE, another_crowd, use_up
from tests.prove.callers import Callers, any_plan, run, under_load
from tests.prove.keys import use_everywhere
from tests.prove.report import Finding

CALLERS = 24
WARM_S = 1.5  # calls go on for so long before an outage and after it
NOTICED_WITHIN_S = 1.0
BACK_WITHIN_S = 15.0
HEARD_WITHIN_S = 2.5  # a worker hears of what others have used, whether or not it has calls of its own
PLENTY_NANOS = 10**12
LIMIT = 1_500
LOCAL_NANOS = 300_000_000
LATE_NANOS = 10_000_000


def redis_flushed(bed: Bed, *, short: bool) -> Finding:
    """Redis is emptied again and again while a budget runs out."""
    finding = Finding("Redis emptied")
    budget_nanos = 300_000_000 if short else 1_500_000_000
    callers, chance = bed.callers("flush"), random.Random(31)
    bed.set_budget("flush", budget_nanos, key="flush")
    flushed = 0

    async def disturb() -> None:
        nonlocal flushed
        ends_at = time.monotonic() + (5 if short else 40)
        while time.monotonic() < ends_at:
            # Now and then while the counters are still being rebuilt, which takes more than two seconds.
            await asyncio.sleep(chance.choice((0.5, 2.5, 3.5, 4.5)))
            await asyncio.to_thread(bed.redis.flush)
            flushed += 1

    _disturb(callers, chance, disturb, pause_s=0.05)
    rest = budget_nanos - _posted_nanos(bed, callers)
    finding.expect(rest >= 0, f"overspent by {usd(-rest)}")
    finding.remarks.append(f"emptied {flushed} times; of {usd(budget_nanos)}, {usd(rest)} was left then")
    another_crowd(bed, finding, callers, budget="flush")
    return finding


def redis_restarted(bed: Bed, *, short: bool) -> Finding:
    """Redis is killed and comes back empty while a budget runs out."""
    finding = Finding("Redis restarted")
    budget_nanos = 300_000_000 if short else 1_000_000_000
    callers, chance = bed.callers("restart"), random.Random(32)
    bed.set_budget("restart", budget_nanos, key="restart")

    async def disturb() -> None:
        for _ in range(1 if short else 4):
            await asyncio.sleep(chance.uniform(1.0, 3.0))
            await asyncio.to_thread(bed.redis.kill)
            await asyncio.sleep(chance.uniform(0.0, 1.0))
            await asyncio.to_thread(bed.redis.start)
        await asyncio.sleep(4.0)

    _disturb(callers, chance, disturb, pause_s=0.05)
    rest = budget_nanos - _posted_nanos(bed, callers)
    finding.expect(rest >= 0, f"overspent by {usd(-rest)}")
    another_crowd(bed, finding, callers, budget="restart")
    return finding


def redis_away(bed: Bed, *, short: bool) -> Finding:
    """Redis is away for 20 s: calls under hard budgets wait outside, limits go on with each worker's share."""
    finding = Finding("Redis away 20 s")
    budgeted, limited = bed.callers("away-budget"), bed.callers("away-limit")
    bed.set_budget("away", PLENTY_NANOS, key="away-budget")
    bed.set_limit("away", "requests", LIMIT, key="away-limit", span="hour")
    chance, moments = random.Random(33), {}

    async def disturb() -> None:
        await asyncio.sleep(WARM_S)
        await asyncio.to_thread(bed.redis.kill)
        moments["gone"] = time.time_ns()
        await asyncio.sleep(4 if short else 20)
        moments["back"] = time.time_ns()
        await asyncio.to_thread(bed.redis.start)
        await _until_served(budgeted)

    async def work() -> None:
        async with budgeted, limited, asyncio.TaskGroup() as group:
            over = asyncio.Event()
            plan = lambda: any_plan(chance)  # noqa: E731
            group.create_task(limited.keep_calling(plan, callers=6, until=over.is_set, pause_s=0.03))
            await under_load(budgeted, disturb, plan=plan, callers_count=6, pause_s=0.02)
            over.set()

    run(work)
    _check_away(bed, finding, moments["gone"] + int(NOTICED_WITHIN_S * 1e9), moments["back"])
    another_crowd(bed, finding, budgeted, budget="away")
    finding.calls, finding.refused = 0, 0
    finding.take(budgeted, limited)
    finding.books = bed.compare("away")
    return finding


def _check_away(bed: Bed, finding: Finding, gone_ns: int, back_ns: int) -> None:
    """See that the stated policy was observed while Redis was away."""
    away = [line for line in bed.accounts.lines("away") if gone_ns <= line.began_at_ns < back_ns]
    through = sum(line.request_id.startswith("away-budget") for line in away)
    finding.expect(not through, f"{through} calls under a hard budget went through without counters")
    served = sum(line.request_id.startswith("away-limit") for line in away)
    finding.expect(served > 0, "no call under a limit alone was served meanwhile")
    admitted = len(bed.accounts.lines("away-limit"))
    finding.expect(admitted <= LIMIT, f"{admitted} calls were admitted by a limit of {LIMIT}")
    finding.remarks.append(f"a limit of {LIMIT:,} admitted {admitted:,}, {served:,} of them meanwhile")


def redis_away_otherwise(bed: Bed, *, short: bool) -> Finding:
    """Redis is away where another policy is stated: `local` goes on within shares of a budget, `closed` refuses."""
    finding = Finding("Redis away, other policies")
    one, two = (bed.add_gateway(f"local-{n}", workers=1, GATEWAY_COUNTERS_AWAY="local") for n in "12")
    local = bed.callers("other-local", one, two)
    closed = bed.callers("other-closed", bed.add_gateway("closed", workers=1, GATEWAY_COUNTERS_AWAY="closed"))
    late = bed.callers("other-late", one)
    bed.set_budget("other", LOCAL_NANOS, key=local.name)
    bed.set_budget("late", LATE_NANOS, key=late.name)
    bed.set_limit("other", "requests", LIMIT * 10, key=closed.name, span="hour")
    chance, moments = random.Random(36), {}

    async def disturb() -> None:
        await late.call(PROBE)  # the first gateway has seen this budget nearly unused; the other uses it up
        await use_up(late.at(two.base_url), [any_plan(chance) for _ in range(20)])
        await asyncio.sleep(HEARD_WITHIN_S)
        await asyncio.to_thread(bed.redis.kill)
        moments["gone"] = time.time_ns() + int(NOTICED_WITHIN_S * 1e9)
        await asyncio.sleep(4 if short else 10)
        await late.at(one.base_url).call_together(any_plan(chance) for _ in range(20))
        moments["back"] = time.time_ns()
        await asyncio.to_thread(bed.redis.start)
        await _until_served(closed)

    async def work() -> None:
        async with local, closed, late, asyncio.TaskGroup() as group:
            over = asyncio.Event()
            plan = lambda: any_plan(chance)  # noqa: E731
            group.create_task(local.keep_calling(plan, callers=6, until=over.is_set, pause_s=0.1))
            await under_load(closed, disturb, plan=plan, callers_count=6, pause_s=0.1)
            over.set()

    run(work)
    away = [line for line in bed.accounts.lines("other") if moments["gone"] <= line.began_at_ns < moments["back"]]
    served = {name: sum(line.request_id.startswith(name) for line in away) for name in (local.name, closed.name)}
    finding.expect(served[local.name] > 0, "`local` served no call meanwhile")
    finding.expect(not served[closed.name], f"`closed` let {served[closed.name]} calls through")
    for callers, budget_nanos in ((local, LOCAL_NANOS), (late, LATE_NANOS)):
        rest = budget_nanos - _posted_nanos(bed, callers)
        finding.expect(rest >= 0, f"{callers.name}: `local` overspent {usd(budget_nanos)} by {usd(-rest)}")
    finding.remarks.append(f"`local` served {served[local.name]} calls meanwhile")
    another_crowd(bed, finding, local, budget="other")
    finding.calls, finding.refused = 0, 0
    finding.take(local, closed, late)
    finding.books = bed.compare("other")
    return finding


def postgres_restarted(bed: Bed, *, short: bool) -> Finding:
    """PostgreSQL crashes and recovers under load."""
    finding = Finding("PostgreSQL restarted")

    async def disturb() -> None:
        for _ in range(1 if short else 3):
            await asyncio.sleep(WARM_S)
            await asyncio.to_thread(bed.postgres.kill)
            await asyncio.to_thread(bed.postgres.start)
        await asyncio.sleep(WARM_S)

    return _without_postgres(bed, finding, "pg-restart", disturb)


def postgres_away(bed: Bed, *, short: bool) -> Finding:
    """PostgreSQL is away for 60 s: traffic goes on, and nothing is lost."""
    finding = Finding("PostgreSQL away 60 s")

    async def disturb() -> None:
        await asyncio.sleep(WARM_S)
        await asyncio.to_thread(bed.postgres.kill)
        await asyncio.sleep(5 if short else 60)
        await asyncio.to_thread(bed.postgres.start)
        await asyncio.sleep(WARM_S)

    return _without_postgres(bed, finding, "pg-away", disturb)


def _without_postgres(bed: Bed, finding: Finding, name: str, disturb: Callable[[], Awaitable[None]]) -> Finding:
    callers, chance = bed.callers(name), random.Random(34)
    bed.set_budget(name, PLENTY_NANOS, key=name)
    use_everywhere(callers, bed.gateway)
    _disturb(callers, chance, disturb, pause_s=0.02)
    unserved = len(callers.answers) - callers.count("whole")
    finding.expect(not unserved, f"{unserved} calls were not served: {callers.troubles()}")
    finding.remarks.append(f"{callers.count('whole'):,} calls served, before, meanwhile and after")
    another_crowd(bed, finding, callers, budget=name)
    return finding


def _disturb(
    callers: Callers, chance: random.Random, disturb: Callable[[], Awaitable[None]], *, pause_s: float = 0.0
) -> None:
    async def work() -> None:
        async with callers:
            await under_load(callers, disturb, plan=lambda: any_plan(chance), callers_count=CALLERS, pause_s=pause_s)

    run(work)


async def _until_served(callers: Callers) -> None:
    """Wait until a call is served again, or long enough."""
    before, ends_at = callers.count("whole"), time.monotonic() + BACK_WITHIN_S
    while callers.count("whole") == before and time.monotonic() < ends_at:  # noqa: ASYNC110 - the calls are counted
        await asyncio.sleep(0.1)


def _posted_nanos(bed: Bed, callers: Callers) -> int:
    bed.compare(callers.name)
    return bed.posted_nanos(callers.name)
