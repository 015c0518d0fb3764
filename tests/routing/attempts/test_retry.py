"""Other targets at once, the same one after a wait, a final error never."""

import random

from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import UpstreamFailed, UpstreamRefused, UpstreamUnreachable
from routing.attempts.retry import RETRY_AFTER_MAX_S, Plan
from tests.builders import target

DOWN = UpstreamUnreachable("down")


def _plan(count: int, attempts: int) -> Plan:
    return Plan([target(f"p{n}") for n in range(count)], attempts, random.Random(1))


def _refused(
    status: int, *, retryable: bool = True, code: str = "c", retry_after_s: float | None = None
) -> UpstreamRefused:
    return UpstreamRefused("no", status=status, code=code, retryable=retryable, retry_after_s=retry_after_s)


def test_other_targets_come_first_and_at_once() -> None:
    plan = _plan(3, 5)
    plan.first_try("because")
    tries = [plan.next_try(DOWN) for _ in range(5)]
    assert [t.target.connection.slug if t else None for t in tries] == ["p1", "p2", "p0", "p1", None]
    assert [t.wait_s == 0 for t in tries if t] == [True, True, False, False]
    assert tries[0] is not None
    assert tries[0].because == "try 2 after upstream_unreachable"


def test_a_final_error_ends_it() -> None:
    plan = _plan(2, 5)
    plan.first_try("")
    assert plan.next_try(_refused(400, retryable=False)) is None


def test_the_same_target_is_given_the_time_it_asked_for() -> None:
    plan = _plan(1, 3)
    plan.first_try("")
    again = plan.next_try(_refused(429, retry_after_s=3.0))
    assert again is not None
    assert again.wait_s >= 3.0


def test_nobody_waits_longer_than_callers_would() -> None:
    plan = _plan(1, 3)
    plan.first_try("")
    assert plan.next_try(_refused(429, retry_after_s=RETRY_AFTER_MAX_S + 1)) is None


def test_a_resting_target_is_passed_over_for_one_that_is_not() -> None:
    plan = _plan(2, 4)
    plan.first_try("")
    plan.next_try(_refused(429, retry_after_s=600))
    third = plan.next_try(DOWN)
    assert third is not None
    assert third.target.connection.slug == "p1"


def test_a_refused_credential_is_not_tried_twice() -> None:
    plan = _plan(1, 3)
    plan.first_try("")
    assert plan.next_try(_refused(502, code="upstream_authentication_failed")) is None


@given(st.integers(1, 5), st.integers(1, 10), st.lists(st.floats(0, 100), max_size=30))
def test_there_are_never_more_tries_than_allowed(count: int, attempts: int, rests: list[float]) -> None:
    plan = _plan(count, attempts)
    plan.first_try("")
    made = 1
    for rest in rests:
        error: UpstreamFailed = _refused(503, retry_after_s=rest)
        following = plan.next_try(error)
        if following is None:
            break
        made += 1
        assert 0 <= following.wait_s <= RETRY_AFTER_MAX_S
    assert made <= attempts
