"""What counters hold, for pages."""

import asyncio
import gc

from django.test import override_settings

from tests.usage.counters.servers import PrivateRedis
from usage.counters.base import Check
from usage.counters.build import build_counters
from usage.counters.readings import read_sums
from usage.counters.upkeep import CounterUpkeep
from usage.windows import LIFETIME, Window

ASKED = [("money", LIFETIME), ("calls", Window("sliding", 60.0))]
RESERVED = [Check("money", LIFETIME, 7, 10), Check("calls", Window("sliding", 60.0), 1, 10)]


@override_settings(REDIS_URL="")
async def test_the_counters_of_this_process_are_read() -> None:
    gc.collect()
    assert read_sums(ASKED) == [None, None]
    counters = await build_counters(redis_url="", worker="w1", away="")
    await counters.reserve(RESERVED)
    assert await asyncio.to_thread(read_sums, ASKED) == [7, 1]


async def test_redis_is_asked_where_it_can_be_trusted(own_server: PrivateRedis) -> None:
    upkeep = CounterUpkeep(own_server.url, grace_s=0)
    with override_settings(REDIS_URL=own_server.url):
        assert await asyncio.to_thread(read_sums, ASKED) == [None, None]
        await asyncio.to_thread(upkeep.rebuild_if_lost, list)
        counters = await build_counters(redis_url=own_server.url, worker="w1", away="")
        await counters.reserve(RESERVED)
        assert await asyncio.to_thread(read_sums, ASKED) == [7, 1]
        await counters.aclose()
        own_server.kill()
        assert await asyncio.to_thread(read_sums, ASKED) == [None, None]
    upkeep.close()
