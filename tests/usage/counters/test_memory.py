"""Counters in the process: against a slow and obvious model, under a supply that never ends, and in bounded memory."""

import random
from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.usage.counters.conftest import BEGINNING_S, Change, FakeClock, correct
from usage.counters import memory
from usage.counters.base import ADJUSTMENTS, Check, Contribution, Verdict
from usage.counters.memory import MemoryCounters
from usage.windows import HELD, LIFETIME, Window

MINUTE = Window("sliding", 60.0)
DAY = Window("day", time_zone="America/New_York")
WINDOWS = {"minute": MINUTE, "hour": Window("sliding", 3600.0), "day": DAY, "life": LIFETIME, "held": HELD}
LIMIT = 100


class Model(RuleBasedStateMachine):
    """Every number ever added is kept with its slice; a sum looks at all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.counters = MemoryCounters("w1", clock=self.clock)
        self.added: dict[str, list[tuple[int, int]]] = {name: [] for name in WINDOWS}
        self.latest = dict.fromkeys(WINDOWS, 0)
        self.open: list[tuple[str, int, int]] = []
        self.loaded: dict[tuple[str, str, int], int] = {}
        self.kept: dict[tuple[str, ...], tuple[Check, ...]] = {}

    def ask(self, names: tuple[str, ...], amount: int, *, kept: bool) -> Verdict:
        """Reserve by checks made for the moment, or by those that are kept, with the amounts beside them."""
        checks = tuple([Check(name, WINDOWS[name], amount, LIMIT) for name in names])
        if not kept:
            return self.counters.reserve_now([*checks])
        return self.counters.reserve_now(self.kept.setdefault(names, checks), [amount] * len(names))

    def slice_of(self, name: str) -> int:
        self.latest[name] = max(self.latest[name], WINDOWS[name].slice_at(self.clock.now_s))
        return self.latest[name]

    def sum_of(self, name: str) -> int:
        oldest = self.slice_of(name) - WINDOWS[name].slices + 1
        return sum(amount for number, amount in self.added[name] if number >= oldest)

    @rule(names=st.sets(st.sampled_from(sorted(WINDOWS)), min_size=1), amount=st.integers(0, 60), kept=st.booleans())
    def reserve(self, names: set[str], amount: int, kept: bool) -> None:
        ordered = sorted(names)
        expected = [name for name in ordered if self.sum_of(name) + amount > LIMIT]
        verdict = self.ask(tuple(ordered), amount, kept=kept)
        assert verdict.slices == tuple(self.slice_of(name) for name in ordered)
        if expected:
            assert verdict.refused == ordered.index(expected[0])
        else:
            assert verdict.refused is None
            for name in ordered:
                self.added[name].append((self.slice_of(name), amount))
                self.open.append((name, self.slice_of(name), amount))
        assert verdict.used == tuple(self.sum_of(name) for name in ordered)

    @rule(data=st.data())
    def settle(self, data: Any) -> None:
        if not self.open:
            return
        name, number, amount = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        delta = data.draw(st.integers(-amount, 20))
        correct(self.counters, [Change(name, WINDOWS[name], number, delta)])
        self.added[name].append((number, delta))

    @rule(seconds=st.floats(0, 90) | st.floats(0, 100_000))
    def wait(self, seconds: float) -> None:
        self.clock.now_s += seconds

    @rule(seconds=st.floats(0, 100))
    def set_the_clock_back(self, seconds: float) -> None:
        for name, window in WINDOWS.items():  # what was seen stays seen, where something was counted in it
            self.counters.reserve_now([Check(name, window, 1, None)])
            self.added[name].append((self.slice_of(name), 1))
        self.clock.now_s -= seconds

    @rule(
        name=st.sampled_from(sorted(WINDOWS)), worker=st.sampled_from(["gone", ADJUSTMENTS]), amount=st.integers(-9, 30)
    )
    def load(self, name: str, worker: str, amount: int) -> None:
        number = self.slice_of(name)
        self.counters.load([Contribution(name, WINDOWS[name], number, amount)], source=worker)
        self.added[name].append((number, amount - self.loaded.get((name, worker, number), 0)))
        self.loaded[name, worker, number] = amount

    @invariant()
    def sums_agree(self) -> None:
        expected = [self.sum_of(name) for name in WINDOWS]
        assert self.counters.sums(WINDOWS.items()) == expected


Model.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestModel = Model.TestCase


@settings(max_examples=15, deadline=None)
@given(limit=st.integers(20, 300), span_s=st.sampled_from([1.0, 60.0, 86_400.0]), seed=st.integers(0, 2**32))
def test_an_endless_supply_gets_nearly_all_and_never_more(limit: int, span_s: float, seed: int) -> None:
    jitter = random.Random(seed)
    clock = FakeClock()
    counters = MemoryCounters("w1", clock=clock)
    window = Window("sliding", span_s)
    check = [Check("calls", window, 1, limit)]
    admitted: deque[float] = deque()
    total, windows = 0, 100
    while clock.now_s < BEGINNING_S + windows * span_s:
        clock.now_s += span_s / 500 * jitter.random()
        while counters.reserve_now(check).refused is None:
            total += 1
            admitted.append(clock.now_s)
            while admitted[0] <= clock.now_s - span_s:
                admitted.popleft()
            assert len(admitted) <= limit
    assert total >= 0.98 * limit * windows


def test_idle_counters_are_forgotten_little_by_little(clock: FakeClock) -> None:
    counters = MemoryCounters("w1", clock=clock)
    for number in range(5_000):
        clock.now_s += 1
        counters.reserve_now([Check(f"key{number}", MINUTE, 1, 10), Check(f"held{number}", HELD, 1, 10)])
        correct(counters, [Change(f"held{number}", HELD, 0, -1)])
    assert len(counters) < 1_000


def test_what_still_counts_is_never_forgotten(clock: FakeClock) -> None:
    counters = MemoryCounters("w1", clock=clock)
    counters.load([Contribution("even", LIFETIME, 0, 5)], source="gone")
    counters.load([Contribution("even", LIFETIME, 0, -5)], source="other")
    counters.reserve_now([Check("life", LIFETIME, 1, 10), Check("day", DAY, 1, 10), Check("held", HELD, 1, 10)])
    for number in range(1_000):
        counters.reserve_now([Check(f"key{number}", HELD, 0, 10)])
    looks = [Check("life", LIFETIME, 0, None), Check("day", DAY, 0, None), Check("held", HELD, 0, None)]
    assert counters.reserve_now(looks).used == (1, 1, 1)
    counters.load([Contribution("even", LIFETIME, 0, -1)], source="other")
    assert counters.sums([("even", LIFETIME)]) == [4]


def test_counters_asked_for_together_do_not_push_each_other_out(clock: FakeClock) -> None:
    counters = MemoryCounters("w1", clock=clock)
    names = [f"held{number}" for number in range(40)]
    for _ in range(3):
        counters.reserve_now([Check(name, HELD, 1, None) for name in names])
    assert set(counters.sums([(name, HELD) for name in names])) == {3}


def test_its_own_balance_is_not_loaded(clock: FakeClock) -> None:
    counters = MemoryCounters("w1", clock=clock)
    counters.load([Contribution("money", LIFETIME, 0, 5)], source="w1")
    counters.load([Contribution("money", LIFETIME, 0, 7)], source="w0")
    assert counters.sums([("money", LIFETIME), ("other", LIFETIME)]) == [7, 0]


def test_a_day_of_another_time_zone_goes_on_with_the_same_numbers(clock: FakeClock) -> None:
    counters = MemoryCounters("w1", clock=clock)
    counters.reserve_now([Check("money", Window("day", time_zone="UTC"), 5, 10)])
    assert counters.reserve_now([Check("money", Window("day", time_zone="Europe/Berlin"), 5, 10)]).used == (10,)


async def test_contributions_are_what_was_added(clock: FakeClock) -> None:
    counters = MemoryCounters("w1", clock=clock)
    checks = [
        Check("money", MINUTE, 5, None, tracked=True),
        Check("calls", MINUTE, 1, None),
        Check("day", DAY, 2, None),
    ]
    money, calls, day = (await counters.reserve(checks)).slices
    clock.now_s += 30
    later = (await counters.reserve(checks[:1])).slices[0]
    assert {(told.counter, told.slice, told.amount) for told in counters.contributions(tracked=True)} == {
        ("money", money, 5),
        ("money", later, 5),
        ("day", day, 2),
    }
    assert [(told.counter, told.slice, told.amount) for told in counters.contributions(tracked=False)] == [
        ("calls", calls, 1)
    ]
    await counters.aclose()


def test_kept_checks_find_the_counter_that_stands_after_an_idle_one_was_forgotten() -> None:
    clock = FakeClock()
    counters = MemoryCounters("w1", clock=clock)
    kept = (Check("calls", MINUTE, 1, 10),)
    counters.reserve_now(kept, [4])
    clock.now_s += 1_000
    for number in range(40):  # each lets the sweep look at others
        counters.reserve_now([Check(f"other{number}", HELD, 1, None)])
    verdict = counters.reserve_now(kept, [3])
    counters.settle(kept, verdict.slices, [-1])
    assert counters.reserve_now([Check("calls", MINUTE, 0, 10)]).used == (2,)


def test_kept_checks_turn_with_a_counter_that_follows_another_time_zone() -> None:
    clock = FakeClock()
    counters = MemoryCounters("w1", clock=clock)
    berlin = (Check("money", Window("day", time_zone="Europe/Berlin"), 1, 10),)
    utc = (Check("money", Window("day", time_zone="UTC"), 1, 10),)
    counters.reserve_now(utc, [5])
    assert counters.reserve_now(berlin, [2]).used == (7,)
    clock.now_s += 23.5 * 3600  # after midnight in Berlin, before it by UTC
    assert counters.reserve_now(berlin, [1]).used == (1,)
    assert counters.reserve_now(utc, [1]).used == (2,)


def test_only_so_many_kept_checks_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_RESOLVED_MAX", 2)
    counters = MemoryCounters("w1", clock=FakeClock())
    kept = [(Check(f"calls{number}", MINUTE, 1, 10),) for number in range(5)]
    for _ in range(2):
        for checks in kept:
            counters.reserve_now(checks, [1])
    assert [counters.reserve_now(checks, [1]).used for checks in kept] == [(3,)] * 5
