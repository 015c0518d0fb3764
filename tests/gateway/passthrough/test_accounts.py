"""What an attempt comes to: exact where usage was shown, unknown where it was not, nothing where nobody worked."""

import pytest

from gateway.call import Attempt, Call
from gateway.passthrough.accounts import lost_record, settle_answer, settle_failed, settle_hung_up
from gateway.passthrough.metering import Meter
from gateway.passthrough.requests import Passage
from gateway.plane import DataPlane
from kernel.errors import GatewayError, InternalError, UpstreamBroken, UpstreamRefused, UpstreamUnreachable
from tests.gateway.passthrough.passages import CHAT, NANOS, ask, under_way
from tests.scripted import Answer, event
from usage.records import Ending

SHOWN = b'{"model": "m", "usage": {"prompt_tokens": 7, "completion_tokens": 3}}'


def begun(rest: str = "files", body: object = CHAT) -> tuple[DataPlane, Call, Passage, Attempt]:
    plane, call, passage = under_way(ask(rest, body))
    attempt = Attempt(number=1, target=call.route.groups[0][0], because="test")
    call.attempts.append(attempt)
    return plane, call, passage, attempt


@pytest.mark.parametrize(
    ("said", "ending", "status", "cost_nanos"),
    [
        (SHOWN, "completed", 201, NANOS),
        (SHOWN, "refused", 400, NANOS),
        (b"{}", "completed", 204, None),
        (b"{}", "refused", 500, 0),
        (b"{}", "cut", 200, None),
        (b"{}", "cancelled", 200, None),
    ],
)
def test_answers_that_no_door_reads(said: bytes, ending: Ending, status: int, cost_nanos: int | None) -> None:
    plane, call, passage, attempt = begun()
    meter = Meter(passage, call.head, Answer([], status=status))
    meter.feed(said)
    meter.end()
    settle_answer(plane, call, attempt, meter, ending, status=status)
    assert (attempt.ending, attempt.status, attempt.cost_nanos, attempt.written) == (ending, status, cost_nanos, True)


def test_usage_that_was_shown_before_a_cut_counts() -> None:
    plane, call, passage, attempt = begun()
    meter = Meter(passage, call.head, Answer([], headers=[(b"content-type", b"text/event-stream")]))
    meter.feed(event({"usage": {"prompt_tokens": 7, "completion_tokens": 3}}))
    settle_answer(plane, call, attempt, meter, "cut", status=200)
    assert attempt.cost_nanos == NANOS


@pytest.mark.parametrize(
    ("error", "ending", "cost_nanos"),
    [
        (UpstreamUnreachable("x"), "failed", 0),
        (UpstreamBroken("x"), "failed", None),
        (InternalError("x"), "failed", None),
        (UpstreamRefused("x", status=502, code="c", retryable=True), "refused", 0),
    ],
)
def test_no_answer(error: GatewayError, ending: str, cost_nanos: int | None) -> None:
    plane, call, passage, attempt = begun()
    settle_failed(plane, call, attempt, passage, error)
    assert (attempt.ending, attempt.cost_nanos, attempt.error_code) == (ending, cost_nanos, error.code)


def test_a_caller_who_is_gone() -> None:
    plane, call, _, attempt = begun()
    settle_hung_up(plane, call, attempt)
    assert (attempt.ending, attempt.cost_nanos, attempt.error_code) == ("cancelled", None, "client_disconnected")


def test_what_is_lost_with_the_worker() -> None:
    plane, call, passage, attempt = begun()
    assert lost_record(plane, call, attempt, passage).cost_nanos is None
    plane, call, passage, attempt = begun("chat/completions")
    assert lost_record(plane, call, attempt, passage).cost_nanos
