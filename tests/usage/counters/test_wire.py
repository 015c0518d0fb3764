"""What travels between a worker and Redis."""

import math
from itertools import count

import pytest

from tests.usage.counters.conftest import BEGINNING_S, FakeClock
from usage.counters.base import Contribution
from usage.counters.memory import MemoryCounters
from usage.counters.tally import Tally
from usage.counters.wire import Deltas, complete_parts, encode_push, read_rows
from usage.windows import LIFETIME, Window

DAY = Window("day")
MINUTE = Window("sliding", 60.0)


@pytest.fixture
def tallies() -> list[Tally]:
    mirror = MemoryCounters("w1", clock=FakeClock())
    return [mirror.tally_of("money", DAY), mirror.tally_of("calls", MINUTE)]


def told(deltas: Deltas) -> set[tuple[str, int, int]]:
    return {(tally.name, number, delta) for tally, number, delta in deltas}


def test_corrections_of_a_slice_are_summed(tallies: list[Tally]) -> None:
    deltas = Deltas()
    for delta in (5, -3):
        deltas.add(tallies[0], 7, delta)
    deltas.add(tallies[0], 8, 1)
    assert told(deltas) == {("money", 7, 2), ("money", 8, 1)}


def test_corrections_are_taken_in_parts_and_put_back(tallies: list[Tally]) -> None:
    deltas = Deltas()
    for number, tally in zip(count(), tallies * 3, strict=False):
        deltas.add(tally, number, 1)
    everything = told(deltas)
    some = deltas.take(4)
    assert (len(some), len(deltas)) == (4, 2)
    rest = deltas.take(4)
    assert (len(rest), len(deltas)) == (2, 0)
    deltas.put_back(rest)
    deltas.put_back(some)
    assert told(deltas) == everything


def test_tracked_corrections_can_be_dropped(tallies: list[Tally]) -> None:
    deltas = Deltas()
    for tally in tallies:
        deltas.add(tally, tally.latest, 1)
    deltas.drop_tracked()
    assert {name for name, _, _ in told(deltas)} == {"calls"}


def test_a_row_is_about_the_newest_slice_told() -> None:
    parts = [Contribution("a", DAY, 8, 1), Contribution("a", DAY, 9, 2), Contribution("b", MINUTE, 5, 3)]
    rows, workers, changes = encode_push({"w1": parts, "w2": parts[:1]}, [Contribution("b", MINUTE, 6, -1)])
    ends_at_s = DAY.ends_at(9)
    assert ends_at_s is not None
    assert rows == [("a/d", 0, 9, True, math.ceil(ends_at_s * 1000)), ("b/s60.0", 60.0, 0, True, 0)]
    assert workers == [["w1", (0, 8, 1), (0, 9, 2), (1, 5, 3)], ["w2", (0, 8, 1)]]
    assert changes == [(1, 6, -1)]


def test_what_redis_knows_beyond_the_parts_is_told_as_nothing() -> None:
    parts = [Contribution("a", LIFETIME, 0, 5)]
    assert complete_parts(parts, ["a/l@0", "b@c/s60.0@7", "a/d@0"]) == [
        *parts,
        Contribution("b@c", MINUTE, 7, 0),
        Contribution("a", DAY, 0, 0),
    ]


def test_rows_to_look_at_name_the_slice_of_the_moment() -> None:
    assert read_rows([("a", DAY), ("b", MINUTE)], BEGINNING_S) == [
        ("a/d", 0.0, DAY.slice_at(BEGINNING_S), False, 0),
        ("b/s60.0", 60.0, MINUTE.slice_at(BEGINNING_S), False, 0),
    ]
