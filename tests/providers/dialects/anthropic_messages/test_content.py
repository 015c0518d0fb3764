"""Parts become blocks that the vendor takes; what the model can't be given is refused with its place."""

from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.anthropic_messages.content import Page, write_parts
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.conversation import (
    Audio,
    Citation,
    Document,
    Image,
    Opaque,
    Refusal,
    Role,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)

PNG = Source(data="iVBORw0KGgo=", media_type="image/png")


def _write(
    *parts: Any, role: Role = "user", own: bool = False, strict: bool = False, without: tuple[Feature, ...] = ()
) -> Any:
    capabilities = Capabilities(features=frozenset(Feature) - set(without))
    return write_parts(parts, Page(role, capabilities, own, strict), "messages[2].content")


def test_texts_without_a_word_are_left_out() -> None:
    assert _write(Text(""), Text(" \n"), Text("a", cache="5m"), Refusal("no")) == [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "no"},
    ]


def test_only_the_assistant_s_own_citations_are_written() -> None:
    own = Citation("url", Dialect.ANTHROPIC, msgspec.Raw(b'{"x":1}'))
    other = Citation("url", Dialect.OPENAI, msgspec.Raw(b"{}"))
    (block,) = _write(Text("a", citations=(own, other)), role="assistant")
    assert block["citations"] == [own.raw]
    assert "citations" not in _write(Text("a", citations=(own,)))[0]


def test_pictures_and_documents() -> None:
    jpg = Source(data="/9j/4A==", media_type="image/jpg")
    image, photo, address = _write(Image(PNG), Image(jpg), Image(Source(url="https://x")))
    assert image["source"] == {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    assert photo["source"]["media_type"] == "image/jpeg"
    assert address["source"] == {"type": "url", "url": "https://x"}
    text = Document(Source(data="UmFpbg==", media_type="text/markdown"), title="T", context="C", citations=True)
    assert _write(text) == [
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "Rain"},
            "title": "T",
            "context": "C",
            "citations": {"enabled": True},
        }
    ]
    (file,) = _write(Document(Source(file_id="file_1")), own=True)
    assert file["source"] == {"type": "file", "file_id": "file_1"}


def test_only_own_signed_thoughts_go_back() -> None:
    own = Thinking("a", signature="s", dialect=Dialect.ANTHROPIC)
    redacted = Thinking(redacted="r", dialect=Dialect.ANTHROPIC)
    foreign = Thinking("b", signature="s", dialect=Dialect.GEMINI)
    assert _write(own, redacted, foreign, Thinking("unsigned"), role="assistant") == [
        {"type": "thinking", "thinking": "a", "signature": "s"},
        {"type": "redacted_thinking", "data": "r"},
    ]
    assert _write(own) == []


def test_calls_and_results_have_the_same_id() -> None:
    call = ToolCall("call:1/x", "f", "")
    result = ToolResult("call:1/x", (Text("ok"), Image(PNG), Text("")), failed=True, cache="1h")
    written, answered = _write(call, result)
    assert written == {"type": "tool_use", "id": "call_1_x", "name": "f", "input": msgspec.Raw(b"{}")}
    assert (answered["tool_use_id"], answered["is_error"]) == ("call_1_x", True)
    assert [block["type"] for block in answered["content"]] == ["text", "image"]
    assert answered["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert "content" not in _write(ToolResult("1", ()))[0]


@pytest.mark.parametrize(
    ("part", "code", "how"),
    [
        (Image(PNG), "unsupported_content", {"without": (Feature.IMAGES,)}),
        (Image(Source(data="AA==", media_type="image/tiff")), "unsupported_content", {}),
        (Image(Source(url="https://x")), "unsupported_content", {"without": (Feature.IMAGE_URLS,)}),
        (Image(Source(file_id="file_1")), "unsupported_content", {}),
        (Image(Source(data="A", media_type="image/png")), "invalid_base64", {}),
        (Image(Source(data="A A=", media_type="image/png")), "invalid_base64", {}),
        (Document(Source(data="ä", media_type="application/pdf")), "invalid_base64", {}),
        (Document(Source(data="AA==", media_type="application/zip")), "unsupported_content", {}),
        (Document(text="x"), "unsupported_content", {"without": (Feature.DOCUMENTS,)}),
        (Document(text="x"), "unsupported_content", {"role": "assistant", "strict": True}),
        (Audio(Source(data="AA==")), "unsupported_content", {}),
        (Video(Source(url="https://x")), "unsupported_content", {}),
        (Opaque(Dialect.RESPONSES, "web_search_call", msgspec.Raw(b"{}")), "unsupported_content", {}),
        (ToolCall("1", "f", "[1]"), "unsupported_content", {}),
        (ToolCall("1", "f", '{"a":'), "unsupported_content", {}),
    ],
)
def test_what_the_model_can_t_be_given(part: Any, code: str, how: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _write(Text("a"), part, **how)
    assert (caught.value.code, caught.value.param) == (code, "messages[2].content[1]")


def test_the_place_inside_of_a_result_is_named() -> None:
    with pytest.raises(InvalidRequest) as caught:
        _write(ToolResult("1", (Text("a"), Image(Source(file_id="x")))))
    assert caught.value.param == "messages[2].content[0].content[1]"
