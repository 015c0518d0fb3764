"""Items become messages: turns of the assistant and results of calls are gathered, everything else stays in order."""

import json
from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.conversation import (
    Audio,
    Document,
    Image,
    Message,
    Opaque,
    Refusal,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from providers.dialects.openai_responses.history import History


def _read(*items: Any) -> tuple[Message, ...]:
    history = History()
    for index, item in enumerate(items):
        history.add(msgspec.Raw(json.dumps(item).encode()), f"input[{index}]")
    return history.messages


def test_a_turn_with_calls() -> None:
    messages = _read(
        {"role": "user", "content": "Oslo?"},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "a"}],
            "encrypted_content": "x",
        },
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Let me see."}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "c2", "name": "g", "arguments": ""},
        {"type": "function_call_output", "call_id": "c1", "output": "cold"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "wet"}]},
        {"role": "user", "content": "And Rome?"},
        {"role": "user", "content": "Quick!"},
    )
    assert messages == (
        Message("user", (Text("Oslo?"),)),
        Message(
            "assistant",
            (
                Thinking("a", signature="x", id="rs_1", dialect=Dialect.RESPONSES),
                Text("Let me see."),
                ToolCall("c1", "f", "{}"),
                ToolCall("c2", "g", "{}"),
            ),
        ),
        Message("tool", (ToolResult("c1", (Text("cold"),)), ToolResult("c2", (Text("wet"),)))),
        Message("user", (Text("And Rome?"),)),
        Message("user", (Text("Quick!"),)),
    )


def test_every_kind_of_part() -> None:
    content = [
        {"type": "input_text", "text": "t", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}},
        {"type": "input_image", "image_url": "data:image/gif;base64,aGk=", "detail": "low"},
        {"type": "input_image", "image_url": "https://a.b/c.png"},
        {"type": "input_image", "file_id": "file-1"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,aGk=", "filename": "a.pdf"},
        {"type": "input_file", "file_data": "aGk="},
        {"type": "input_file", "file_url": "https://a.b/c.pdf"},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
        {"type": "input_smell", "smell": 1},
    ]
    [message] = _read({"role": "user", "content": content})
    assert message.parts == (
        Text("t", cache="1h"),
        Image(Source(data="aGk=", media_type="image/gif"), detail="low"),
        Image(Source(url="https://a.b/c.png")),
        Image(Source(file_id="file-1")),
        Document(Source(data="aGk=", media_type="application/pdf"), title="a.pdf"),
        Document(Source(data="aGk=", media_type="application/pdf")),
        Document(Source(url="https://a.b/c.pdf")),
        Audio(Source(data="aGk="), format="wav"),
        Opaque(Dialect.RESPONSES, "input_smell", msgspec.Raw(b'{"type": "input_smell", "smell": 1}')),
    )
    [refused] = _read({"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]})
    assert refused.parts == (Refusal("no"),)


def test_items_that_only_the_dialect_has_stay_whole() -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    output = {"type": "custom_tool_call_output", "call_id": "c", "output": "x"}
    called, answered = _read(search, output)
    assert (called.role, answered.role) == ("assistant", "user")
    [part] = called.parts
    assert isinstance(part, Opaque)
    assert json.loads(bytes(part.raw)) == search


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"type": "item_reference", "id": "msg_1"}, "input[0]"),
        ({"id": "msg_1"}, "input[0]"),
        ({"role": "tool", "content": "x"}, "input[0].role"),
        ({"type": "function_call", "call_id": "c"}, "input[0].name"),
        ({"type": "function_call_output", "call_id": "c", "output": 7}, "input[0].output"),
        (
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "refusal", "refusal": "no"}]},
            "input[0].output",
        ),
        ({"role": "user", "content": [{"type": "input_image"}]}, "input[0].content[0]"),
        ({"role": "user", "content": [{"type": "input_file"}]}, "input[0].content[0]"),
        ({"role": "user", "content": ["text"]}, "input[0].content[0]"),
        ("text", "input[0]"),
    ],
)
def test_what_is_wrong_is_named(item: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _read(item)
    assert caught.value.param == param
