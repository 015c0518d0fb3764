"""A call adds its attempts up; an attempt becomes one record."""

import pytest

from gateway.call import Attempt
from providers.dialects.canonical import Usage
from tests.builders import call, caller, target


def attempt(number: int = 1, **fields: object) -> Attempt:
    return Attempt(number=number, target=target("p", "m"), because="why", **fields)  # type: ignore[arg-type]


def test_the_cost_is_the_sum_and_unknown_where_a_part_is() -> None:
    made = call()
    assert made.cost_nanos == 0
    made.attempts += [attempt(cost_nanos=2), attempt(cost_nanos=3)]
    assert made.cost_nanos == 5
    made.attempts.append(attempt(cost_nanos=None))
    assert made.cost_nanos is None


def test_the_record_says_what_happened() -> None:
    tried = attempt(2, started_ns=1_000_000, first_byte_ns=3_000_000, ended_ns=9_000_000, ending="cut", status=200)
    tried.usage = Usage(input_tokens=4, output_tokens=2)
    tried.cost_nanos, tried.price_id, tried.error_code, tried.finish_reason = 11, 5, "upstream_cut", "stop"
    record = tried.record(call(caller=caller(key_id=3, tenant_id=4, user_id=5), stream=True))
    assert (record.request_id, record.tenant_id, record.key_id, record.user_id) == ("req_test", 4, 3, 5)
    assert (record.operation, record.route, record.target, record.provider, record.model) == (
        "chat",
        "m",
        "p/m",
        "p",
        "m",
    )
    assert (record.attempt_number, record.chosen_because, record.streamed) == (2, "why", True)
    assert (record.ending, record.status, record.error_code, record.finish_reason) == (
        "cut",
        200,
        "upstream_cut",
        "stop",
    )
    assert (record.usage, record.cost_nanos, record.price_id) == (tried.usage, 11, 5)
    assert (record.latency_us, record.first_byte_us) == (8_000, 2_000)
    assert record.attempt_id == tried.attempt_id


def test_an_attempt_that_has_not_ended_has_no_record() -> None:
    with pytest.raises(AssertionError):
        attempt().record(call())


def test_attempts_have_names_of_their_own() -> None:
    assert len({attempt().attempt_id for _ in range(100)}) == 100
