"""The housekeeper's hold on the counters."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from tests.services.waiting import eventually
from tests.usage.counters.conftest import Change, Workers, correct
from tests.usage.counters.servers import PrivateRedis
from usage.counters.base import ADJUSTMENTS, Check, Contribution
from usage.counters.upkeep import CounterUpkeep
from usage.windows import HELD, LIFETIME, Window

ROLLING = Window("sliding", 86_400.0)
MONEY = [Check("money", LIFETIME, 100, 1000, strict=True), Check("rolling", ROLLING, 100, 1000, tracked=True)]
CALLS = [Check("calls", ROLLING, 1, 1000), Check("held", HELD, 1, 10)]
ALL = [("money", LIFETIME), ("rolling", ROLLING), ("calls", ROLLING), ("held", HELD)]


def read(workers: Workers) -> list[int]:
    sums = workers.upkeep.read(ALL)
    assert sums is not None
    return sums


async def test_a_gone_worker_is_set_to_what_it_posted(workers: Workers) -> None:
    one, two = await workers.add("w1"), await workers.add("w2")
    number = (await one.reserve(MONEY + CALLS)).slices[1]
    await two.reserve(MONEY + CALLS)
    await one.aclose()
    posted = [Contribution("money", LIFETIME, 0, 30), Contribution("rolling", ROLLING, number, 40)]
    for _ in range(2):
        await asyncio.to_thread(workers.upkeep.finish, "w1", posted)
        assert await asyncio.to_thread(read, workers) == [130, 140, 2, 1]


async def test_what_is_shipped_later_is_told_again(workers: Workers) -> None:
    await workers.rebuild()
    for nanos in (30, 35):
        await asyncio.to_thread(workers.upkeep.finish, "gone", [Contribution("money", LIFETIME, 0, nanos)])
        assert (await asyncio.to_thread(read, workers))[0] == nanos


async def test_before_the_counters_are_built_nobody_needs_to_be_finished(workers: Workers) -> None:
    def attempt() -> None:
        workers.upkeep.finish("gone", [Contribution("money", LIFETIME, 0, 30)])
        workers.upkeep.adjust([Contribution("money", LIFETIME, 0, 30)])
        assert workers.upkeep.expire_lost(older_than_s=0, contributions_of=lambda worker: []) == []
        assert workers.upkeep.read(ALL) is None

    await asyncio.to_thread(attempt)


async def test_adjustments_are_set_and_may_fall_below_nothing(workers: Workers) -> None:
    counters = await workers.add("w1")
    await counters.reserve(MONEY)
    for nanos in (50, -120, -120):
        await asyncio.to_thread(workers.upkeep.adjust, [Contribution("money", LIFETIME, 0, nanos)])
        assert (await asyncio.to_thread(read, workers))[0] == 100 + nanos


async def test_a_worker_that_is_not_heard_expires(workers: Workers) -> None:
    counters = await workers.add("w1")
    await counters.reserve(MONEY + CALLS)
    await counters.aclose()

    def expire(older_than_s: float) -> list[str]:
        return workers.upkeep.expire_lost(
            older_than_s=older_than_s, contributions_of=lambda worker: [Contribution("money", LIFETIME, 0, 60)]
        )

    assert await asyncio.to_thread(expire, 60) == []
    assert await asyncio.to_thread(expire, 0) == ["w1"]
    assert await asyncio.to_thread(read, workers) == [60, 0, 1, 0]
    assert await asyncio.to_thread(expire, 0) == []


async def test_a_living_worker_that_was_taken_for_gone_comes_back(workers: Workers) -> None:
    counters = await workers.add("w1")
    held = await counters.reserve(MONEY + CALLS)
    await asyncio.to_thread(workers.upkeep.finish, "w1", [])
    assert await asyncio.to_thread(read, workers) == [0, 0, 1, 0]
    assert (await counters.reserve(MONEY)).used == (200, 200)
    correct(counters, [Change("money", LIFETIME, 0, -1), Change("held", HELD, 0, -1)])
    await counters.reserve([Check("calls", ROLLING, 0, None)])
    assert await asyncio.to_thread(read, workers) == [199, 200, 1, 0]
    assert held.refused is None


async def test_only_one_housekeeper_rebuilds(workers: Workers) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow() -> list[tuple[str, Contribution]]:
        entered.set()
        leave.wait(10)
        return [("gone", Contribution("money", LIFETIME, 0, 30))]

    first = asyncio.create_task(asyncio.to_thread(workers.upkeep.rebuild_if_lost, slow))
    await asyncio.to_thread(entered.wait, 10)
    assert not await workers.rebuild(("gone", Contribution("money", LIFETIME, 0, 99)))
    leave.set()
    assert await first
    assert (await asyncio.to_thread(read, workers))[0] == 30


async def test_a_rebuild_that_was_left_undone_is_taken_over(workers: Workers, server: PrivateRedis) -> None:
    def abandon() -> None:
        def die() -> list[tuple[str, Contribution]]:
            server.client.delete(f"{workers.prefix}rebuilding")  # as if its lease had run out
            other = CounterUpkeep(workers.url, prefix=workers.prefix, grace_s=0)
            assert other.rebuild_if_lost(lambda: [("gone", Contribution("money", LIFETIME, 0, 70))])
            other.close()
            return [("gone", Contribution("money", LIFETIME, 0, 30))]

        assert not workers.upkeep.rebuild_if_lost(die)

    await asyncio.to_thread(abandon)
    assert (await asyncio.to_thread(read, workers))[0] == 70
    left = {key for key in server.client.keys(f"{workers.prefix}*") if b":c:" in key}
    assert len(left) == 1


async def test_only_slices_that_count_are_taken_over(workers: Workers) -> None:
    day = Window("day", time_zone="Pacific/Auckland")
    now = day.slice_at(workers.upkeep._line.now_s())
    balances = [("gone", Contribution("spent", day, now - age, 10 + age)) for age in (1, 0, 2)]
    await workers.rebuild(*balances, ("other", Contribution("old", day, now - 1, 5)))
    assert await asyncio.to_thread(workers.upkeep.read, [("spent", day), ("old", day)]) == [10, 0]
    counters = await workers.add("w1")
    checks = [Check("spent", day, 1, None), Check("old", day, 1, None)]
    assert (await counters.reserve(checks)).used == (11, 1)


async def test_many_balances_travel_in_parts(workers: Workers) -> None:
    balances = [(f"gone{number % 7}", Contribution(f"b{number % 1100}", LIFETIME, 0, number)) for number in range(1200)]
    unique = {(worker, told.counter): (worker, told) for worker, told in balances}
    await workers.rebuild(*unique.values())
    sums = await asyncio.to_thread(workers.upkeep.read, [(f"b{number}", LIFETIME) for number in range(1100)])
    assert sums is not None
    assert sum(sums) == sum(told.amount for _, told in unique.values())


async def test_a_redis_that_drops_keys_is_complained_about(
    own_workers: Workers, own_server: PrivateRedis, caplog: pytest.LogCaptureFixture
) -> None:
    own_server.client.config_set("maxmemory", "50mb")
    await own_workers.rebuild()
    assert "maxmemory-policy" not in caplog.text
    own_server.client.config_set("maxmemory-policy", "allkeys-lru")
    own_server.client.flushall()
    await own_workers.rebuild()
    assert "maxmemory-policy allkeys-lru" in caplog.text


async def test_a_living_workers_own_number_is_not_lowered_by_its_balance(
    own_workers: Workers, own_server: PrivateRedis
) -> None:
    counters = await own_workers.add("w1")
    await counters.reserve(MONEY)
    own_server.client.flushall()

    def balances() -> list[tuple[str, Contribution]]:
        eventually(lambda: own_server.client.keys("*:w:money/l@0"))
        return [("w1", Contribution("money", LIFETIME, 0, 30)), (ADJUSTMENTS, Contribution("money", LIFETIME, 0, -9))]

    assert await asyncio.to_thread(own_workers.upkeep.rebuild_if_lost, balances)
    assert (await asyncio.to_thread(read, own_workers))[:2] == [91, 100]


async def test_a_worker_that_comes_back_while_it_is_finished_keeps_its_numbers(workers: Workers) -> None:
    counters = await workers.add("w1")
    await counters.reserve(MONEY)
    loop = asyncio.get_running_loop()

    def posted() -> Iterator[Contribution]:
        asyncio.run_coroutine_threadsafe(counters.reserve(MONEY), loop).result(10)
        yield Contribution("money", LIFETIME, 0, 30)

    await asyncio.to_thread(workers.upkeep.finish, "w1", posted())
    assert (await asyncio.to_thread(read, workers))[:2] == [200, 200]
