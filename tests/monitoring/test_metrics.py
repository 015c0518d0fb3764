"""Counting attempts and calls, in the units the names say."""

from typing import Any

from prometheus_client import REGISTRY

from gateway.call import Attempt, Call, Outcome
from monitoring.metrics import MetricsObserver
from providers.dialects.canonical import Usage
from tests.builders import call, route, snapshot, target


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def under_way(name: str, *, stream: bool = False) -> tuple[Call, Attempt]:
    made = call(snapshot(route((target(name, "m"),), name=name)), stream=stream)
    attempt = Attempt(number=1, target=made.route.groups[0][0], because="", started_ns=0, ended_ns=7_000_000)
    made.attempts.append(attempt)
    return made, attempt


def settled(name: str, *, stream: bool = False, **fields: Any) -> None:
    made, attempt = under_way(name, stream=stream)
    for field, setting in fields.items():
        setattr(attempt, field, setting)
    MetricsObserver().attempt_ended(made, attempt)


def test_a_success_is_counted_with_tokens_and_cost() -> None:
    settled("good", ending="completed", usage=Usage(input_tokens=5, output_tokens=3), cost_nanos=1_500_000_000)
    assert value("llm_requests_total", provider="good", model="m", route="good", success="true") == 1
    assert value("llm_tokens_total", provider="good", model="m", direction="input") == 5
    assert value("llm_tokens_total", provider="good", model="m", direction="output") == 3
    assert value("llm_cost_usd_total", provider="good", model="m", route="good") == 1.5
    assert value("llm_latency_ms_sum", provider="good", model="m") == 7.0
    assert value("llm_stream_tokens_total", provider="good", model="m") == 0


def test_a_caller_that_hangs_up_is_no_failure_of_the_provider() -> None:
    for ending in ("cancelled", "refused", "failed", "cut"):
        settled("mixed", ending=ending)
    assert value("llm_requests_total", provider="mixed", model="m", route="mixed", success="true") == 1
    assert value("llm_requests_total", provider="mixed", model="m", route="mixed", success="false") == 3


def test_a_stream_counts_its_tokens_and_first_byte() -> None:
    settled("flow", stream=True, ending="completed", usage=Usage(output_tokens=9), first_byte_ns=2_000_000)
    settled("flow", stream=True, ending="failed")
    assert value("llm_stream_tokens_total", provider="flow", model="m") == 9
    assert value("llm_first_byte_ms_sum", provider="flow", model="m") == 2.0
    assert value("llm_first_byte_ms_count", provider="flow", model="m") == 1


def test_an_unpriced_attempt_is_counted_as_such() -> None:
    settled("bare", ending="completed", cost_nanos=None)
    assert value("llm_unpriced_attempts_total", provider="bare", model="m", route="bare") == 1
    assert value("llm_cost_usd_total", provider="bare", model="m", route="bare") == 0


def test_calls_are_counted_by_what_the_client_saw_and_tries_beyond_the_first() -> None:
    made, attempt = under_way("calls")
    MetricsObserver().call_ended(Outcome(made, 200, None, 1))
    made.attempts += [attempt, attempt]
    MetricsObserver().call_ended(Outcome(made, 502, None, 1))
    assert value("llm_gateway_calls_total", route="calls", status="200") == 1
    assert value("llm_gateway_calls_total", route="calls", status="502") == 1
    assert value("llm_gateway_retries_total", route="calls") == 2
