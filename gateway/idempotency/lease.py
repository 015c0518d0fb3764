"""A claim while its call runs: renewed, then settled, all by one task, so that no step overtakes another.

The task outlives a caller who hangs up, and tries again where the store is away when the call ends: what was paid for
should be kept.
"""

import asyncio
import logging
from contextlib import suppress

from gateway.idempotency.base import Answer, AnswerStore, Bounds, Kept, Running
from kernel import tasks
from kernel.errors import Unavailable

RENEWALS_A_LEASE = 3
SETTLE_TRIES = 60
SETTLE_PAUSE_S = 1.0
SETTLE_WAIT_S = 2.0  # how long a caller waits for its answer to be kept before it gets it all the same

logger = logging.getLogger("gateway.idempotency")


class Lease:
    """The right to make a call. Whoever has it must `keep` or `release`; the second time changes nothing."""

    def __init__(self, store: AnswerStore, name: bytes, claim: Running, bounds: Bounds) -> None:
        self._store = store
        self._name = name
        self._claim = claim
        self._renew_s = bounds.lease_s / RENEWALS_A_LEASE
        self._renewals_max = round(bounds.call_s_max / self._renew_s)
        self._ending: asyncio.Future[Kept | None] = asyncio.get_running_loop().create_future()
        self._holding = tasks.spawn(self._hold(), name="idempotency-lease")

    async def keep(self, answer: Answer | None) -> None:
        """Have an answer kept for those who ask again, None for one that is too large."""
        await self._end(Kept(self._claim.fingerprint, answer))

    async def release(self) -> None:
        """Let the next one try anew."""
        await self._end(None)

    async def _end(self, kept: Kept | None) -> None:
        if not self._ending.done():
            self._ending.set_result(kept)
        await asyncio.wait([self._holding], timeout=SETTLE_WAIT_S)

    async def _hold(self) -> None:
        for _ in range(self._renewals_max):
            await asyncio.wait([self._ending], timeout=self._renew_s)
            if self._ending.done():
                await self._settle(self._ending.result())
                return
            with suppress(Unavailable):  # the lease is longer than one renewal
                await self._store.renew(self._name, self._claim)
        logger.warning("a call runs too long for its idempotency key, which is free again")

    async def _settle(self, kept: Kept | None) -> None:
        for _ in range(SETTLE_TRIES):
            try:
                await self._settle_once(kept)
            except Unavailable:
                await asyncio.sleep(SETTLE_PAUSE_S)
            else:
                return
        logger.warning("an idempotency key could not be settled", extra={"answered": kept is not None})

    async def _settle_once(self, kept: Kept | None) -> None:
        if kept is None:
            await self._store.release(self._name, self._claim)
        elif not await self._store.keep(self._name, self._claim, kept):
            logger.warning("an idempotency key was claimed again while its call ran")
