"""A stream tells what the whole answer would, however its bytes are cut."""

import json
from typing import Any

import pytest

from providers.dialects.anthropic_messages.decoder import AnthropicDecoder
from providers.dialects.anthropic_messages.response import decode_answer
from providers.dialects.canonical import Usage
from providers.dialects.conversation import (
    Ended,
    Event,
    Failed,
    Finish,
    Finished,
    Text,
    TextDelta,
    ToolCall,
    UsageReport,
)
from tests.providers.dialects.anthropic_messages.recorded import STREAMS, body, cassette, stream
from tests.providers.dialects.anthropic_messages.requests import meaning
from tests.providers.dialects.streams import assemble, decode_all, every_split


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | fields)}\n\n".encode()


START = _event("message_start", message={"id": "i", "model": "m"})
STOP = _event("message_stop")
END = _event("message_delta", delta={"stop_reason": "end_turn"}) + STOP


def _begin(block: Any, index: int = 0) -> bytes:
    return _event("content_block_start", index=index, content_block=block)


def _delta(index: int = 0, **delta: Any) -> bytes:
    return _event("content_block_delta", index=index, delta=delta)


def _decode(*pieces: bytes) -> list[Event]:
    return decode_all(AnthropicDecoder(), list(pieces))


@pytest.mark.parametrize("name", STREAMS)
def test_any_cut_gives_the_same_events(name: str) -> None:
    whole = _decode(stream(name))
    assert isinstance(whole[-1], Ended)
    for pieces in every_split(stream(name)):
        assert _decode(*pieces) == whole


@pytest.mark.parametrize("name", ["tools", "reasoning", "search"])
def test_a_stream_tells_the_same_as_the_whole_answer(name: str) -> None:
    answer = decode_answer(body(cassette(f"{name}.json")["response"]))
    told = meaning(assemble(_decode(stream(f"{name}_stream.sse"))))
    assert told == meaning(answer) | {"service_tier": ""}


def test_usage_is_reported_at_both_ends() -> None:
    reports = [event.usage for event in _decode(stream("search_stream.sse")) if isinstance(event, UsageReport)]
    assert reports == [
        Usage(input_tokens=100, output_tokens=1),
        Usage(input_tokens=900, output_tokens=40, searches=1),
    ]


def test_an_error_of_the_provider_ends_the_stream() -> None:
    events = _decode(stream("failed_stream.sse"))
    assert isinstance(events[-1], Failed)
    assert (events[-1].error.code, events[-1].error.message) == ("upstream_overloaded", "Overloaded")
    assert TextDelta("Par") in events


@pytest.mark.parametrize("name", STREAMS)
def test_every_cut_before_the_end_is_one(name: str) -> None:
    whole = stream(name)
    for size in range(len(whole) - len(STOP) - 20):
        events = _decode(whole[:size])
        assert isinstance(events[-1], Failed), size
        assert sum(isinstance(event, Failed) for event in events) == 1
        assert not any(isinstance(event, Ended) for event in events)


def test_a_cut_is_named() -> None:
    (failed,) = AnthropicDecoder().end()
    assert isinstance(failed, Failed)
    assert failed.error.code == "upstream_cut"


def test_a_last_event_may_lack_its_blank_line() -> None:
    assert isinstance(_decode(START + END.rstrip(b"\n"))[-1], Ended)


@pytest.mark.parametrize(
    "garbage",
    [
        b"<html>\n\n" + b"data: <html>\n\n",
        _begin({"type": "text"}),
        _begin(7),
        _begin({"type": "server_tool_use", "input": {}})
        + _delta(type="input_json_delta", partial_json="{")
        + _event("content_block_stop", index=0),
    ],
)
def test_garbage_is_one_failure(garbage: bytes) -> None:
    decoder = AnthropicDecoder()
    events = decoder.feed(START + garbage) + decoder.feed(END)
    assert [type(event).__name__ for event in events] == ["Started", "Failed"]


def test_an_event_without_end_is_a_failure() -> None:
    (failed,) = AnthropicDecoder().feed(b"x" * (16 * 1024 * 1024 + 1))
    assert isinstance(failed, Failed)


def test_nothing_follows_the_end() -> None:
    decoder = AnthropicDecoder()
    events = decoder.feed(START + END + _delta(type="text_delta", text="late") + b"garbage\n\n")
    assert isinstance(events[-1], Ended)
    assert decoder.feed(b"data: x\n\n") == []


def test_what_vendors_of_the_same_dialect_leave_out() -> None:
    answer = assemble(_decode(START + _delta(type="text_delta", text="a") + STOP))
    assert answer.choices[0].parts == (Text("a"),)
    assert (answer.choices[0].finish, answer.usage) == (Finish.STOP, None)


def test_what_stands_in_the_start_of_a_block_counts() -> None:
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}}
    answer = assemble(_decode(START + _begin({"type": "text", "text": "a"}) + _begin(call, 1) + END))
    assert answer.choices[0].parts == (Text("a"), ToolCall("t", "n", '{"a": 1}'))


def test_an_answer_finishes_once_and_says_nothing_after() -> None:
    events = _decode(START + END.removesuffix(STOP) + _delta(type="text_delta", text="late") + END)
    assert sum(isinstance(event, Finished) for event in events) == 1
    assert not any(isinstance(event, TextDelta) for event in events)


def test_letters_that_are_none_in_a_block_are_a_failure() -> None:
    began = _begin({"type": "redacted_thinking", "data": "x"}).replace(b'"x"', b'"\x80"')
    (failed,) = _decode(began)
    assert isinstance(failed, Failed)
