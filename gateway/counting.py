"""The counters of a worker: opened with what other workers have spent, kept up with what operators correct.

In Redis the housekeeper sees to both. Counters in the process start empty, so the ledger has to be complete before it
is read: what a predecessor left in its journals is shipped first.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from django.conf import settings

from kernel import clock
from usage.counters.base import Contribution, Counters
from usage.counters.build import build_counters
from usage.counters.memory import MemoryCounters
from usage.ledger.balances import contributions_of, current_contributions
from usage.ledger.shipper import Shipper

T = TypeVar("T")


class InDatabase(Protocol):
    """Runs a synchronous look at the database on a thread made for it."""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Return what the work returns."""


async def open_counters(*, worker: str, in_database: InDatabase) -> Counters:
    """Return the counters of one worker, ready to be trusted. Raises django.db.Error while the ledger can't be read."""
    counters = await build_counters(redis_url=settings.REDIS_URL, worker=worker, away=settings.GATEWAY_COUNTERS_AWAY)
    if isinstance(counters, MemoryCounters):
        await in_database(_ship_what_was_left)
    await take_news(counters, in_database=in_database)
    return counters


async def take_news(counters: Counters, *, in_database: InDatabase) -> None:
    """Bring what others have posted or corrected meanwhile into counters of this process.

    Those in Redis hear of it from the housekeeper.
    """
    if isinstance(counters, MemoryCounters):
        for source, spent in await in_database(_read_spent):
            counters.load([spent], source=source)


def tell_finished(counters: Counters, loop: asyncio.AbstractEventLoop) -> Callable[[str], None]:
    """Return what a shipper in this process calls when a worker is gone: counters of the process then hear of it."""

    def tell(worker: str) -> None:
        if isinstance(counters, MemoryCounters):
            spent = contributions_of(worker, clock.now().timestamp())
            loop.call_soon_threadsafe(partial(counters.load, spent, source=worker))

    return tell


def _ship_what_was_left() -> None:
    Shipper(settings.GATEWAY_JOURNAL_DIR).ship_once()


def _read_spent() -> list[tuple[str, Contribution]]:
    return list(current_contributions(clock.now().timestamp()))
