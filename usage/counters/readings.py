"""What counters hold at this moment, for pages and reports: from any thread, and without adding anything."""

import logging
from collections.abc import Iterable
from functools import lru_cache

from django.conf import settings

from usage.counters.build import counters_here
from usage.counters.line import FAILURES, BlockingLine
from usage.counters.upkeep import read_sums_over
from usage.windows import Window

logger = logging.getLogger(__name__)


def read_sums(counters: Iterable[tuple[str, Window]]) -> list[int | None]:
    """Return the sum of each counter's window, in the order asked, what is reserved included.

    None for each where nobody here knows: Redis is away or being rebuilt, or the counters are in another process.
    """
    counters = list(counters)
    sums = _read_redis(counters) if settings.REDIS_URL else _read_here(counters)
    return [None] * len(counters) if sums is None else [*sums]


def _read_here(counters: list[tuple[str, Window]]) -> list[int] | None:
    here = counters_here()
    return None if here is None else here.sums(counters)


def _read_redis(counters: list[tuple[str, Window]]) -> list[int] | None:
    try:
        return read_sums_over(_line_to(settings.REDIS_URL), counters)
    except FAILURES as error:
        logger.warning("the counters can't be read: %s", error)
        return None


@lru_cache(maxsize=4)
def _line_to(url: str) -> BlockingLine:
    return BlockingLine(url)
