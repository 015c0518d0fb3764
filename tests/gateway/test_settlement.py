"""What an attempt cost is said once, by the usage that was reported or marked as estimated."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway import settlement
from gateway.call import Attempt, Call
from gateway.plane import DataPlane
from kernel.errors import (
    GatewayError,
    UpstreamBroken,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from providers.dialects import doors
from providers.dialects.canonical import Head, Usage
from providers.dialects.codec import Facts
from providers.dialects.openai_chat.stream import StreamReader
from providers.prices import Price, PriceBook, Rates
from tests.builders import Recorder, call, caller, route, said, snapshot, target
from tests.scripted import spoken, usage_event
from usage.admission import Grant
from usage.policy import NO_RULES
from usage.records import AttemptRecord

MakePlane = Callable[..., DataPlane]
ESTIMATED = Usage(input_tokens=100, estimated=True)  # the prompt of `call()` has 400 bytes
REFUSED = UpstreamRefused("no", status=429, code="slow_down", retryable=True)


def attempt(**fields: Any) -> Attempt:
    """Return an attempt that was begun."""
    return Attempt(number=1, target=target("a", "m"), because="test", **fields)


def under_way() -> Call:
    """Return a call with one attempt that has not ended."""
    return call(attempts=[attempt()])


def test_a_whole_answer_costs_its_usage(make_plane: MakePlane, recorder: Recorder) -> None:
    settlement.settle_whole(make_plane(), call(), attempt(), Facts(Usage(input_tokens=2, output_tokens=1), "stop"))
    [record] = recorder.attempts
    assert (record.ending, record.cost_nanos, record.finish_reason, record.status) == ("completed", 4_000, "stop", 200)
    assert not record.usage.estimated


def test_a_stream_costs_what_its_reader_heard(make_plane: MakePlane, recorder: Recorder) -> None:
    reader = StreamReader(wants_usage=False, cost_of=lambda usage: None)
    for piece in spoken("hello", usage={"prompt_tokens": 2, "completion_tokens": 1}):
        reader.feed(piece)
    settlement.settle_stream(make_plane(), call(), attempt(), reader, "completed")
    assert (recorder.attempts[0].cost_nanos, recorder.attempts[0].finish_reason) == (4_000, "stop")


def test_a_stream_that_broke_off_costs_what_has_passed_not_what_was_reported_at_its_start(
    make_plane: MakePlane, recorder: Recorder
) -> None:
    reader = doors.MESSAGES.through.reader(Head("m", stream=True), lambda usage: None)  # type: ignore[union-attr]
    for event in (
        {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 9, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x" * 400}},
    ):
        reader.feed(b"event: %b\ndata: %b\n\n" % (event["type"].encode(), msgspec.json.encode(event)))  # type: ignore[attr-defined]
    settlement.settle_stream(make_plane(), call(), attempt(), reader, "cancelled")
    usage = recorder.attempts[0].usage
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (9, 100, True)


def test_an_estimate_never_exceeds_what_was_reserved(make_plane: MakePlane, recorder: Recorder) -> None:
    grant = Grant(NO_RULES.plan(streamed=True), reserved_nanos=700)
    made = call(said=said(stream=True, max_output_tokens=20), grant=grant)
    lost = settlement.record_if_lost(make_plane(), made, attempt(), output_bytes=4_000)
    assert lost.usage.output_tokens == 20
    reader = doors.MESSAGES.through.reader(Head("m", stream=True), lambda usage: None)  # type: ignore[union-attr]
    for event in (
        {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 9, "output_tokens": 1}}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x" * 4_000}},
    ):
        reader.feed(b"event: %b\ndata: %b\n\n" % (event["type"].encode(), msgspec.json.encode(event)))  # type: ignore[attr-defined]
    settlement.settle_stream(make_plane(), made, attempt(), reader, "cut")
    assert recorder.attempts[0].usage.output_tokens == 20


def test_usage_that_counts_nothing_is_estimated(make_plane: MakePlane, recorder: Recorder) -> None:
    reader = StreamReader(wants_usage=False, cost_of=lambda usage: None)
    reader.feed(usage_event({}))
    settlement.settle_stream(make_plane(), call(), attempt(), reader, "cut")
    assert recorder.attempts[0].usage == ESTIMATED


@pytest.mark.parametrize(
    ("error", "ending", "status", "usage", "cost_nanos"),
    [
        (REFUSED, "refused", 429, Usage(), 0),
        (UpstreamUnreachable("down"), "failed", None, Usage(), 0),
        (UpstreamTimeout("slow"), "failed", None, ESTIMATED, 100_000),
        (UpstreamBroken("cut"), "failed", None, ESTIMATED, 100_000),
    ],
)
def test_a_failure_costs_what_the_provider_may_have_read(  # noqa: PLR0917 - one a parameter
    make_plane: MakePlane,
    recorder: Recorder,
    error: GatewayError,
    ending: str,
    status: int | None,
    usage: Usage,
    cost_nanos: int,
) -> None:
    settlement.settle_fault(make_plane(), under_way(), error)
    [record] = recorder.attempts
    assert (record.ending, record.status, record.usage) == (ending, status, usage)
    assert (record.cost_nanos, record.error_code) == (cost_nanos, error.code)


def test_hanging_up_costs_the_prompt(make_plane: MakePlane, recorder: Recorder) -> None:
    settlement.settle_cancelled(make_plane(), under_way())
    [record] = recorder.attempts
    assert (record.ending, record.usage, record.cost_nanos) == ("cancelled", ESTIMATED, 100_000)


def test_settling_twice_is_a_fault(make_plane: MakePlane, recorder: Recorder) -> None:
    plane, made = make_plane(), under_way()
    settlement.settle_cancelled(plane, made)
    settlement.settle_cancelled(plane, made)
    with pytest.raises(AssertionError, match="once"):
        settlement.conclude_failed(plane, made, made.attempts[0], REFUSED)
    assert recorder.endings == ["cancelled"]


def test_what_was_concluded_and_not_yet_written_is_written_as_it_is(make_plane: MakePlane, recorder: Recorder) -> None:
    made = under_way()
    plane = make_plane()
    settlement.conclude_failed(plane, made, made.attempts[0], REFUSED)
    settlement.settle_cancelled(plane, made)
    assert recorder.endings == ["refused"]


@pytest.mark.parametrize(
    ("stream", "output_bytes", "output_tokens"),
    [(True, None, 0), (True, 400, 100), (False, None, 3 * 20)],
)
def test_a_lost_attempt_is_estimated(
    make_plane: MakePlane, stream: bool, output_bytes: int | None, output_tokens: int
) -> None:
    made = call(said=said(stream=stream, max_output_tokens=20, choices=3))
    record = settlement.record_if_lost(make_plane(), made, attempt(), output_bytes=output_bytes)
    assert (record.ending, record.usage.input_tokens, record.usage.output_tokens) == ("lost", 100, output_tokens)
    assert record.usage.estimated
    assert record.cost_nanos == 100_000 + 2_000 * output_tokens


def test_under_a_budget_a_class_without_a_rate_costs_the_worst_case(make_plane: MakePlane, recorder: Recorder) -> None:
    book = PriceBook(lists=((Price(id=9, vendor="mock", model="m", rates=Rates(input=1)),),))
    grant = Grant(NO_RULES.plan(streamed=False), reserved_nanos=700)
    made = call(snapshot(route(), book=book), grant=grant, worst_nanos={"a/m": 650})
    settlement.settle_whole(make_plane(), made, attempt(), Facts(Usage(1, 0, 0, 1)))
    [record] = recorder.attempts
    assert (record.cost_nanos, record.reserved_nanos, record.released_nanos) == (650, 700, 50)


def test_the_price_is_the_one_at_the_start_and_the_callers_own() -> None:
    def price(number: int, since_s: float) -> Price:
        return Price(
            id=number,
            vendor="mock",
            model="m",
            rates=Rates(input=number * 1_000_000_000, output=0),
            effective_from_s=since_s,
        )

    book = PriceBook(lists=((price(1, 0), price(2, 100)),), overrides={7: (price(3, 0),)})
    found, used = snapshot(route(), book=book), Usage(input_tokens=5)
    early, late = attempt(started_at_ns=99_999_999_999), attempt(started_at_ns=100_000_000_000)
    assert settlement.price_usage(call(found), early, used) == (5, 1)
    assert settlement.price_usage(call(found), late, used) == (10, 2)
    assert settlement.price_usage(call(found, caller=caller(tenant_id=7)), late, used) == (15, 3)


def test_a_used_class_without_a_rate_leaves_the_attempt_unpriced(make_plane: MakePlane, recorder: Recorder) -> None:
    book = PriceBook(lists=((Price(id=9, vendor="mock", model="m", rates=Rates(input=1)),),))
    settlement.settle_whole(make_plane(), call(snapshot(route(), book=book)), attempt(), Facts(Usage(1, 0, 0, 1)))
    assert recorder.attempts[0].cost_nanos is None


def test_the_record_is_journaled_remembered_and_observed_alike(
    make_plane: MakePlane, recorder: Recorder, journaled: Callable[[], list[AttemptRecord]]
) -> None:
    plane = make_plane()
    settlement.settle_cancelled(plane, under_way())
    assert journaled() == recorder.attempts == plane.recent.find(key_id=1, request_id="req_test")
