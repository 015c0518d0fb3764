"""A stream is read the same however it is cut, and what is none fails once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.canonical import Dialect, Usage
from providers.dialects.conversation import Ended, Event, Failed, Finish, Text, TextDelta, Thinking, ToolCall
from providers.dialects.openai_chat.decoder import ChatDecoder
from tests.providers.dialects.openai_chat import cassettes
from tests.providers.dialects.streams import assemble, decode_all, every_split

DONE = b"data: [DONE]\n\n"


def _chunk(delta: dict[str, Any], finish: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, **fields}
    return b"data: " + json.dumps({"id": "x", "choices": [choice]}).encode() + b"\n\n"


def _read(*pieces: bytes) -> list[Event]:
    return decode_all(ChatDecoder(), list(pieces))


@pytest.mark.parametrize("name", cassettes.STREAMS)
def test_any_cut_gives_the_same(name: str) -> None:
    data = cassettes.read_stream(name)
    whole = assemble(_read(data))
    assert all(assemble(decode_all(ChatDecoder(), pieces)) == whole for pieces in every_split(data))


def test_a_recorded_text() -> None:
    answer = assemble(_read(cassettes.read_stream("chat_stream.sse")))
    assert answer.choices[0].parts == (Text("A small picture: é."),)
    assert answer.usage == Usage(input_tokens=19, cached_input_tokens=4, output_tokens=10)
    assert (answer.id, answer.model) == ("chatcmpl-B9", "gpt-5.1-2025-11-13")


def test_recorded_tool_calls() -> None:
    choice = assemble(_read(cassettes.read_stream("tools_stream.sse"))).choices[0]
    assert choice.parts == (
        Text("Looking."),
        ToolCall("call_a", "weather", '{"city":"Oslo"}'),
        ToolCall("call_b", "weather", '{"city":"Rome"}'),
    )
    assert choice.finish is Finish.TOOL_CALLS


def test_recorded_thoughts_count_once() -> None:
    choice = assemble(_read(cassettes.read_stream("reasoning_stream.sse"))).choices[0]
    assert choice.parts == (
        Thinking("Two and two.", signature="c2ln", dialect=Dialect.OPENAI),
        Thinking(redacted="ZW5j", dialect=Dialect.OPENAI),
        Text("Four."),
    )


def test_calls_that_leave_out_index_id_or_name() -> None:
    pieces = [
        {"index": 0, "id": "a", "function": {"arguments": "{"}},
        {"index": 0, "function": {"name": "f", "arguments": "}"}},
        {"index": 0, "id": "b", "function": {"name": "g", "arguments": "[]"}},
        {"function": {"name": "", "arguments": " "}},
        {"index": 5, "function": {"name": "h", "arguments": "{}"}},
    ]
    data = b"".join(_chunk({"tool_calls": [piece]}) for piece in pieces) + _chunk({}, "stop") + DONE
    choice = assemble(_read(data)).choices[0]
    assert choice.parts == (ToolCall("a", "f", "{}"), ToolCall("b", "g", "[] "), ToolCall("x_0_2", "h", "{}"))
    assert choice.finish is Finish.TOOL_CALLS


def test_an_end_without_done_but_finished_is_an_end() -> None:
    assert isinstance(_read(_chunk({"content": "a"}), _chunk({}, "stop"))[-1], Ended)


def test_an_end_that_says_done_but_not_why_is_an_end() -> None:
    assert assemble(_read(_chunk({"content": "a"}) + DONE)).choices[0].finish is Finish.STOP


@pytest.mark.parametrize("data", [b"", _chunk({"content": "a"}), _chunk({"content": "a"}) + b'data: {"choi'])
def test_a_cut_fails(data: bytes) -> None:
    failed = _read(data)[-1]
    assert isinstance(failed, Failed)


def test_a_cut_has_its_code() -> None:
    (failed,) = _read(b"")
    assert isinstance(failed, Failed)
    assert failed.error.code == "upstream_cut"


@pytest.mark.parametrize(
    "data", [b"data: {oops\n\n", b"data: 7\n\n", b'data: {"choices":[{"index":"a"}]}\n\n', DONE, b"data: \xff\n\n"]
)
def test_garbage_fails_once(data: bytes) -> None:
    decoder = ChatDecoder()
    events = decoder.feed(data) + decoder.feed(_chunk({"content": "a"})) + decoder.end()
    assert [type(event) for event in events] == [Failed]


def test_an_error_in_the_stream_comes_after_what_was_said() -> None:
    decoder = ChatDecoder()
    events = decoder.feed(_chunk({"content": "a"}) + b'data: {"error":{"message":"m","code":"server_busy"}}\n\n')
    assert isinstance(events[-2], TextDelta)
    failed = events[-1]
    assert isinstance(failed, Failed)
    assert (failed.error.message, failed.error.code) == ("m", "server_busy")


def test_nothing_follows_the_end() -> None:
    decoder = ChatDecoder()
    decoder.feed(_chunk({"content": "a"}, "stop") + DONE)
    assert decoder.feed(_chunk({"content": "b"})) == []
    assert decoder.end() == []


def test_the_stop_sequence_is_kept() -> None:
    choice = assemble(_read(_chunk({"content": "a"}, "stop", stop_reason="END") + DONE)).choices[0]
    assert (choice.finish, choice.stop_sequence) == (Finish.STOP_SEQUENCE, "END")


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_bytes_end_or_fail(data: bytes, cut: int) -> None:
    events = _read(data[:cut], data[cut:])
    assert isinstance(events[-1], Ended | Failed)
    assert sum(isinstance(event, Ended | Failed) for event in events) == 1
