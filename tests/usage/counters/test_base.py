"""The contract of the counters, tried against every backend."""

import asyncio
import random

from tests.usage.counters.conftest import Backend, Change, correct
from usage.counters.base import Check
from usage.windows import HELD, LIFETIME, Window

MINUTE = Window("sliding", 60.0)
BRIEF = Window("sliding", 0.32)
DAY = Window("day", time_zone="Asia/Kolkata")


async def test_all_is_added_or_nothing(backend: Backend) -> None:
    counters = backend.counters
    fits = await counters.reserve([Check("a", MINUTE, 4, 10), Check("b", LIFETIME, 60, 100, strict=True)])
    refused = await counters.reserve([Check("a", MINUTE, 4, 10), Check("b", LIFETIME, 60, 100, strict=True)])
    after = await counters.reserve([Check("a", MINUTE, 6, 10), Check("b", LIFETIME, 40, 100, strict=True)])
    assert (fits.refused, fits.used) == (None, (4, 60))
    assert (refused.refused, refused.used) == (1, (4, 60))
    assert (after.refused, after.used) == (None, (10, 100))


async def test_the_first_that_does_not_fit_is_named(backend: Backend) -> None:
    verdict = await backend.counters.reserve([Check("a", HELD, 1, 1), Check("b", HELD, 1, 0), Check("c", HELD, 1, 0)])
    assert (verdict.refused, verdict.used) == (1, (0, 0, 0))


async def test_without_a_limit_everything_is_counted(backend: Backend) -> None:
    for total in (10**15, 2 * 10**15):
        verdict = await backend.counters.reserve([Check("a", DAY, 10**15, None)])
        assert (verdict.refused, verdict.used) == (None, (total,))


async def test_nothing_at_all_is_granted(backend: Backend) -> None:
    verdict = await backend.counters.reserve([])
    assert (verdict.refused, verdict.used, verdict.slices) == (None, (), ())


async def test_looking_adds_nothing(backend: Backend) -> None:
    counters = backend.counters
    check = Check("a", MINUTE, 4, 10)
    assert (await counters.peek([check])).used == (4,)
    assert (await counters.reserve([check])).used == (4,)
    assert (await counters.peek([check])).used == (8,)
    seen = await counters.peek([Check("a", MINUTE, 7, 10)])
    assert (seen.refused, seen.used) == (0, (4,))


async def test_settling_corrects_the_slice_that_was_reserved_in(backend: Backend) -> None:
    counters = backend.counters
    checks = [Check("a", MINUTE, 9, 10), Check("b", DAY, 90, 100), Check("c", HELD, 1, 1)]
    held = await counters.reserve(checks)
    assert (await counters.reserve(checks)).refused == 0
    numbers = held.slices
    correct(
        counters,
        [Change("a", MINUTE, numbers[0], -8), Change("b", DAY, numbers[1], 5), Change("c", HELD, numbers[2], -1)],
    )
    assert (await counters.peek([Check("a", MINUTE, 0, 0), Check("b", DAY, 0, 0)])).used == (1, 95)
    assert (await counters.reserve([Check("c", HELD, 1, 1)])).refused is None


async def test_a_correction_may_go_beyond_the_limit(backend: Backend) -> None:
    counters = backend.counters
    held = await counters.reserve([Check("a", LIFETIME, 9, 10)])
    correct(counters, [Change("a", LIFETIME, held.slices[0], 6)])
    verdict = await counters.reserve([Check("a", LIFETIME, 1, 10)])
    assert (verdict.refused, verdict.used, verdict.wait_s) == (0, (15,), None)


async def test_a_sliding_window_frees_what_it_has_left_behind(backend: Backend) -> None:
    counters = backend.counters
    assert (await counters.reserve([Check("a", BRIEF, 10, 10)])).refused is None
    refused = await counters.reserve([Check("a", BRIEF, 1, 10)])
    assert refused.refused == 0
    assert refused.wait_s is not None
    assert 0 < refused.wait_s <= BRIEF.span_s * 66 / 64
    await backend.wait(refused.wait_s + 0.002)
    assert (await counters.reserve([Check("a", BRIEF, 10, 10)])).used == (10,)


