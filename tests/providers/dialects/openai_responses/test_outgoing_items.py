"""Messages become items; what the model can't take is refused with its place."""

from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.conversation import (
    Audio,
    Citation,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Refusal,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from providers.dialects.openai_responses.outgoing_items import ItemWriter

PICTURE = Source(data="aGk=", media_type="image/png")
CITED = Citation("url", Dialect.ANTHROPIC, msgspec.Raw(b"{}"), url="https://a.b", title="A")


def _write(*messages: Message, without: Feature | None = None, dialect: Dialect = Dialect.OPENAI) -> list[Any]:
    features = frozenset(Feature) - ({without} if without else set())
    return list(ItemWriter(Capabilities(features=features), dialect).write(messages))


def test_a_turn_is_taken_apart_in_its_order() -> None:
    parts = (
        Thinking("not ours", signature="x", dialect=Dialect.ANTHROPIC),
        Thinking("a", signature="s", id="rs_1", dialect=Dialect.RESPONSES),
        Text("so"),
        Refusal("no"),
        ToolCall("c", "f", ""),
        Text("then"),
    )
    items = _write(Message("assistant", parts), Message("tool", (ToolResult("c", (Text("1"),)),)))
    assert items == [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "a"}],
            "encrypted_content": "s",
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "so", "annotations": []},
                {"type": "refusal", "refusal": "no"},
            ],
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "then", "annotations": []}],
        },
        {"type": "function_call_output", "call_id": "c", "output": "1"},
    ]


def test_content_of_a_user() -> None:
    parts = (
        Text("t", cache="1h"),
        Text(""),
        Image(PICTURE, detail="low"),
        Image(Source(file_id="file-1")),
        Document(Source(data="aGk="), title="a.pdf"),
        Document(Source(url="https://a.b/c.pdf")),
        Document(text="body", title="T"),
        Audio(Source(data="aGk="), format="mp3"),
    )
    [item] = _write(Message("user", parts))
    assert item["content"] == [
        {"type": "input_text", "text": "t"},
        {"type": "input_image", "detail": "low", "image_url": "data:image/png;base64,aGk="},
        {"type": "input_image", "detail": "auto", "file_id": "file-1"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="},
        {"type": "input_file", "file_url": "https://a.b/c.pdf"},
        {"type": "input_text", "text": "T\n\nbody"},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}},
    ]


def test_an_own_client_s_marks_for_the_cache_are_kept() -> None:
    [item] = _write(Message("user", (Text("t", cache="1h"), Text("u", cache="5m"))), dialect=Dialect.RESPONSES)
    long, short = (part["prompt_cache_breakpoint"] for part in item["content"])
    assert (long, short) == ({"mode": "explicit", "ttl": "12h"}, {"mode": "explicit"})


def test_empty_messages_are_left_out() -> None:
    assert _write(Message("user", (Text(""),)), Message("assistant", ())) == []


def test_pictures_in_a_result_stay_in_it() -> None:
    call = Message("assistant", (ToolCall("c", "f", "{}"),))
    _, result = _write(call, Message("tool", (ToolResult("c", (Text("see"), Image(PICTURE))),)))
    assert [part["type"] for part in result["output"]] == ["input_text", "input_image"]


def test_citations_of_another_vendor_become_annotations() -> None:
    [item] = _write(Message("assistant", (Text("hello", citations=(CITED,)),)))
    [annotation] = item["content"][0]["annotations"]
    assert b'"url":"https://a.b"' in bytes(annotation)


@pytest.mark.parametrize(
    ("part", "without", "code"),
    [
        (Image(PICTURE), Feature.IMAGES, "unsupported_content"),
        (Image(Source(url="https://a.b")), Feature.IMAGE_URLS, "unsupported_content"),
        (Document(Source(data="aGk=")), Feature.DOCUMENTS, "unsupported_content"),
        (Audio(Source(data="aGk=")), Feature.AUDIO, "unsupported_content"),
        (Video(Source(url="https://a.b")), None, "unsupported_content"),
        (Opaque(Dialect.ANTHROPIC, "server_tool_use", msgspec.Raw(b"{}")), None, "unsupported_content"),
        (Image(Source(data="not base64!")), None, "invalid_base64"),
        (ToolResult("nobody", (Text("x"),)), None, "invalid_tool_result"),
    ],
)
def test_what_can_t_be_said_is_refused_with_its_place(part: Part, without: Feature | None, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _write(Message("user", (Text("t"),)), Message("user", (Text("t"), part)), without=without)
    assert (caught.value.code, caught.value.param) == (code, "messages[1].content[1]")


def test_another_vendor_s_file_and_the_assistant_s_picture_are_refused() -> None:
    with pytest.raises(InvalidRequest):
        _write(Message("user", (Image(Source(file_id="f")),)), dialect=Dialect.ANTHROPIC)
    with pytest.raises(InvalidRequest):
        _write(Message("assistant", (Image(PICTURE),)))
