"""Blocks are read into parts, and a wrong field is named where it stands."""

from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.anthropic_messages.blocks import read_blocks
from providers.dialects.anthropic_messages.signatures import seal_tool
from providers.dialects.canonical import Dialect
from providers.dialects.conversation import (
    Document,
    Image,
    Opaque,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from tests.providers.dialects.anthropic_messages.recorded import body, cassette


def _read(*blocks: Any) -> list[Any]:
    return read_blocks([msgspec.Raw(body(block)) for block in blocks], "messages[0].content")


def test_a_string_is_one_text() -> None:
    assert read_blocks("hi", "system") == [Text("hi")]
    assert read_blocks("", "system") == read_blocks(None, "system") == []


def test_documents_of_every_source() -> None:
    parts = _read(*cassette("documents.json")["request"]["messages"][0]["content"])
    assert parts[0] == Document(Source(data="JVBERi0xLjQ=", media_type="application/pdf"), title="A", citations=True)
    assert parts[1] == Document(Source(url="https://example.org/b.pdf"), context="B")
    assert parts[2] == Document(text="Rain falls.", cache="5m")
    assert [type(part) for part in parts[3:]] == [Opaque, Opaque, Image, Text]
    assert [part.kind for part in parts[3:5]] == ["document", "search_result"]


def test_a_document_of_blocks_is_text_where_nobody_cites_the_blocks() -> None:
    blocks = [{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}]
    assert _read({"type": "document", "source": {"type": "content", "content": blocks}}) == [
        Document(text="One\n\nTwo")
    ]
    assert _read({"type": "document", "source": {"type": "content", "content": "x"}}) == [Document(text="x")]


def test_thoughts_tools_and_results() -> None:
    thought, redacted, _ = _read(*cassette("reasoning.json")["response"]["content"])
    assert thought == Thinking("2 and 2 …", signature="EqQBCgIYAhIM", dialect=Dialect.ANTHROPIC)
    assert redacted == Thinking(redacted="EmwKAhgBEgy3", dialect=Dialect.ANTHROPIC)
    (call,) = _read({"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1.0}})
    assert call == ToolCall("t", "n", '{"a": 1.0}')
    result = {"type": "tool_result", "tool_use_id": "t", "content": "ok", "cache_control": {"type": "ephemeral"}}
    assert _read(result) == [ToolResult("t", (Text("ok"),), cache="5m")]


def test_an_unsigned_thought_is_nobody_s() -> None:
    assert _read({"type": "thinking", "thinking": "hm"}) == [Thinking("hm")]


def test_a_call_gets_the_signature_that_came_before_it() -> None:
    sealed = {"type": "redacted_thinking", "data": seal_tool("Cq", Dialect.GEMINI)}
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {}}
    assert _read(sealed, call, call) == [
        ToolCall("t", "n", "{}", signature="Cq", dialect=Dialect.GEMINI),
        ToolCall("t", "n", "{}"),
    ]


@pytest.mark.parametrize(
    ("block", "code", "param"),
    [
        ({"text": "x"}, "missing_required_parameter", ".type"),
        ("x", "invalid_json", ""),
        ({"type": "text"}, "missing_required_parameter", ".text"),
        ({"type": "text", "text": 1}, "invalid_type", ".text"),
        (
            {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "2h"}},
            "invalid_type",
            ".cache_control.ttl",
        ),
        ({"type": "image", "source": {"type": "base64"}}, "invalid_value", ".source"),
        ({"type": "image", "source": {"type": "moon", "url": "x"}}, "invalid_value", ".source"),
        (
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text"}]},
            "missing_required_parameter",
            ".content[0].text",
        ),
        (
            {
                "type": "tool_result",
                "tool_use_id": "t",
                "content": [{"type": "tool_use", "id": "a", "name": "b", "input": {}}],
            },
            "invalid_tool_result",
            ".content",
        ),
    ],
)
def test_a_wrong_field_is_named(block: Any, code: str, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _read({"type": "text", "text": "fine"}, block)
    assert (caught.value.code, caught.value.param) == (code, f"messages[0].content[1]{param}")
