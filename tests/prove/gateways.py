"""Two gateways that share nothing but the stores: a limit is one limit, a revoked key is revoked."""

import asyncio
import random
import time

from providers.mock.bill import Line
from tests.prove.bed import IN_FORCE_WITHIN_S, Bed, ProvenGateway
from tests.prove.budgets import PROBE_WORST_TOKENS, another_crowd, use_up
from tests.prove.callers import Callers, Plan, any_plan, run, under_load
from tests.prove.report import Finding

REQUESTS = 100
PARALLEL = 10
TOKENS = 20_000
NOT_REVOKED_AFTER_S = 10.0


def two_gateways(bed: Bed, *, short: bool) -> Finding:
    """Limits and budgets are exact across two gateways; a key revoked on one is refused on the other within 1 s."""
    finding = Finding("two gateways")
    both = (bed.gateway, bed.add_gateway("second", host="127.0.0.2", workers=1 if short else 2))
    requests, tokens, parallel, money = (
        bed.callers(f"two-{name}", *both) for name in ("requests", "tokens", "parallel", "money")
    )
    _try_requests(bed, finding, requests)
    _try_tokens(bed, finding, tokens)
    _try_parallel(bed, finding, parallel, lasting_s=2 if short else 10)
    bed.set_budget("two", 1, key=money.name)
    another_crowd(bed, finding, money, budget="two", calls=80 if short else 300)
    revoked = _try_revocation(bed, finding, *both)
    finding.calls, finding.refused = 0, 0
    finding.take(requests, tokens, parallel, money, *revoked)
    finding.books = bed.compare("two")
    return finding


def _try_requests(bed: Bed, finding: Finding, callers: Callers) -> None:
    """A limit of 100 a minute admits exactly 100 of those who come at once."""
    bed.set_limit(callers.name, "requests", REQUESTS, key=callers.name, span="minute")
    chance = random.Random(41)

    async def work() -> None:
        async with callers:
            await callers.call_together(any_plan(chance) for _ in range(3 * REQUESTS))
            await callers.call_together(any_plan(chance) for _ in range(REQUESTS))

    run(work)
    admitted = len({line.request_id for line in bed.accounts.lines(callers.name)})
    finding.expect(admitted == REQUESTS, f"a limit of {REQUESTS} requests admitted {admitted}: {callers.troubles()}")
    finding.remarks.append(f"a limit of {REQUESTS} requests a minute admitted {admitted} of {callers.made}")


def _try_tokens(bed: Bed, finding: Finding, callers: Callers) -> None:
    """A limit of tokens is never exceeded, and used up but for less than the smallest call."""
    bed.set_limit(callers.name, "tokens", TOKENS, key=callers.name, span="minute")
    chance = random.Random(42)

    async def work() -> None:
        async with callers:
            plans = [any_plan(chance) for _ in range(150)]
            await use_up(callers, plans, refusal="rate_limit_exceeded")

    run(work)
    used = sum(line.usage.total_tokens for line in bed.accounts.lines(callers.name))
    finding.expect(used <= TOKENS, f"a limit of {TOKENS} tokens let {used} through")
    finding.expect(used > TOKENS - PROBE_WORST_TOKENS, f"a limit of {TOKENS} tokens let only {used} through")
    finding.remarks.append(f"a limit of {TOKENS:,} tokens a minute let {used:,} through")


def _try_parallel(bed: Bed, finding: Finding, callers: Callers, *, lasting_s: float) -> None:
    """A limit of 10 calls at once is kept at the provider, and reached."""
    bed.set_limit(callers.name, "parallel_calls", PARALLEL, key=callers.name)
    plan = Plan(tokens=10, directions="delay_ms=30 pace_ms=2")

    async def work() -> None:
        async with callers:
            await under_load(callers, lambda: asyncio.sleep(lasting_s), plan=lambda: plan, callers_count=4 * PARALLEL)

    run(work)
    most = most_at_once(bed.accounts.lines(callers.name))
    finding.expect(most == PARALLEL, f"a limit of {PARALLEL} calls at once let {most} reach the provider at once")
    finding.remarks.append(f"a limit of {PARALLEL} calls at once let {most} reach the provider at once")


def most_at_once(lines: list[Line]) -> int:
    """Return how many of these were under way at the same time."""
    changes = sorted([(line.began_at_ns, 1) for line in lines] + [(line.ended_at_ns, -1) for line in lines])
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def _try_revocation(bed: Bed, finding: Finding, one: ProvenGateway, other: ProvenGateway) -> list[Callers]:
    """Revoke a key on one gateway and see when the other refuses it, and the other way round; return who called."""
    revoked = []
    for number, (here, there) in enumerate(((one, other), (other, one))):
        callers = bed.callers(f"two-revoked-{number}", there)
        revoked.append(callers)
        after_s = _revoke(here, callers)
        finding.expect(after_s <= IN_FORCE_WITHIN_S, f"a revoked key was served for {after_s:.2f} s")
        finding.remarks.append(f"a revoked key was refused by the other gateway after {after_s:.2f} s")
    return revoked


def _revoke(here: ProvenGateway, callers: Callers) -> float:
    """Revoke the callers' key on a gateway; return for how long the others' one still served it."""
    here.operate("")  # the operator's process is there
    served_until = revoked_at = time.monotonic()

    async def work() -> None:
        nonlocal served_until, revoked_at
        async with callers:
            assert (await callers.call(Plan())).how == "whole"
            code = f"from tenants import keys\nkeys.revoke(keys.Key.objects.get(name={callers.name!r}))"
            revoking = asyncio.create_task(asyncio.to_thread(here.operate, code))
            ends_at = time.monotonic() + NOT_REVOKED_AFTER_S
            while time.monotonic() < ends_at:
                began = time.monotonic()
                if (await callers.call(Plan())).status == 401:
                    break
                served_until = began
            await revoking

    run(work)
    return served_until - revoked_at
