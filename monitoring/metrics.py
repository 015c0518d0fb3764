"""Prometheus metrics of calls, under the names dashboards already use.

Labels are bounded: providers, routes and models are named as they are configured, wildcards with their `*`. Children
are looked up once and kept, because finding one by its labels costs more than counting.
"""

from functools import lru_cache

from prometheus_client import Counter, Histogram, disable_created_metrics

from gateway.call import Attempt, Call, Outcome
from kernel.money import NANOS_PER_USD

LATENCY_BUCKETS_MS = (5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000)
SERIES_KEPT = 4096

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for every counter; nobody reads them

REQUESTS = Counter("llm_requests_total", "Attempts at providers.", ["provider", "model", "route", "success"])
LATENCY = Histogram("llm_latency_ms", "Length of an attempt.", ["provider", "model"], buckets=LATENCY_BUCKETS_MS)
FIRST_BYTE = Histogram(
    "llm_first_byte_ms", "Time to the first byte of a stream.", ["provider", "model"], buckets=LATENCY_BUCKETS_MS
)
TOKENS = Counter("llm_tokens_total", "Tokens by direction.", ["provider", "model", "direction"])
STREAM_TOKENS = Counter("llm_stream_tokens_total", "Tokens generated on streams.", ["provider", "model"])
COST = Counter("llm_cost_usd_total", "Cost.", ["provider", "model", "route"])
UNPRICED = Counter("llm_unpriced_attempts_total", "Attempts without a price.", ["provider", "model", "route"])
CALLS = Counter("llm_gateway_calls_total", "Calls by the status the client saw.", ["route", "status"])
ATTEMPTS_A_CALL = Counter("llm_gateway_retries_total", "Attempts beyond the first.", ["route"])


class _Series:
    """Every child one target's attempts count into."""

    __slots__ = ("cost", "first_byte", "input", "latency", "output", "requests", "stream", "unpriced")

    def __init__(self, provider: str, model: str, route: str) -> None:
        self.requests = {
            True: REQUESTS.labels(provider, model, route, "true"),
            False: REQUESTS.labels(provider, model, route, "false"),
        }
        self.latency = LATENCY.labels(provider, model)
        self.first_byte = FIRST_BYTE.labels(provider, model)
        self.input = TOKENS.labels(provider, model, "input")
        self.output = TOKENS.labels(provider, model, "output")
        self.stream = STREAM_TOKENS.labels(provider, model)
        self.cost = COST.labels(provider, model, route)
        self.unpriced = UNPRICED.labels(provider, model, route)


_series = lru_cache(maxsize=SERIES_KEPT)(_Series)
_calls = lru_cache(maxsize=SERIES_KEPT)(CALLS.labels)


class MetricsObserver:
    """Counts attempts and calls."""

    def attempt_ended(self, call: Call, attempt: Attempt) -> None:
        """Count one attempt."""
        series = _series(attempt.target.connection.slug, attempt.target.configured_model, call.route.configured_name)
        series.requests[attempt.ending in ("completed", "cancelled")].inc()
        series.latency.observe((attempt.ended_ns - attempt.started_ns) / 1e6)
        usage = attempt.usage
        if usage.input_tokens:
            series.input.inc(usage.input_tokens)
        if usage.output_tokens:
            series.output.inc(usage.output_tokens)
        if call.head.stream:
            series.stream.inc(usage.output_tokens)
            if attempt.first_byte_ns is not None:
                series.first_byte.observe((attempt.first_byte_ns - attempt.started_ns) / 1e6)
        if attempt.cost_nanos is None:
            series.unpriced.inc()
        elif attempt.cost_nanos:
            series.cost.inc(attempt.cost_nanos / NANOS_PER_USD)

    def call_ended(self, outcome: Outcome) -> None:
        """Count one call."""
        _calls(outcome.call.route.configured_name, str(outcome.status)).inc()
        if len(outcome.call.attempts) > 1:
            ATTEMPTS_A_CALL.labels(outcome.call.route.configured_name).inc(len(outcome.call.attempts) - 1)
