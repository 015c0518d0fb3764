"""Which counters a worker gets: those in Redis where there is one, else its own."""

from typing import cast, get_args
from weakref import WeakSet

from usage.counters.alone import Away
from usage.counters.base import Counters
from usage.counters.memory import MemoryCounters
from usage.counters.redis import RedisCounters

TRUSTED_WITHIN_S = 5.0
_in_process: WeakSet[MemoryCounters] = WeakSet()


async def build_counters(
    *, redis_url: str, worker: str, away: str, workers: int = 1, wait_s: float = TRUSTED_WITHIN_S
) -> Counters:
    """Return the counters of one worker, running.

    In Redis they may have to be rebuilt first: that is waited for a moment, and goes on in the background. Raises
    ValueError where nobody knows such a policy for the time when Redis is away.
    """
    if away not in get_args(Away):
        raise ValueError(f"{away!r} doesn't say what to do while Redis is away: '', 'closed' or 'local'")
    if not redis_url:
        counters = MemoryCounters(worker)
        _in_process.add(counters)
        return counters
    shared = RedisCounters(redis_url, worker=worker, away=cast("Away", away), workers=workers)
    shared.start()
    await shared.wait_trusted(wait_s)
    return shared


def counters_here() -> MemoryCounters | None:
    """Return the in-process counters that this process has, for those who only read."""
    return next(iter(_in_process), None)
