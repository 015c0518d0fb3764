"""A stream passes untouched but for the usage chunk, and a cut is never taken for an end."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Usage
from providers.dialects.openai_chat.stream import DONE, StreamReader


def _event(**fields: Any) -> bytes:
    return b"data: " + json.dumps({"id": "x", "odd_field": 1.0, **fields}).encode() + b"\n\n"


def _delta(content: str, finish: str | None = None, index: int = 0) -> bytes:
    return _event(choices=[{"index": index, "delta": {"content": content}, "finish_reason": finish}])


TEXT = [_delta("Hel"), b": keep-alive\n\n", _delta("lo"), _delta("", "stop")]
USAGE = _event(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 2})


def _reader(*, wants_usage: bool = False, cost: bytes | None = b"0.5") -> StreamReader:
    return StreamReader(wants_usage=wants_usage, cost_of=lambda usage: cost)


def _run(reader: StreamReader, data: bytes, cuts: tuple[int, ...] = ()) -> bytes:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    out = b"".join(reader.feed(data[a:b]) for a, b in pairwise(places))
    return out + reader.end()


@given(st.lists(st.integers(0, 5000)).map(tuple))
def test_text_passes_to_the_byte_and_the_unasked_usage_does_not(cuts: tuple[int, ...]) -> None:
    reader = _reader()
    out = _run(reader, b"".join([*TEXT, USAGE, DONE]), cuts)
    assert out == b"".join([*TEXT, DONE])
    assert reader.usage == Usage(input_tokens=3, output_tokens=2)
    assert (reader.finish_reason, reader.output_bytes, reader.complete) == ("stop", 5, True)


def test_the_usage_that_was_asked_for_gets_the_cost() -> None:
    out = _run(_reader(wants_usage=True), b"".join([*TEXT, USAGE, DONE]))
    chunk = json.loads(out.split(b"\n\n")[-3].removeprefix(b"data: "))
    assert chunk["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "cost": 0.5}
    assert chunk["odd_field"] == 1.0


def test_a_provider_s_own_cost_is_kept_beside() -> None:
    usage = _event(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 2, "cost": 9})
    out = _run(_reader(wants_usage=True), b"".join([*TEXT, usage, DONE]))
    assert b'"upstream_cost":9' in out
    assert b'"cost":0.5' in out


def test_without_a_price_the_usage_passes_untouched() -> None:
    data = b"".join([*TEXT, USAGE, DONE])
    assert _run(_reader(wants_usage=True, cost=None), data) == data


def test_usage_in_a_chunk_with_choices_stays() -> None:
    last = _event(
        choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], usage={"prompt_tokens": 1, "completion_tokens": 1}
    )
    reader = _reader()
    assert _run(reader, last + DONE) == last + DONE
    assert reader.usage == Usage(input_tokens=1, output_tokens=1)


def test_an_end_without_done_but_finished_is_completed() -> None:
    assert _run(_reader(), b"".join(TEXT)) == b"".join([*TEXT, DONE])


def test_a_last_event_without_its_blank_line_counts() -> None:
    assert _run(_reader(), b"".join(TEXT) + b"data: [DONE]").endswith(DONE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        TEXT[0],
        b"".join(TEXT[:3]),
        _delta("a", "stop", 0) + _delta("b", None, 1),
        TEXT[0] + b'data: {"choi',
    ],
)
def test_a_cut_is_no_end(data: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        _run(_reader(), data)


def test_an_error_in_the_stream_is_kept_until_what_came_before_is_out() -> None:
    reader = _reader()
    failure = b'data: {"error": {"message": "overloaded", "code": "server_busy"}}\n\n'
    assert reader.feed(TEXT[0] + failure + TEXT[2]) == TEXT[0]
    assert reader.failure is not None
    assert (reader.failure.message, reader.failure.code) == ("overloaded", "server_busy")


def test_a_null_error_is_none() -> None:
    event = _event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], error=None)
    assert _run(_reader(), event + DONE) == event + DONE


def test_garbage_is_a_failure() -> None:
    reader = _reader()
    assert reader.feed(b"data: {oops\n\n") == b""
    assert reader.failure is not None


def test_unusual_types_pass() -> None:
    event = _event(choices=[{"index": 0, "delta": {"content": ["part"]}}])
    assert _reader().feed(event) == event


def test_tool_calls_reasoning_and_legacy_text_are_measured() -> None:
    reader = _reader()
    call = {"index": 0, "function": {"arguments": "{}"}}
    reader.feed(_event(choices=[{"index": 0, "delta": {"tool_calls": [call]}}]))
    reader.feed(_event(choices=[{"index": 0, "delta": {"reasoning_content": "abc"}}]))
    reader.feed(_event(choices=[{"index": 0, "text": "é"}]))
    assert reader.output_bytes == 2 + 3 + 2


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)).map(tuple))
def test_any_bytes_end_or_fail_cleanly(data: bytes, cuts: tuple[int, ...]) -> None:
    try:
        _run(_reader(), data, cuts)
    except UpstreamBroken as error:
        assert error.retryable


def test_an_error_that_ends_the_client_s_stream_is_an_event() -> None:
    reader = _reader()
    assert (reader.accepts, reader.content_type) == (b"text/event-stream", b"")
    event = reader.fail(UpstreamBroken("no"), request_id="r")
    assert json.loads(event.removeprefix(b"data: "))["error"]["message"] == "no"


def test_nothing_passes_after_a_failure() -> None:
    reader = _reader()
    assert reader.feed(b"data: {oops\n\n") == b""
    assert reader.feed(_delta("a") + DONE) == b""
    assert reader.failure is not None
    assert not reader.done


def test_a_cost_that_can_t_be_written_into_a_chunk_is_a_failure() -> None:
    reader = _reader(wants_usage=True)
    usage = b'{"prompt_tokens":1,"completion_tokens":1}'
    assert reader.feed(b'data: {"\x80":1,"choices":[],"usage":' + usage + b"}\n\n") == b""
    assert reader.failure is not None
