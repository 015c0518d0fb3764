"""Turns of another dialect find their place in a chat, or are refused by name."""

import json
from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.codec import Upstream
from providers.dialects.conversation import (
    Audio,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Refusal,
    Request,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from providers.dialects.openai_chat.history import History

PNG = Source(data="aGk=", media_type="image/png")


def _write(*turns: Message, dialect: Dialect = Dialect.ANTHROPIC, lacks: tuple[Feature, ...] = ()) -> Any:
    capabilities = Capabilities(features=frozenset(Feature) - frozenset(lacks))
    request = Request(model="m", messages=turns, dialect=dialect)
    history = History(request, Upstream(model="m", capabilities=capabilities))
    return json.loads(msgspec.json.encode(history.write()))


def _user(*parts: Part) -> Message:
    return Message("user", parts)


def test_pictures_in_a_tool_s_answer_move_into_a_message_after_it() -> None:
    turn = Message("tool", (ToolResult("c1", (Text("seen"), Image(PNG))), ToolResult("c2", (Text("a"), Text("b")))))
    first, second, third = _write(turn)
    assert first == {"role": "tool", "tool_call_id": "c1", "content": "seen"}
    assert second == {"role": "tool", "tool_call_id": "c2", "content": "a\nb"}
    assert third["role"] == "user"
    assert third["content"][1] == {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}


def test_a_failed_tool_says_so_in_words() -> None:
    turn = Message("tool", (ToolResult("c1", (Text("no disk"),), failed=True), ToolResult("c2", (), failed=True)))
    assert [message["content"] for message in _write(turn)] == ["Error:\nno disk", "Error:"]


def test_thoughts_of_another_vendor_are_left_out() -> None:
    parts = (Thinking("a", signature="s", dialect=Dialect.ANTHROPIC), Thinking("b"), Text("said"))
    (message,) = _write(Message("assistant", parts))
    assert message == {"role": "assistant", "content": "said", "reasoning_content": "b"}


def test_a_signature_of_google_s_goes_back_with_its_call() -> None:
    call = ToolCall("c", "f", "{}", signature="s", dialect=Dialect.GEMINI)
    (message,) = _write(Message("assistant", (call,)))
    assert message["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "s"}}
    assert message["content"] is None
    (message,) = _write(Message("assistant", (call,)), lacks=(Feature.SIGNED_THINKING,))
    assert "extra_content" not in message["tool_calls"][0]


def test_mistral_gets_only_the_fields_it_knows() -> None:
    turn = Message("assistant", (Thinking("hm"), Text("a"), Refusal("no"), ToolCall("c", "f", "{}")), name="ann")
    request = Request(model="m", messages=(turn,), dialect=Dialect.ANTHROPIC)
    (message,) = History(request, Upstream(model="m", capabilities=Capabilities(), spelling="mistral")).write()
    assert set(message) == {"role", "content", "tool_calls"}
    assert message["content"] == "ano"


def test_only_openai_s_clients_say_developer() -> None:
    turn = Message("developer", (Text("a"), Text("b")))
    assert _write(turn) == [{"role": "system", "content": "a\n\nb"}]
    assert _write(turn, dialect=Dialect.OPENAI)[0]["role"] == "developer"
    assert _write(turn, lacks=(Feature.SYSTEM,))[0]["role"] == "user"


def test_empty_texts_are_left_out() -> None:
    assert _write(_user(Text(""), Text("a"), Text("")), Message("assistant", (Text(""),))) == [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": ""},
    ]


def test_a_text_given_as_a_document_is_read_as_text() -> None:
    (message,) = _write(_user(Document(text="words", title="T", context="C"), Text("?")), lacks=(Feature.DOCUMENTS,))
    assert message["content"][0] == {"type": "text", "text": "T\nC\nwords"}


@pytest.mark.parametrize(
    ("part", "lacks", "code"),
    [
        (Image(PNG), Feature.IMAGES, "unsupported_content"),
        (Image(Source(url="https://x/y.png")), Feature.IMAGE_URLS, "unsupported_content"),
        (Image(Source(file_id="f")), None, "unsupported_content"),
        (Image(Source(data="%%%")), None, "invalid_base64"),
        (Document(Source(data="aGk=")), Feature.DOCUMENTS, "unsupported_content"),
        (Document(Source(url="https://x/y.pdf")), None, "unsupported_content"),
        (Document(Source(file_id="f")), None, "unsupported_content"),
        (Audio(PNG), Feature.AUDIO, "unsupported_content"),
        (Audio(Source(url="https://x/y.wav")), None, "unsupported_content"),
        (Video(PNG), Feature.VIDEO, "unsupported_content"),
        (Opaque(Dialect.ANTHROPIC, "search_result", msgspec.Raw(b"{}")), None, "unsupported_content"),
    ],
)
def test_content_with_no_place_is_refused_by_name(part: Part, lacks: Feature | None, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _write(_user(Text("a")), _user(Text("b"), part), lacks=(lacks,) if lacks else ())
    assert (caught.value.code, caught.value.param) == (code, "messages[1].content[1]")


def test_a_beginning_of_the_answer_is_reported_where_the_model_does_not_go_on_from_it() -> None:
    turns = (_user(Text("a")), Message("assistant", (Text("b"),)))
    for dialect, named in ((Dialect.ANTHROPIC, ["messages[1]"]), (Dialect.OPENAI, [])):
        capabilities = Capabilities(features=frozenset(Feature) - {Feature.PREFILL})
        history = History(Request("m", turns, dialect), Upstream(model="m", capabilities=capabilities))
        history.write()
        assert history.unsupported == named
