"""What the housekeeper does for the counters in Redis: rebuild them after a loss, and take the gone out of them.

A living worker is the authority on its own numbers; of a gone one the ledger has everything. So a rebuild waits a
moment for the living and has the rest from the balances, and a worker that is gone is set to its balances, which
gives back what it had reserved and never used.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

import msgspec

from usage.counters.base import ADJUSTMENTS, Contribution
from usage.counters.line import BlockingLine
from usage.counters.scripts import ANNOUNCE, FENCE, FORGET, PREFIX, PROCEED, PUSH, READ, UNHEARD
from usage.counters.wire import complete_parts, encode_push, read_rows
from usage.windows import Window

GRACE_S = 2.0  # a worker looks after its epoch every second, idle or not
LEASE_MS = 15_000
PARTS_AT_ONCE = 500
Balance = tuple[str, Contribution]
T = TypeVar("T")

logger = logging.getLogger(__name__)


class CounterUpkeep:
    """One housekeeper's hold on the counters. Every method may raise one of `line.FAILURES`; repeating is harmless."""

    def __init__(self, redis_url: str, *, prefix: str = PREFIX, grace_s: float = GRACE_S) -> None:
        self._line = BlockingLine(redis_url, prefix=prefix)
        self._prefix = prefix
        self._grace_s = grace_s

    def rebuild_if_lost(self, balances: Callable[[], Iterable[Balance]]) -> bool:
        """Rebuild the counters where Redis has none that can be trusted; tell whether that was done here.

        `balances` is asked for what every worker, gone or living, has posted in the slices that still count, and for
        the adjustments.
        """
        epoch_id = secrets.token_hex(6)
        answer, before = self._line.call(ANNOUNCE, (epoch_id, LEASE_MS))
        if answer != b"mine":
            return False
        announced_at_s = time.monotonic()
        logger.warning("the counters in Redis are lost or new; rebuilding them from the ledger")
        for chunk in _chunks(balances()):
            if not self._proceed(epoch_id):
                return False
            self._push_balances(epoch_id, chunk)
        # Even a Redis that nobody seems to use may have lost workers that live: they must get the chance to speak.
        time.sleep(max(0.0, announced_at_s + self._grace_s - time.monotonic()))
        if not self._proceed(epoch_id, done=True):
            return False
        if before:
            self._remove_others(epoch_id)
        self._warn_of_eviction()
        return True

    def finish(self, worker: str, contributions: Iterable[Contribution]) -> None:
        """Set what a gone worker has in the counters to exactly this, and forget the worker."""
        epoch_id, stands_in = msgspec.msgpack.decode(self._line.call(FENCE, (worker,)), type=tuple[str, list[str]])
        if not epoch_id:
            return  # whoever rebuilds the counters has it from the balances
        for chunk in _chunks(complete_parts(contributions, stands_in)):
            if not self._push(epoch_id, {worker: chunk}, guard=(worker, False)):
                return
        self._line.call(FORGET, (epoch_id, worker))

    def adjust(self, contributions: Iterable[Contribution]) -> None:
        """Set what operators corrected: absolute numbers, one for each counter and slice."""
        epoch_id, _ = msgspec.msgpack.decode(self._line.call(FENCE, (ADJUSTMENTS,)), type=tuple[str, list[str]])
        if epoch_id:
            for chunk in _chunks(contributions):
                self._push(epoch_id, {ADJUSTMENTS: chunk})

    def expire_lost(
        self, *, older_than_s: float, contributions_of: Callable[[str], Iterable[Contribution]]
    ) -> list[str]:
        """Finish the workers that were not heard for so long, and return their names.

        What such a worker had spent and not shipped counts again once its journal is.
        """
        lost = [worker.decode() for worker in self._line.call(UNHEARD, (older_than_s,))]
        for worker in lost:
            logger.warning("worker %s was not heard for %d s; its reservations expire", worker, older_than_s)
            self.finish(worker, contributions_of(worker))
        return lost

    def read(self, counters: Iterable[tuple[str, Window]]) -> list[int] | None:
        """Return what each of some counters holds now; None where Redis can't be trusted."""
        return read_sums_over(self._line, counters)

    def close(self) -> None:
        """Let go of the connection."""
        self._line.close()

    def _proceed(self, epoch_id: str, *, done: bool = False) -> bool:
        """Keep the lease on the rebuilding, or end it; False where another one took over."""
        return bool(self._line.call(PROCEED, (epoch_id, LEASE_MS, done)) == b"mine")

    def _push_balances(self, epoch_id: str, balances: list[Balance]) -> None:
        """Raise the workers' parts to their balances; the adjustments, which may fall, are set."""
        told: dict[str, list[Contribution]] = {}
        for worker, contribution in balances:
            told.setdefault(worker, []).append(contribution)
        adjusted = told.pop(ADJUSTMENTS, None)
        if told:
            self._push(epoch_id, told, at_least=True)
        if adjusted:
            self._push(epoch_id, {ADJUSTMENTS: adjusted})

    def _push(
        self,
        epoch_id: str,
        told: Mapping[str, list[Contribution]],
        *,
        guard: tuple[str, bool] | None = None,
        at_least: bool = False,
    ) -> bool:
        rows, parts, changes = encode_push(told)
        return bool(self._line.call(PUSH, (epoch_id, guard or False, at_least, rows, parts, changes)) == b"done")

    def _warn_of_eviction(self) -> None:
        memory = self._line.client.info("memory")
        policy = memory.get("maxmemory_policy", "noeviction")
        if memory.get("maxmemory") and policy != "noeviction":
            logger.error("Redis may drop counters to make room (maxmemory-policy %s): use noeviction", policy)

    def _remove_others(self, epoch_id: str) -> None:
        """Remove what is left of earlier epochs."""
        client = self._line.client
        current = (f"{self._prefix}{epoch_id}:".encode(), f"{self._prefix}epoch".encode())
        for found in _chunks(client.scan_iter(match=f"{self._prefix}*", count=1_000)):
            old = [key for key in found if not key.startswith(current)]
            if old:
                client.unlink(*old)


def read_sums_over(line: BlockingLine, counters: Iterable[tuple[str, Window]]) -> list[int] | None:
    """Return what each of some counters holds now, by Redis' clock; None where Redis can't be trusted."""
    answer = line.call(READ, (read_rows(counters, line.now_s()),))
    return None if answer is None else msgspec.msgpack.decode(answer, type=list[int])


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, PARTS_AT_ONCE)):
        yield chunk
