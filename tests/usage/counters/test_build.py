"""Which counters a worker gets."""

import asyncio
import gc

import pytest

from tests.usage.counters.servers import PrivateRedis
from usage.counters.base import Check
from usage.counters.build import build_counters, counters_here
from usage.counters.memory import MemoryCounters
from usage.counters.redis import RedisCounters
from usage.counters.upkeep import CounterUpkeep
from usage.windows import LIFETIME


async def test_without_redis_they_are_in_the_process() -> None:
    counters = await build_counters(redis_url="", worker="w1", away="")
    assert isinstance(counters, MemoryCounters)
    assert counters_here() is not None
    await counters.aclose()
    del counters
    gc.collect()
    assert counters_here() is None


async def test_with_redis_they_are_there_once_they_are_rebuilt(own_server: PrivateRedis) -> None:
    upkeep = CounterUpkeep(own_server.url, grace_s=0)
    await asyncio.to_thread(upkeep.rebuild_if_lost, list)
    upkeep.close()
    counters = await build_counters(redis_url=own_server.url, worker="w1", away="closed")
    assert isinstance(counters, RedisCounters)
    assert (await counters.reserve([Check("a", LIFETIME, 1, 1)])).refused is None
    await counters.aclose()


async def test_a_policy_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="'open' doesn't say"):
        await build_counters(redis_url="", worker="w1", away="open")
