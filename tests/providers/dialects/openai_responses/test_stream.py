"""A stream passes untouched, and a cut is never taken for an end."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Usage
from providers.dialects.openai_responses.framing import encode
from providers.dialects.openai_responses.stream import StreamReader
from tests.providers.dialects.openai_responses import cassettes
from tests.providers.dialects.openai_responses.official import check_stream


def _event(kind: str, **fields: Any) -> bytes:
    return encode(kind, json.dumps({"type": kind, **fields}).encode())


@given(st.sampled_from(cassettes.WHOLE_STREAMS), st.lists(st.integers(0, 9000)))
def test_every_byte_passes(name: str, cuts: list[int]) -> None:
    data = cassettes.stream_of(name)
    reader = StreamReader()
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    out = b"".join(reader.feed(data[a:b]) for a, b in pairwise(places)) + reader.end()
    assert out == data
    assert (reader.done, reader.failure) == (True, None)
    assert reader.usage is not None


@pytest.mark.parametrize(
    ("name", "finish", "output_bytes"),
    [("chat", "stop", 10), ("tools", "tool_calls", 30), ("length", "length", 3), ("refusal", "refusal", 13)],
)
def test_what_accounting_needs(name: str, finish: str, output_bytes: int) -> None:
    reader = StreamReader()
    reader.feed(cassettes.stream_of(name))
    assert (reader.finish_reason, reader.output_bytes) == (finish, output_bytes)


def test_a_cut_is_an_error() -> None:
    data = cassettes.stream_of("chat")
    for cut in range(0, len(data) - 2, 101):
        reader = StreamReader()
        reader.feed(data[:cut])
        with pytest.raises(UpstreamBroken) as caught:
            reader.end()
        assert caught.value.code == "upstream_cut"


def test_a_last_event_without_its_blank_line_counts() -> None:
    reader = StreamReader()
    data = cassettes.stream_of("chat")
    assert reader.feed(data[:-1]) + reader.end()
    assert reader.usage == Usage(input_tokens=36, cached_input_tokens=8, output_tokens=87)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (_event("error", code="server_error", message="sorry"), "server_error"),
        (_event("error", error={"code": "rate_limit_exceeded", "message": "sorry"}), "rate_limit_exceeded"),
        (_event("error", error={"code": 7}), "upstream_error"),
        (_event("response.failed", response={"status": "failed", "error": {"code": "x", "message": "sorry"}}), "x"),
        (b"data: {\n\n", "upstream_invalid_response"),
    ],
)
def test_an_error_stops_the_stream_before_it(event: bytes, code: str) -> None:
    reader = StreamReader()
    before = _event("response.output_text.delta", delta="a")
    assert reader.feed(before + event + before) == before
    assert reader.failure is not None
    assert reader.failure.code == code
    assert reader.feed(before) == b""
    with pytest.raises(UpstreamBroken):
        reader.end()


def test_odd_events_pass() -> None:
    odd = b": comment\n\n" + _event("response.new.thing", delta={"a": 1}) + b"data: [DONE]\n\n"
    assert StreamReader().feed(odd) == odd


def test_a_failure_is_told_as_the_response_that_had_begun() -> None:
    data = cassettes.stream_of("chat")
    half = data[: data.index(b"lo! ")]
    reader = StreamReader()
    passed = reader.feed(half)
    ending = reader.fail(UpstreamBroken("the provider broke off", code="upstream_cut"), request_id="req_1")
    *_, error, failed = check_stream(passed + ending)
    assert (error["type"], error["code"], error["error"]["request_id"]) == ("error", "upstream_cut", "req_1")
    assert (failed["type"], failed["response"]["id"]) == ("response.failed", "resp_68c1f0a4")
    assert failed["response"]["status"] == "failed"


def test_a_failure_before_anything_else_is_one_event() -> None:
    [error] = check_stream(StreamReader().fail(UpstreamBroken("no"), request_id="req_1"))
    assert error["message"] == "no"


def test_a_failure_is_told_even_where_the_response_can_t_be_repeated() -> None:
    reader = StreamReader()
    reader.feed(b'event: response.created\ndata: {"type":"response.created","response":{"\x80":1}}\n\n')
    said = reader.fail(UpstreamBroken("gone", code="upstream_cut"), request_id="r")
    assert said.startswith(b"event: error\n")
    assert b"response.failed" not in said
