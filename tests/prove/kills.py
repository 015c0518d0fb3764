"""Workers killed at random, callers who hang up, upstreams that fail: afterwards both sets of books agree."""

import asyncio
import random
import time
from collections import Counter

from tests.prove.bed import Bed
from tests.prove.budgets import another_crowd
from tests.prove.callers import Callers, Plan, any_plan, run
from tests.prove.report import Finding

CALLERS = 40
HANG_UP_SHARE = 0.2
FAIL_SHARE = 0.25
HOUSEKEEPER_SHARE = 0.25
FAILURES = (
    "fault=cut cut_after=4",
    "fault=cut cut_after=4 fails=1",
    "fault=error_event cut_after=3",
    "fault=error_after",
    "fault=error_after fails=1",
    "fault=truncated fails=1",
    "fault=reset fails=1",
    "fault=no_done",
    "status=500 fails=1",
    "status=429",
)


def kills(bed: Bed, *, short: bool) -> Finding:
    """`kill -9` of random workers throughout; callers hang up; upstreams fail after generating tokens."""
    finding = Finding("killed workers")
    chance = random.Random(2)
    callers = bed.callers("kills")
    bed.set_budget("kills", 10**12, key="kills")
    killed = run_under_kills(bed, callers, chance, lasting_s=6 if short else 60)
    finding.remarks.append(f"killed {killed['worker']} workers and {killed['housekeeper']} housekeepers")
    bed.gateway.wait_for_workers()
    another_crowd(bed, finding, callers, budget="kills")
    endings = ", ".join(f"{count} {ending}" for ending, count in finding.books.endings.most_common())
    finding.remarks.append(f"attempts: {endings}")
    return finding


def run_under_kills(bed: Bed, callers: Callers, chance: random.Random, *, lasting_s: float) -> Counter[str]:
    """Call and kill for so many seconds; return how many of what was killed."""
    ends_at = time.monotonic() + lasting_s
    killed: Counter[str] = Counter()

    async def kill() -> None:
        while True:
            await asyncio.sleep(chance.uniform(0.5, 2.5))
            if time.monotonic() > ends_at:
                return
            killed[_kill_one(bed, chance)] += 1

    async def work() -> None:
        async with callers, asyncio.TaskGroup() as group:
            group.create_task(kill())
            until = lambda: time.monotonic() > ends_at  # noqa: E731
            group.create_task(callers.keep_calling(lambda: troubled_plan(chance), callers=CALLERS, until=until))

    run(work)
    return killed


def troubled_plan(chance: random.Random) -> Plan:
    """Return a call of random length that may fail upstream, take its time, or be given up by its caller."""
    directions = [f"delay_ms={chance.randint(0, 60)} pace_ms={chance.choice((0, 0, 1, 5))}"]
    if chance.random() < FAIL_SHARE:
        directions.append(chance.choice(FAILURES))
    patience_s = chance.uniform(0.005, 0.25) if chance.random() < HANG_UP_SHARE else None
    model = chance.choice(("plain", "both"))
    return any_plan(chance, directions=" ".join(directions), hang_up_after_s=patience_s, model=model)


def _kill_one(bed: Bed, chance: random.Random) -> str:
    what = "housekeeper" if chance.random() < HOUSEKEEPER_SHARE else "worker"
    pids = bed.gateway.worker_pids() if what == "worker" else bed.gateway.housekeeper_pids()
    if not pids:
        return "nothing"
    bed.gateway.kill(chance.choice(pids))
    return what
