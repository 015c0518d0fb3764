"""One counter in memory."""

import pytest

from tests.usage.counters.conftest import BEGINNING_S
from usage.counters.tally import Tally, key_of, window_of
from usage.windows import HELD, LIFETIME, Window

MINUTE = Window("sliding", 60.0)
SLICE_S = 60 / 64


def tally(window: Window) -> Tally:
    return Tally("name", window, tracked=False, now_s=BEGINNING_S)


@pytest.mark.parametrize("window", [MINUTE, Window("day"), Window("week"), Window("month"), LIFETIME, HELD])
def test_a_key_tells_its_window(window: Window) -> None:
    assert window_of(key_of("route/with@signs", window)) == window


def test_keys_of_edited_windows_differ() -> None:
    spans = [Window("sliding", span_s) for span_s in (60.0, 60.5, 2_592_000.0)]
    assert len({key_of("a", window) for window in spans}) == 3


def test_the_wait_ends_when_enough_slices_have_gone() -> None:
    counted = tally(MINUTE)
    counted.add(counted.latest, 3)
    counted.add(counted.latest + 10, 7)
    first = counted.wait_s(3, 10, BEGINNING_S)
    second = counted.wait_s(4, 10, BEGINNING_S)
    assert first is not None
    assert second is not None
    assert second - first == pytest.approx(10 * SLICE_S)
    assert counted.wait_s(11, 10, BEGINNING_S) is None


def test_readers_see_what_has_gone_without_a_turn() -> None:
    counted = tally(MINUTE)
    counted.add(counted.latest, 3)
    assert counted.sum_at(BEGINNING_S + 59) == 3
    assert counted.sum_at(BEGINNING_S + 62) == 0
    assert counted.sum == 3


def test_a_day_is_idle_after_its_end_and_a_lifetime_never() -> None:
    day, life, held = tally(Window("day")), tally(LIFETIME), tally(HELD)
    for counted in (day, life, held):
        counted.add(counted.latest, 1)
    held.add(0, -1)
    in_a_month = BEGINNING_S + 31 * 86_400
    assert [counted.is_idle(BEGINNING_S) for counted in (day, life, held)] == [False, False, True]
    assert [counted.is_idle(in_a_month) for counted in (day, life)] == [True, False]


def test_parts_are_told_oldest_first() -> None:
    counted, lifetime = tally(MINUTE), tally(LIFETIME)
    now = counted.latest
    for number in (now, now - 3, now - 1):
        counted.add(number, 1)
    assert [number for number, _ in counted.parts()] == [now - 3, now - 1, now]
    assert list(lifetime.parts()) == []


@pytest.mark.parametrize("window", [MINUTE, LIFETIME])
def test_a_total_is_reached_by_what_the_newest_slice_gets(window: Window) -> None:
    counted = tally(window)
    counted.add(counted.latest, 3)
    counted.sum = 10
    assert (counted.sum, list(counted.parts())) == (10, [(counted.latest, 10)])
