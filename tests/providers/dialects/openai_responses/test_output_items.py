"""Parts of an answer become items with ids of their own, and items become parts."""

import json
from typing import Any

import msgspec
import pytest

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import (
    Audio,
    Choice,
    Finish,
    Image,
    Opaque,
    Part,
    Refusal,
    Source,
    Text,
    Thinking,
    ToolCall,
)
from providers.dialects.openai_responses.output_items import ItemIds, read_item, read_output, write_output

IDS = ItemIds("resp_1")


def _write(*parts: Part, finish: Finish = Finish.STOP) -> list[Any]:
    return [
        json.loads(bytes(item)) if isinstance(item, msgspec.Raw) else item
        for item in write_output(Choice(parts, finish), IDS)
    ]


def test_texts_share_a_message_until_something_else_comes() -> None:
    items = _write(Text("a"), Refusal("b"), ToolCall("c", "f", "{}"), Text("d"))
    assert [(item["type"], item["id"]) for item in items] == [
        ("message", "msg_1_0"),
        ("function_call", "fc_1_1"),
        ("message", "msg_1_2"),
    ]
    assert [part["type"] for part in items[0]["content"]] == ["output_text", "refusal"]


def test_only_the_last_item_is_incomplete() -> None:
    first, last = _write(ToolCall("c", "f", "{}"), Text("a"), finish=Finish.LENGTH)
    assert (first["status"], last["status"]) == ("completed", "incomplete")


def test_a_call_without_an_id_gets_one_and_keeps_its_signature() -> None:
    carrier, call = _write(ToolCall("", "f", "{}", signature="s", dialect=Dialect.GEMINI))
    assert (carrier["type"], call["call_id"]) == ("reasoning", "call_1_0")


def test_thought_without_an_own_id_is_named() -> None:
    own, foreign = _write(
        Thinking("a", signature="s", id="rs_9", dialect=Dialect.RESPONSES),
        Thinking("", redacted="r", dialect=Dialect.ANTHROPIC),
    )
    assert (own["id"], own["encrypted_content"]) == ("rs_9", "s")
    assert (foreign["id"], foreign["summary"]) == ("rs_1_1", [])


def test_what_the_dialect_can_t_say_is_left_out() -> None:
    picture = Image(Source(data="aGk="))
    items = _write(picture, Audio(Source(data="aGk=")), Opaque(Dialect.ANTHROPIC, "x", msgspec.Raw(b"{}")))
    assert [item["type"] for item in items] == ["image_generation_call"]


def test_empty_texts_and_unknown_content() -> None:
    odd = {"type": "output_smell", "smell": 1}
    message = {"type": "message", "content": [{"type": "output_text", "text": ""}, odd]}
    [part] = read_item(msgspec.Raw(json.dumps(message).encode()))
    assert isinstance(part, Opaque)
    assert part.kind == "output_smell"
    assert read_item(msgspec.Raw(b'{"type":"message","content":"hi"}')) == [Text("hi")]


def test_an_item_of_a_wrong_form() -> None:
    with pytest.raises(msgspec.DecodeError):
        read_output([msgspec.Raw(b'{"type":"function_call"}')])