async def test_the_wait_is_until_enough_is_free(backend: Backend) -> None:
    counters = backend.counters
    await counters.reserve([Check("a", BRIEF, 3, 10)])
    await backend.wait(BRIEF.span_s / 2)
    await counters.reserve([Check("a", BRIEF, 7, 10)])
    small = (await counters.reserve([Check("a", BRIEF, 3, 10)])).wait_s
    large = (await counters.reserve([Check("a", BRIEF, 4, 10)])).wait_s
    assert small is not None
    assert large is not None
    assert large - small > BRIEF.span_s / 4
    assert (await counters.reserve([Check("a", BRIEF, 11, 10)])).wait_s is None


async def test_a_day_is_waited_for_until_its_end(backend: Backend) -> None:
    counters = backend.counters
    verdict = await counters.reserve([Check("a", DAY, 10, 10)])
    ends_at_s = DAY.ends_at(verdict.slices[0])
    refused = await counters.reserve([Check("a", DAY, 1, 10)])
    assert ends_at_s is not None
    assert refused.wait_s is not None
    assert abs(counters.now_s() + refused.wait_s - ends_at_s) < 1


async def test_what_the_window_left_behind_is_not_corrected(backend: Backend) -> None:
    counters = backend.counters
    held = await counters.reserve([Check("a", BRIEF, 5, 10), Check("b", DAY, 5, 10)])
    correct(counters, [Change("a", BRIEF, held.slices[0] - 65, 3), Change("b", DAY, held.slices[1] - 1, 3)])
    assert (await counters.peek([Check("a", BRIEF, 0, 10), Check("b", DAY, 0, 10)])).used == (5, 5)


async def test_slices_never_fall(backend: Backend) -> None:
    counters = backend.counters
    now = (await counters.reserve([Check("a", DAY, 5, 10)])).slices[0]
    correct(counters, [Change("a", DAY, now + 1, 2)])  # from somebody whose day has begun
    verdict = await counters.reserve([Check("a", DAY, 1, 10)])
    assert (verdict.used, verdict.slices) == ((3,), (now + 1,))


async def test_an_edited_window_counts_apart(backend: Backend) -> None:
    counters = backend.counters
    assert (await counters.reserve([Check("a", MINUTE, 10, 10)])).refused is None
    assert (await counters.reserve([Check("a", Window("sliding", 3600.0), 10, 10)])).refused is None
    assert (await counters.reserve([Check("a", DAY, 10, 10)])).refused is None
    assert (await counters.reserve([Check("a", MINUTE, 1, 10)])).refused == 0
    assert (await counters.reserve([Check("a", DAY, 1, 10)])).refused == 0


async def test_many_at_once_get_exactly_the_limit(backend: Backend) -> None:
    async def ask(number: int) -> bool:
        checks = [Check("all", MINUTE, 1, 37), Check(f"one{number % 3}", HELD, 1, 1000)]
        random.shuffle(checks)
        return (await backend.counters.reserve(checks)).refused is None

    granted = await asyncio.gather(*[ask(number) for number in range(200)])
    assert granted.count(True) == 37
    held = await backend.counters.peek([Check(f"one{number}", HELD, 0, None) for number in range(3)])
    assert sum(held.used) == 37


async def test_amounts_may_stand_beside_checks_that_are_kept(backend: Backend) -> None:
    counters = backend.counters
    kept = (Check("a", MINUTE, 1, 10), Check("b", LIFETIME, 1, 100, strict=True))
    held = await counters.reserve(kept, [4, 60])
    assert held.used == (4, 60)
    assert (await counters.reserve(kept, [6, 41])).refused == 1
    counters.settle(kept, held.slices, [0, -20])
    assert (await counters.reserve(kept, [6, 60])).used == (10, 100)
    assert (await counters.peek(kept)).refused == 0
