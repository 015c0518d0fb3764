"""A meter changes nothing and sees what the door's dialect, or the shape of the answer, tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.passthrough.metering import Meter
from providers.dialects.canonical import Usage
from tests.gateway.passthrough.passages import CHAT, USAGE, ask, under_way
from tests.scripted import DONE, Answer, delta, event, spoken, stream, usage_event, whole

EVENTS = b"".join(spoken("hello", "there", usage=USAGE))
REPORTED = Usage(input_tokens=7, output_tokens=3)


def meter_of(answer: Answer, rest: str = "chat/completions", body: object = None, *, method: str = "") -> Meter:
    _, call, passage = under_way(ask(rest, body, method=method))
    return Meter(passage, call.head, answer)


def run(meter: Meter, *pieces: bytes) -> Meter:
    assert b"".join(meter.feed(piece) for piece in pieces) == b"".join(pieces)
    assert meter.end() == b""
    meter.close()
    return meter


@given(cut=st.integers(0, len(EVENTS)))
def test_a_stream_of_a_known_door(cut: int) -> None:
    meter = run(meter_of(stream(), body=CHAT | {"stream": True}), EVENTS[:cut], EVENTS[cut:])
    assert (meter.usage, meter.finish_reason, meter.done, meter.failure) == (REPORTED, "stop", True, None)


def test_a_stream_without_usage_is_measured() -> None:
    meter = run(meter_of(stream(), body=CHAT | {"stream": True}), *spoken("hello"))
    assert (meter.usage, meter.output_bytes, meter.readable) == (None, 5, True)


def test_a_stream_that_ends_too_early_is_none() -> None:
    meter = run(meter_of(stream(), body=CHAT | {"stream": True}), delta("hel"))
    assert meter.failure is not None
    assert meter.output_bytes == 3


def test_a_whole_answer_of_a_known_door() -> None:
    answer = whole(USAGE)
    meter = run(meter_of(answer, body=CHAT), *[piece for piece in answer.pieces if isinstance(piece, bytes)])
    assert (meter.usage, meter.finish_reason, meter.output_bytes) == (REPORTED, "stop", 2)


def test_an_answer_that_is_none_is_measured_by_its_size() -> None:
    meter = run(meter_of(whole(), body=CHAT), b'{"odd": true}')
    assert (meter.usage, meter.output_bytes, meter.failure) == (None, 13, None)


@pytest.mark.parametrize("rest", ["assistants/x/runs", "batches"])
def test_an_unknown_path_goes_by_the_shape(rest: str) -> None:
    meter = run(
        meter_of(stream(), rest, {"x": 1}), event({"model": "big"} | {"usage": USAGE}), usage_event(USAGE), DONE
    )
    assert (meter.usage, meter.model, meter.readable) == (REPORTED, "big", False)


def test_what_a_get_shows_was_used_before() -> None:
    assert run(meter_of(whole(), "responses/r1", None, method="GET"), b'{"usage": {"total_tokens": 9}}').usage is None


def test_an_error_is_no_answer_of_a_door() -> None:
    assert not meter_of(whole(status=500), body=CHAT).readable
