"""Messages become turns, with whatever gateways and servers add to them."""

from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.conversation import (
    Message,
    Opaque,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from providers.dialects.openai_chat.messages import WireMessage, read_messages


def _read(*messages: dict[str, Any]) -> tuple[Message, ...]:
    return read_messages(msgspec.json.decode(msgspec.json.encode(messages), type=list[WireMessage]))


def _call(**fields: Any) -> dict[str, Any]:
    return {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}, **fields}


def test_results_that_follow_one_another_are_one_turn() -> None:
    turns = _read(
        *({"role": "tool", "tool_call_id": "a", "content": "1"}, {"role": "tool", "tool_call_id": "b", "content": []}),
        {"role": "user", "content": "x", "name": "ann"},
    )
    assert turns == (
        Message("tool", (ToolResult("a", (Text("1"),)), ToolResult("b", ()))),
        Message("user", (Text("x"),), name="ann"),
    )


def test_an_assistant_s_message_has_thoughts_words_and_calls_in_this_order() -> None:
    (turn,) = _read(
        {
            "role": "assistant",
            "content": "a",
            "refusal": "no",
            "reasoning_content": "hm",
            "audio": {"id": "x"},
            "tool_calls": [_call(), {"id": "d", "type": "custom", "custom": {"name": "g", "input": "i"}}],
        }
    )
    kinds = [type(part) for part in turn.parts]
    assert kinds == [Thinking, Text, Refusal, Opaque, ToolCall, Opaque]
    assert [part.kind for part in turn.parts if isinstance(part, Opaque)] == ["audio", "custom_tool_call"]


def test_signatures_of_calls() -> None:
    (turn,) = _read(
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [_call(extra_content={"google": {"thought_signature": "s"}}), _call(id="d")],
            "reasoning_details": [{"type": "reasoning.encrypted", "id": "d", "data": "e", "format": "converse"}],
        }
    )
    assert turn.parts == (
        ToolCall("c", "f", "{}", signature="s", dialect=Dialect.GEMINI),
        ToolCall("d", "f", "{}", signature="e", dialect=Dialect.CONVERSE),
    )


def test_litellm_s_thoughts_are_anthropic_s() -> None:
    blocks = [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "redacted_thinking", "data": "r"}]
    (turn,) = _read({"role": "assistant", "content": "a", "reasoning_content": "hm", "thinking_blocks": blocks})
    assert turn.parts == (
        Thinking("hm", signature="s", dialect=Dialect.ANTHROPIC),
        Thinking(redacted="r", dialect=Dialect.ANTHROPIC),
        Text("a"),
    )


def test_an_older_function_answers_its_latest_call() -> None:
    call, result = _read(
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "1"},
    )
    (called,) = call.parts
    assert isinstance(called, ToolCall)
    assert result == Message("tool", (ToolResult(called.id, (Text("1"),), name="f"),))


def test_a_mark_on_a_message_is_one_on_its_last_text() -> None:
    (turn,) = _read({"role": "system", "content": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}})
    assert turn.parts == (Text("a", cache="1h"),)


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "tool", "content": "x"}, "messages[0].tool_call_id"),
        ({"role": "function", "name": "f", "content": "x"}, "messages[0].name"),
        ({"role": "assistant", "tool_calls": [5]}, "messages[0].tool_calls"),
        (
            {"role": "tool", "tool_call_id": "a", "content": [{"type": "refusal", "refusal": "x"}]},
            "messages[0].content",
        ),
    ],
)
def test_what_is_wrong_is_named(message: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _read(message)
    assert caught.value.param == param
