"""Counters in Redis, with real processes, and everything that can happen to Redis on the way."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import eventually
from tests.usage.counters.conftest import GRACE_S, Change, Workers, correct
from tests.usage.counters.servers import PrivateRedis
from usage.counters import redis as redis_counters
from usage.counters.base import Check, Contribution, CountersAway, Verdict
from usage.counters.redis import RedisCounters
from usage.counters.upkeep import CounterUpkeep
from usage.windows import HELD, LIFETIME, Window

MINUTE = Window("sliding", 60.0)
HOUR = Window("sliding", 3600.0)
MONTH = Window("month")
MONEY = [Check("money", LIFETIME, 10, 1000, strict=True)]
CALLS = [Check("calls", HOUR, 1, 1000)]


async def sums_of(workers: Workers, *counters: tuple[str, Window]) -> list[int]:
    sums = await asyncio.to_thread(workers.upkeep.read, counters)
    assert sums is not None
    return sums


async def reserve_once_trusted(counters: RedisCounters, checks: list[Check]) -> Verdict:
    assert await counters.wait_trusted(10)
    return await counters.reserve(checks)


def test_four_processes_share_a_limit_exactly(server: PrivateRedis, prefix: str) -> None:
    upkeep = CounterUpkeep(server.url, prefix=prefix, grace_s=0)
    upkeep.rebuild_if_lost(list)
    upkeep.close()
    script = Path(__file__).with_name("contender.py")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    running = [
        subprocess.Popen(
            [sys.executable, str(script), server.url, prefix, f"w{number}", "60", "100"],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for number in range(4)
    ]
    granted = [int(process.communicate(timeout=60)[0]) for process in running]
    assert sum(granted) == 100


async def test_calls_of_one_moment_travel_together(workers: Workers, server: PrivateRedis) -> None:
    counters = await workers.add("w1")
    before = server.client.info("commandstats")["cmdstat_evalsha"]["calls"]
    await asyncio.gather(*[counters.reserve(MONEY) for _ in range(50)])
    assert server.client.info("commandstats")["cmdstat_evalsha"]["calls"] - before < 10  # beats may fall in between


async def test_workers_see_each_others_money(workers: Workers) -> None:
    one, two = await workers.add("w1"), await workers.add("w2")
    assert (await one.reserve(MONEY)).used == (10,)
    assert (await two.reserve(MONEY)).used == (20,)
    correct(one, [Change("money", LIFETIME, 0, -7)])
    await eventually(lambda: not one._deltas and one._unsure is None)
    assert (await two.peek(MONEY)).used == (23,)


async def test_a_new_redis_is_trusted_once_it_was_built(workers: Workers) -> None:
    counters = await workers.add_unready("w1")
    assert not await counters.wait_trusted(0.3)
    with pytest.raises(CountersAway):
        await counters.reserve(MONEY)
    assert await workers.rebuild(("gone", Contribution("money", LIFETIME, 0, 500)))
    assert (await reserve_once_trusted(counters, MONEY)).used == (510,)
    assert not await workers.rebuild()


async def test_emptied_redis_is_rebuilt_from_the_living_and_the_ledger(
    own_workers: Workers, own_server: PrivateRedis
) -> None:
    workers = own_workers
    one, two = await workers.add("w1"), await workers.add("w2")
    await asyncio.to_thread(workers.upkeep.finish, "gone", [Contribution("money", LIFETIME, 0, 100)])
    held = await one.reserve(MONEY + CALLS + [Check("held", HELD, 1, 2)])
    await two.reserve(MONEY + CALLS)
    await two.reserve(MONEY)
    correct(two, [Change("money", LIFETIME, held.slices[0], -4)])
    await asyncio.sleep(0.05)
    own_server.client.flushall()
    balances = [
        ("gone", Contribution("money", LIFETIME, 0, 100)),
        ("w2", Contribution("money", LIFETIME, 0, 6)),  # of the living, a part may be in the ledger already
        ("adjustments", Contribution("money", LIFETIME, 0, -5)),
    ]
    assert await workers.rebuild(*balances, grace_s=redis_counters.BEAT_S + 3 * GRACE_S)
    await eventually(lambda: one.trusted and two.trusted)
    assert await sums_of(workers, ("money", LIFETIME), ("calls", HOUR), ("held", HELD)) == [121, 2, 1]
    assert (await reserve_once_trusted(one, MONEY)).used == (131,)


async def test_a_worker_that_comes_late_to_a_rebuild_still_counts(
    own_workers: Workers, own_server: PrivateRedis
) -> None:
    counters = await own_workers.add("w1")
    await counters.reserve(MONEY + CALLS)
    own_server.client.flushall()
    assert await own_workers.rebuild()
    assert (await counters.reserve(MONEY + CALLS)).used == (20, 2)


async def test_redis_that_came_back_with_old_numbers_is_not_trusted(
    own_workers: Workers, own_server: PrivateRedis
) -> None:
    counters = await own_workers.add("w1")
    await counters.reserve(MONEY)
    own_server.client.save()
    await counters.reserve(MONEY)
    own_server.kill()
    own_server.start()
    await eventually(lambda: not counters.trusted)
    assert not await counters.wait_trusted(0.4)
    assert await own_workers.rebuild(("gone", Contribution("money", LIFETIME, 0, 100)))
    assert (await reserve_once_trusted(counters, MONEY)).used == (130,)
    keys = own_server.client.keys("*")
    epochs = {key.split(b":")[1] for key in keys} - {b"epoch", b"rebuilding"}
    assert len(epochs) == 1


async def test_settling_goes_on_while_redis_is_away(own_workers: Workers, own_server: PrivateRedis) -> None:
    counters = await own_workers.add("w1")
    held = await counters.reserve(MONEY + CALLS)
    own_server.kill()
    await eventually(lambda: not counters.trusted)
    correct(counters, [Change("money", LIFETIME, 0, -3), Change("calls", HOUR, held.slices[1], 4)])
    own_server.start()
    await own_workers.rebuild(grace_s=GRACE_S)
    await eventually(lambda: counters.trusted)
    await counters.peek(CALLS)
    assert await sums_of(own_workers, ("money", LIFETIME), ("calls", HOUR)) == [7, 5]


async def test_what_arrives_late_changes_nothing(own_workers: Workers, own_server: PrivateRedis) -> None:
    counters = await own_workers.add("w1", away="closed")
    await counters.reserve(MONEY + CALLS)
    own_server.pause()
    waiting = [asyncio.ensure_future(counters.reserve(MONEY + CALLS)) for _ in range(5)]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(answer, CountersAway) for answer in answers)
    with pytest.raises(CountersAway):
        await counters.reserve(CALLS)
    correct(counters, [Change("money", LIFETIME, 0, -1)])
    own_server.resume()
    verdict = await reserve_once_trusted(counters, MONEY + CALLS)
    assert verdict.used[0] == 19
    await eventually(lambda: not counters._deltas and counters._unsure is None)
    assert await sums_of(own_workers, ("money", LIFETIME), ("calls", HOUR)) == [19, 2]


async def test_broken_connections_are_not_noticed(workers: Workers, server: PrivateRedis) -> None:
    one, two = await workers.add("w1"), await workers.add("w2")
    posted = [0, 0]
    stop = asyncio.Event()

    async def work(counters: RedisCounters, seed: int) -> None:
        choose = random.Random(seed)
        checks = [Check("m", MONTH, 100, None, strict=True), Check("t", HOUR, 100, None), Check("h", HELD, 1, None)]
        while not stop.is_set():
            verdict = await counters.reserve(checks)
            assert verdict.refused is None
            await asyncio.sleep(choose.random() / 100)
            real = choose.randrange(100)
            posted[0] += real
            posted[1] += 1
            correct(
                counters,
                [
                    Change("m", MONTH, verdict.slices[0], real - 100),
                    Change("t", HOUR, verdict.slices[1], real - 100),
                    Change("h", HELD, 0, -1),
                ],
            )

    working = [asyncio.ensure_future(work(counters, seed)) for seed, counters in enumerate([one, two] * 8)]
    client = server.client.client()  # one connection: the killing spares it
    for _ in range(40):
        await asyncio.sleep(0.02)
        await eventually(lambda: one.trusted and two.trusted)  # one that breaks while it is opened again is an outage
        await asyncio.to_thread(client.execute_command, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    stop.set()
    await asyncio.gather(*working)
    await eventually(lambda: all(not c._deltas and c._unsure is None for c in (one, two)))
    assert posted[1] > 100
    assert await sums_of(workers, ("m", MONTH), ("t", HOUR), ("h", HELD)) == [posted[0], posted[0], 0]


async def test_who_hangs_up_while_waiting_holds_nothing(workers: Workers) -> None:
    counters = await workers.add("w1")
    for turns in range(12):
        asking = [asyncio.ensure_future(counters.reserve(MONEY + CALLS)) for _ in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in asking:
            task.cancel()
        answers = await asyncio.gather(*asking, return_exceptions=True)
        for verdict in answers:
            if isinstance(verdict, Verdict):
                correct(counters, [Change("money", LIFETIME, 0, -10), Change("calls", HOUR, verdict.slices[1], -1)])
    await counters.peek(MONEY)
    await eventually(lambda: not counters._deltas and counters._unsure is None)
    assert await sums_of(workers, ("money", LIFETIME), ("calls", HOUR)) == [0, 0]


async def test_too_many_waiting_are_turned_away(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    counters = await workers.add("w1")
    monkeypatch.setattr(redis_counters, "QUEUED_MAX", 2)
    answers = await asyncio.gather(*[counters.reserve(MONEY) for _ in range(3)], return_exceptions=True)
    assert [isinstance(answer, CountersAway) for answer in answers] == [False, False, True]


async def test_closing_sends_what_is_queued(workers: Workers) -> None:
    counters = await workers.add("w1")
    await counters.reserve(MONEY)
    correct(counters, [Change("money", LIFETIME, 0, -2)])
    await counters.aclose()
    assert await sums_of(workers, ("money", LIFETIME)) == [8]


async def test_away_means_refusing_money_and_sharing_limits(own_workers: Workers, own_server: PrivateRedis) -> None:
    one, two = await own_workers.add("w1"), await own_workers.add("w2")
    await one.reserve([Check("calls", HOUR, 40, 100)])
    await two.reserve([Check("calls", HOUR, 20, 100)])
    await one.reserve([Check("calls", HOUR, 0, 100)])
    one._beat_due = True  # learn that there are two
    one._stirred.set()
    await eventually(lambda: one._workers == 2)
    own_server.kill()
    await eventually(lambda: not one.trusted)
    with pytest.raises(CountersAway):
        await one.reserve(MONEY)
    assert (await one.reserve([Check("calls", HOUR, 19, 100)])).used == (100,)  # of 40 less 2, and there are two
    refused = await one.reserve([Check("calls", HOUR, 1, 100)])
    assert (refused.refused, refused.used) == (0, (100,))
    assert (await one.reserve([Check("other", HOUR, 50, 100)])).refused is None
    assert (await one.reserve([Check("other", HOUR, 1, 100)])).refused == 0


async def test_local_goes_on_with_money_too_and_tells_it_later(own_workers: Workers, own_server: PrivateRedis) -> None:
    counters = await own_workers.add("w1", away="local")
    await counters.reserve(MONEY + CALLS)
    own_server.pause()
    assert (await counters.reserve(MONEY + CALLS)).refused is None
    assert (await counters.reserve(MONEY + CALLS)).refused is None
    own_server.resume()
    assert (await reserve_once_trusted(counters, MONEY + CALLS)).used[0] == 40
    await eventually(lambda: not counters._deltas and counters._unsure is None)
    assert await sums_of(own_workers, ("money", LIFETIME), ("calls", HOUR)) == [40, 4]


async def test_a_clock_of_redis_is_told(workers: Workers, server: PrivateRedis) -> None:
    counters = await workers.add("w1")
    seconds, micros = server.client.time()
    assert abs(counters.now_s() - (seconds + micros / 1e6)) < 0.5
