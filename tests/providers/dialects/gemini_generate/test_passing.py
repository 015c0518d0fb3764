"""A stream passes to the byte, or as an array of the same chunks, and what it used is read."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import InternalError, UpstreamBroken
from providers.dialects.canonical import Head, Usage
from providers.dialects.codec import StreamReader
from providers.dialects.gemini_generate.codec import CHAT_ARRAY_THROUGH, CHAT_THROUGH
from tests.providers.dialects.gemini_generate import cassettes

HEAD = Head(model="m", stream=True)
ERROR = b'data: {"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}\r\n\r\n'


def _reader(*, array: bool = False) -> StreamReader:
    return (CHAT_ARRAY_THROUGH if array else CHAT_THROUGH).reader(HEAD, lambda usage: None)


@pytest.mark.parametrize("name", cassettes.STREAMS)
@given(cuts=st.lists(st.integers(0, 5000)))
def test_a_stream_passes_to_the_byte(name: str, cuts: list[int]) -> None:
    data, reader = cassettes.stream(name), _reader()
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    assert b"".join(reader.feed(data[a:b]) for a, b in pairwise(places)) + reader.end() == data
    assert (reader.done, reader.failure, reader.content_type) == (True, None, b"")


def test_what_accounting_needs_is_read() -> None:
    reader = _reader()
    reader.feed(cassettes.stream("tools_stream.sse"))
    reader.end()
    assert reader.usage == Usage(input_tokens=40, output_tokens=42, reasoning_tokens=30)
    assert (reader.finish_reason, reader.output_bytes) == ("tool_calls", 12 + 2 * len('{"city": "Rome"}'))


@pytest.mark.parametrize("name", cassettes.STREAMS)
def test_an_array_holds_the_same_chunks(name: str) -> None:
    data, reader = cassettes.stream(name), _reader(array=True)
    out = b"".join(reader.feed(data[place : place + 7]) for place in range(0, len(data), 7)) + reader.end()
    assert json.loads(out) == [json.loads(event[6:]) for event in data.split(b"\r\n\r\n")[:-1]]
    assert (reader.accepts, reader.content_type) == (b"text/event-stream", b"application/json")


@pytest.mark.parametrize("data", [b"", b": comment\r\n\r\n", b'data: {"candidates":[{"index":0}]}\r\n\r\n', b"<html>"])
def test_a_cut_is_no_end(data: bytes) -> None:
    reader = _reader()
    reader.feed(data)
    with pytest.raises(UpstreamBroken) as caught:
        reader.end()
    assert caught.value.code == "upstream_cut"
    assert not reader.done


def test_an_error_is_kept_until_what_came_before_is_out() -> None:
    first = cassettes.stream("chat_stream.sse").split(b"\r\n\r\n")[0] + b"\r\n\r\n"
    reader = _reader()
    assert reader.feed(first + ERROR + first) == first
    assert reader.failure is not None
    assert (reader.failure.message, reader.failure.code) == ("overloaded", "upstream_overloaded")
    assert reader.feed(first) == b""


def test_unusual_types_pass() -> None:
    event = b'data: {"candidates":[{"content":7}]}\r\n\r\n'
    assert _reader().feed(event) == event


def test_garbage_is_a_failure() -> None:
    reader = _reader()
    assert reader.feed(b"data: {oops\r\n\r\n") == b""
    assert reader.failure is not None


def test_failing_ends_either_form() -> None:
    error = InternalError("oh")
    assert _reader().fail(error, request_id="q").startswith(b'data: {"error":')
    reader = _reader(array=True)
    first = cassettes.stream("chat_stream.sse").split(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert json.loads(reader.feed(first) + reader.fail(error, request_id="q"))[1]["error"]["status"] == "INTERNAL"


def test_letters_that_are_none_in_the_usage_leave_it_untold() -> None:
    chunk = b'data: {"candidates":[],"usageMetadata":{"serviceTier":"\x80","promptTokenCount":"x"}}\r\n\r\n'
    reader = _reader()
    assert reader.feed(chunk) == chunk
    assert reader.usage is None
