"""What a worker decides without Redis."""

import pytest

from tests.usage.counters.conftest import FakeClock
from usage.counters.alone import Away, decide_alone
from usage.counters.base import Check, CountersAway
from usage.counters.memory import MemoryCounters
from usage.windows import LIFETIME, Window

MINUTE = Window("sliding", 60.0)
LOOSE = [Check("calls", MINUTE, 1, 10)]
STRICT = [*LOOSE, Check("money", LIFETIME, 1, 10, strict=True)]


@pytest.fixture
def mirror(clock: FakeClock) -> MemoryCounters:
    return MemoryCounters("w1", clock=clock)


@pytest.mark.parametrize(
    ("away", "checks", "decides"),
    [
        ("", LOOSE, True),
        ("", STRICT, False),
        ("closed", LOOSE, False),
        ("closed", [], False),
        ("local", STRICT, True),
    ],
)
def test_the_deployment_says_what_may_go_on(
    mirror: MemoryCounters, away: Away, checks: list[Check], decides: bool
) -> None:
    if decides:
        assert decide_alone(mirror, checks, away=away, workers=1, add=True)[0].refused is None
    else:
        with pytest.raises(CountersAway):
            decide_alone(mirror, checks, away=away, workers=1, add=True)


def granted(mirror: MemoryCounters, check: Check, workers: int) -> int:
    count = 0
    while decide_alone(mirror, [check], away="local", workers=workers, add=True)[0].refused is None:
        count += 1
    return count


def test_of_a_counter_never_heard_of_each_has_an_equal_share(mirror: MemoryCounters) -> None:
    assert granted(mirror, Check("calls", MINUTE, 1, 10), workers=4) == 2


def test_what_was_left_is_shared(mirror: MemoryCounters) -> None:
    tally = mirror.tally_of("money", LIFETIME)
    tally.add(0, 30)
    tally.seen_own, tally.seen_sum, tally.seen_slice = 30, 60, 0
    verdict, _ = decide_alone(mirror, [Check("money", LIFETIME, 1, 100)], away="local", workers=4, add=False)
    assert verdict.used == (92,)  # eight more of the nine that are this worker's: a quarter of 40, 2 left aside
    assert granted(mirror, Check("money", LIFETIME, 1, 100), workers=4) == 9


def test_a_window_that_has_passed_is_shared_anew(mirror: MemoryCounters, clock: FakeClock) -> None:
    tally = mirror.tally_of("calls", MINUTE)
    tally.seen_own, tally.seen_sum, tally.seen_slice = 0, 100, tally.latest
    assert granted(mirror, Check("calls", MINUTE, 1, 100), workers=4) == 0
    clock.now_s += 62
    assert granted(mirror, Check("calls", MINUTE, 1, 100), workers=4) == 25


def test_without_a_limit_everything_is_counted(mirror: MemoryCounters) -> None:
    verdict, _ = decide_alone(mirror, [Check("soft", LIFETIME, 7, None)], away="local", workers=4, add=True)
    assert verdict.used == (7,)
