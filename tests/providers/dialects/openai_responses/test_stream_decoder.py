"""A stream becomes events; what came only whole is made up for, and what is none fails once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import (
    Ended,
    Event,
    Failed,
    Finish,
    Finished,
    PartEnded,
    Started,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolDelta,
    ToolStarted,
)
from providers.dialects.openai_responses.framing import encode
from providers.dialects.openai_responses.stream_decoder import Decoder
from tests.providers.dialects.openai_responses import cassettes
from tests.providers.dialects.streams import assemble, decode_all

MESSAGE = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hello"}]}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}


def _event(kind: str, **fields: Any) -> bytes:
    return encode(f"response.{kind}", json.dumps({"type": f"response.{kind}", **fields}).encode())


def _completed(*output: Any, status: str = "completed") -> bytes:
    return _event(status, response={"id": "r", "model": "m", "status": status, "output": output})


def _decode(*events: bytes) -> list[Event]:
    return decode_all(Decoder(), [b"".join(events)])


def test_the_events_of_a_text_and_their_order() -> None:
    events = decode_all(Decoder(), [cassettes.stream_of("length")])
    assert [type(event).__name__ for event in events] == [
        "Started",
        "TextDelta",
        "PartEnded",
        "Finished",
        "UsageReport",
        "Ended",
    ]


def test_an_answer_without_deltas_is_made_up_for() -> None:
    assert _decode(_completed(MESSAGE, CALL)) == [
        Started("r", "m"),
        TextDelta("hello"),
        PartEnded(),
        ToolStarted("c", "f", 1),
        ToolDelta("{}", 1),
        PartEnded(1),
        Finished(Finish.TOOL_CALLS),
        Ended(),
    ]


def test_an_item_that_is_told_twice_is_told_once() -> None:
    delta = _event("output_text.delta", output_index=0, content_index=0, delta="hello")
    done = _event("output_item.done", output_index=0, item=MESSAGE)
    [choice] = assemble(_decode(delta, done, done, _completed(MESSAGE))).choices
    assert choice.parts == (Text("hello"),)


def test_parallel_calls_are_told_apart() -> None:
    other = CALL | {"call_id": "d", "arguments": "[]"}
    events = _decode(
        _event("output_item.added", output_index=0, item=CALL | {"arguments": ""}),
        _event("output_item.added", output_index=1, item=other | {"arguments": ""}),
        _event("function_call_arguments.delta", output_index=1, delta="[]"),
        _event("function_call_arguments.delta", output_index=0, delta="{}"),
        _completed(CALL, other),
    )
    [choice] = assemble(events).choices
    assert choice.parts == (ToolCall("c", "f", "{}"), ToolCall("d", "f", "[]"))


def test_raw_thought_and_its_signature() -> None:
    item = {"type": "reasoning", "id": "rs_1", "content": [{"type": "reasoning_text", "text": "hm"}]}
    events = _decode(
        _event("reasoning_text.delta", output_index=0, content_index=0, delta="hm"),
        _event("output_item.done", output_index=0, item=item | {"encrypted_content": "s"}),
        _completed(),
    )
    [choice] = assemble(events).choices
    assert choice.parts == (Thinking("hm", signature="s", id="rs_1", dialect=Dialect.RESPONSES),)


def test_paragraphs_of_a_summary_are_kept_apart() -> None:
    events = decode_all(Decoder(), [cassettes.stream_of("reasoning")])
    thought = [event.text for event in events if isinstance(event, ThinkingDelta)]
    assert "".join(thought) == "**Greeting**\n\nSay hello."


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (
            _event("failed", response={"status": "failed", "error": {"code": "server_error", "message": "x"}}),
            "server_error",
        ),
        (b'data: {"type":"error","code":"rate_limit_exceeded","message":"x"}\n\n', "rate_limit_exceeded"),
        (b'data: {"type":"error","error":{"code":"insufficient_quota","message":"x"}}\n\n', "insufficient_quota"),
        (b"data: <html>\n\n", "upstream_invalid_response"),
        (_event("output_text.delta", delta=7), "upstream_invalid_response"),
        (_event("output_item.done", item={"type": "function_call"}), "upstream_invalid_response"),
        (_event("completed", response=[]), "upstream_invalid_response"),
        (b"", "upstream_cut"),
        (_event("output_text.delta", delta="a"), "upstream_cut"),
        (b"data: [DONE]\n\n", "upstream_cut"),
    ],
)
def test_what_is_no_answer_fails_once(data: bytes, code: str) -> None:
    decoder = Decoder()
    events = decoder.feed(data) + decoder.feed(_completed(MESSAGE) if code != "upstream_cut" else b"") + decoder.end()
    [failed] = [event for event in events if isinstance(event, Failed)]
    assert events[-1] is failed
    assert failed.error.code == code


def test_events_that_mean_something_else_are_passed_over() -> None:
    odd = _event("mcp_call.new", delta={"a": 1}, output_index="x")
    assert isinstance(_decode(odd, b": hi\n\n", _completed(MESSAGE))[-1], Ended)


@given(st.binary(max_size=300), st.integers(0, 6000))
def test_garbage_never_raises(garbage: bytes, cut: int) -> None:
    data = cassettes.stream_of("tools")
    events = decode_all(Decoder(), [data[:cut], garbage, data[cut:]])
    assert sum(isinstance(event, Failed | Ended) for event in events) == 1


@pytest.mark.parametrize("logprobs", ["null", "[]", "{}", '"x"'])
def test_probabilities_that_are_none_are_left_out(logprobs: str) -> None:
    data = cassettes.stream_of("chat").replace(b'"logprobs":[]', b'"logprobs":' + logprobs.encode(), 1)
    deltas = [event for event in decode_all(Decoder(), [data]) if isinstance(event, TextDelta)]
    assert all(delta.logprobs is None for delta in deltas)


def test_arguments_of_a_call_that_was_not_announced_are_told_at_its_end() -> None:
    data = cassettes.stream_of("tools").replace(b"response.output_item.added", b"response.output_item.other")
    announced = assemble(decode_all(Decoder(), [cassettes.stream_of("tools")]))
    assert assemble(decode_all(Decoder(), [data])).choices == announced.choices
