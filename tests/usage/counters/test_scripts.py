"""What the scripts leave in Redis, and that no order of events makes them lose or double anything."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.services.availability import NotAvailable, skip_or_fail
from tests.usage.counters.conftest import Change, Workers, correct
from tests.usage.counters.servers import PrivateRedis
from usage.counters import redis as redis_counters
from usage.counters.base import Check, Contribution, Verdict
from usage.counters.redis import RedisCounters
from usage.windows import HELD, LIFETIME, Window

BRIEF = Window("sliding", 0.1)
WINDOWS = {
    "money": LIFETIME,
    "month": Window("month", time_zone="America/Sao_Paulo"),
    "rolling": Window("sliding", 30 * 86_400.0),
    "calls": Window("sliding", 86_400.0),
    "held": HELD,
}
TRACKED = [name for name in WINDOWS if name != "calls"]
LIMIT = 300


async def test_a_counter_holds_the_slices_of_its_window_and_their_sum(workers: Workers, server: PrivateRedis) -> None:
    counters = await workers.add("w1")
    held: dict[int, int] = {}
    for turn in range(60):
        verdict = await counters.reserve([Check("a", BRIEF, turn % 5, 40, tracked=True)])
        number = verdict.slices[0]
        if verdict.refused is None:
            correct(counters, [Change("a", BRIEF, number, -(turn % 2))])
            held[number] = held.get(number, 0) + turn % 5 - turn % 2
        await counters.reserve([Check("b", LIFETIME, 1, None)])
        await asyncio.sleep(0.004)
        for key in server.client.keys(f"{workers.prefix}*:c:a/*"):
            fields = {name.decode(): int(value) for name, value in server.client.hgetall(key).items()}
            slices = {int(name[1:]): value for name, value in fields.items() if name[0] == "t"}
            counted = range(fields["hi"] - 64, fields["hi"] + 1)
            assert {n: v for n, v in slices.items() if v} == {n: v for n, v in held.items() if v and n in counted}
            assert sum(slices.values()) == fields["sum"]
    assert len(held) > 10


async def test_everything_that_ends_expires(workers: Workers, server: PrivateRedis) -> None:
    counters = await workers.add("w1")
    day = Window("day")
    await counters.reserve(
        [Check("calls", BRIEF, 1, 9), Check("day", day, 1, 9), Check("rolling", BRIEF, 1, 9, tracked=True)]
    )
    found = [key for key in server.client.keys(f"{workers.prefix}*") if b":c:" in key or b":w:" in key]
    assert len(found) == 5
    ends_at_s = day.ends_at(day.slice_at(counters.now_s()))
    assert ends_at_s is not None
    for key in found:
        left_s = server.client.pttl(key) / 1000
        most_s = ends_at_s - counters.now_s() if b"day" in key else BRIEF.span_s * 2
        assert 0 < left_s <= most_s + 61


async def test_what_is_given_back_leaves_nothing(workers: Workers, server: PrivateRedis) -> None:
    counters = await workers.add("w1")
    await counters.reserve([Check("held", HELD, 1, 9)])
    assert [key for key in server.client.keys(f"{workers.prefix}*") if b"held" in key]
    correct(counters, [Change("held", HELD, 0, -1)])
    await counters.reserve([Check("other", LIFETIME, 1, 9)])
    assert [key for key in server.client.keys(f"{workers.prefix}*") if b"held" in key] == []


class Deployment(RuleBasedStateMachine):
    """Workers that reserve, settle, lose their connections and die, on a Redis that loses everything now and then."""

    server: PrivateRedis

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self.server.client.flushall()
        self.workers = Workers(self.server.url, "{machine}:", self.stack)
        self.living: dict[str, RedisCounters] = {}
        self.held: list[tuple[str, Verdict, int]] = []
        self.parts: dict[tuple[str, str], int] = {}  # worker, counter -> what it stands with, reservations included
        self.posted: dict[tuple[str, str], tuple[int, int]] = {}  # worker, counter -> slice, what the ledger has
        self.started = 0
        for _ in range(2):
            self.start()

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, 20))

    def pick(self, number: int) -> str:
        return sorted(self.living)[number % len(self.living)]

    def expected(self, name: str) -> int:
        return sum(part for (_, counter), part in self.parts.items() if counter == name)

    @rule()
    @precondition(lambda self: len(self.living) < 4)
    def start(self) -> None:
        self.started += 1
        worker = f"w{self.started}"
        self.living[worker] = self.run(self.workers.add(worker, away="closed"))

    @rule(who=st.integers(0, 9), amounts=st.lists(st.integers(1, 120), min_size=1, max_size=4))
    def reserve(self, who: int, amounts: list[int]) -> None:
        worker = self.pick(who)
        counters = self.living[worker]

        async def ask() -> list[Verdict]:
            assert await counters.wait_trusted(10)
            return await asyncio.gather(*[counters.reserve(checks_of(amount)) for amount in amounts])

        for amount, verdict in zip(amounts, self.run(ask()), strict=True):
            fits = all(self.expected(name) + amount <= LIMIT for name in WINDOWS)
            assert (verdict.refused is None) is fits
            if fits:
                self.held.append((worker, verdict, amount))
                for name in WINDOWS:
                    self.parts[worker, name] = self.parts.get((worker, name), 0) + amount

    @rule(which=st.integers(0, 99), share=st.integers(0, 100))
    @precondition(lambda self: self.held)
    def settle(self, which: int, share: int) -> None:
        worker, verdict, amount = self.held.pop(which % len(self.held))
        used = amount * share // 100
        changes = []
        for name, number in zip(WINDOWS, verdict.slices, strict=True):
            delta = -amount if name == "held" else used - amount
            changes.append(Change(name, WINDOWS[name], number, delta))
            self.parts[worker, name] += delta
            if name not in ("held", "calls"):
                self.posted[worker, name] = (number, self.posted.get((worker, name), (0, 0))[1] + used)
        correct(self.living[worker], changes)

    @rule()
    def break_connections(self) -> None:
        self.server.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    @rule(who=st.integers(0, 9))
    @precondition(lambda self: len(self.living) > 1)
    def kill(self, who: int) -> None:
        """A worker dies; what it had reserved is found in its journal as unused, and its posts have been shipped."""
        worker = self.pick(who)
        counters = self.living.pop(worker)
        assert counters._task is not None
        counters._task.cancel()
        self.run(asyncio.gather(counters._task, return_exceptions=True))
        self.held = [held for held in self.held if held[0] != worker]
        self.run(asyncio.to_thread(self.workers.upkeep.finish, worker, self.contributions_of(worker)))
        for name in TRACKED:
            self.parts[worker, name] = self.posted.get((worker, name), (0, 0))[1]

    @rule()
    def take_a_living_one_for_gone(self) -> None:
        worker = self.pick(0)
        self.run(asyncio.to_thread(self.workers.upkeep.finish, worker, self.contributions_of(worker)))

    @rule()
    def lose_everything(self) -> None:
        self.server.client.flushall()
        for worker, name in list(self.parts):
            if worker not in self.living and name == "calls":
                del self.parts[worker, name]
        balances = [
            (worker, told) for worker in {worker for worker, _ in self.posted} for told in self.contributions_of(worker)
        ]
        assert self.run(self.workers.rebuild(*balances, grace_s=4 * redis_counters.BEAT_S))

    @invariant()
    def sums_agree(self) -> None:
        async def read() -> list[int]:
            for counters in self.living.values():
                assert await counters.wait_trusted(10)
                await counters.peek(checks_of(0))
            sums = await asyncio.to_thread(self.workers.upkeep.read, list(WINDOWS.items()))
            assert sums is not None
            return sums

        assert self.run(read()) == [self.expected(name) for name in WINDOWS]

    def contributions_of(self, worker: str) -> list[Contribution]:
        return [
            Contribution(name, WINDOWS[name], number, nanos)
            for (owner, name), (number, nanos) in self.posted.items()
            if owner == worker
        ]

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.loop.close()


def checks_of(amount: int) -> list[Check]:
    return [Check(name, window, amount, LIMIT, tracked=name in TRACKED) for name, window in WINDOWS.items()]


def test_no_order_of_events_loses_or_doubles_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_counters, "BEAT_S", 0.03)
    monkeypatch.setattr(redis_counters, "POLL_S", 0.01)
    monkeypatch.setattr(redis_counters, "RETRY_S", 0.01)
    with TemporaryDirectory() as directory:
        try:
            Deployment.server = PrivateRedis(Path(directory))
        except NotAvailable as error:
            skip_or_fail(error)
        try:
            Deployment.TestCase.settings = settings(
                max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
            )
            Deployment.TestCase().runTest()
        finally:
            Deployment.server.kill()
