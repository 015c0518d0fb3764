"""Keys that every worker holds: while PostgreSQL is away, no other can be served.

A worker looks a key up when it is first used, so the key of an outage must have been used at every worker before.
"""

import asyncio
import time

from tests.prove.bed import ProvenGateway
from tests.prove.budgets import PROBE
from tests.prove.callers import Callers, run
from tests.services.gateway import READY_WITHIN_S
from tests.services.waiting import POLL_INTERVAL_S

CALLS_TOGETHER = 24


def use_everywhere(callers: Callers, gateway: ProvenGateway) -> None:
    """Call until every worker of a gateway has served the callers' key, the one that is still starting too.

    Raises AssertionError where that takes too long.
    """

    async def work() -> None:
        ends_at = time.monotonic() + READY_WITHIN_S
        async with callers:
            while not gateway.has_served_everywhere(callers.name):
                assert time.monotonic() < ends_at, f"not every worker has served {callers.name}: {callers.troubles()}"
                await callers.call_together([PROBE] * CALLS_TOGETHER)
                await asyncio.sleep(POLL_INTERVAL_S)

    run(work)
