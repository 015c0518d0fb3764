import json
from typing import Any

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.codec import Upstream
from providers.dialects.conversation import (
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
)
from providers.dialects.gemini_generate.codec import CHAT_BACK
from providers.dialects.gemini_generate.signatures import STAND_IN
from tests.providers.dialects.gemini_generate.requests import raw

PICTURE = Image(Source(data="aGk=", media_type="image/png"))


def _write(*messages: Message, model: str = "gemini-3-pro", without: Feature | None = None) -> dict[str, Any]:
    upstream = Upstream(model, Capabilities(features=frozenset(Feature) - ({without} if without else set())))
    body = CHAT_BACK.encode_request(Request("m", messages, Dialect.OPENAI), upstream).body
    written: dict[str, Any] = json.loads(body)
    return written


def _user(*parts: Part) -> Message:
    return Message("user", parts or (Text("hi"),))


def _assistant(*parts: Part) -> Message:
    return Message("assistant", parts)


def test_words_of_the_system_stand_together_wherever_they_were_said() -> None:
    written = _write(Message("system", (Text("a"),)), _user(), Message("developer", (Text("b"),)))
    assert written["systemInstruction"] == {"parts": [{"text": "a"}, {"text": "b"}]}
    assert written["contents"] == [{"parts": [{"text": "hi"}], "role": "user"}]


def test_a_model_without_system_words_reads_them_as_the_user_s() -> None:
    written = _write(Message("system", (Text("a"),)), _user(), without=Feature.SYSTEM)
    assert [content["parts"][0]["text"] for content in written["contents"]] == ["a", "hi"]
    alone = _write(Message("system", (Text("a"),)))
    assert alone == {"contents": [{"parts": [{"text": "a"}], "role": "user"}]}


def test_turns_of_one_role_are_one_content_and_empty_texts_are_none() -> None:
    written = _write(_user(), _user(Text("")), _user(Text("there")), _assistant(Text("")), _assistant(Refusal("no")))
    assert written["contents"] == [
        {"parts": [{"text": "hi"}, {"text": "there"}], "role": "user"},
        {"parts": [{"text": "no"}], "role": "model"},
    ]


def test_only_gemini_s_signatures_are_sent_and_the_first_call_gets_a_stand_in() -> None:
    written = _write(
        _user(),
        _assistant(
            Thinking("secret", signature="AA", dialect=Dialect.ANTHROPIC),
            ToolCall("1", "f", "{}", signature="AA", dialect=Dialect.ANTHROPIC),
            ToolCall("2", "f", "{}"),
        ),
        Message("tool", (ToolResult("1", (Text("x"),)), ToolResult("2", (Text("y"),)))),
        _assistant(ToolCall("3", "f", "{}", signature="BB", dialect=Dialect.GEMINI)),
        Message("tool", (ToolResult("3", (Text("z"),)),)),
    )
    signatures = [[part.get("thoughtSignature") for part in content["parts"]] for content in written["contents"][1::2]]
    assert signatures == [[STAND_IN, None], ["BB"]]


@pytest.mark.parametrize(("model", "without"), [("gemini-2.5-pro", None), ("gemini-3-pro", Feature.SIGNED_THINKING)])
def test_models_that_need_no_signature_get_no_stand_in(model: str, without: Feature | None) -> None:
    written = _write(_user(), _assistant(ToolCall("1", "f", "{}")), _user(), model=model, without=without)
    assert written["contents"][1]["parts"] == [{"functionCall": {"id": "1", "name": "f", "args": {}}}]


@pytest.mark.parametrize(
    ("text", "failed", "response"),
    [
        ("sunny", False, {"output": "sunny"}),
        ("", False, {"output": ""}),
        (" ", False, {"output": " "}),
        ('{"a": 1}', False, {"a": 1}),
        ('{"output": 1}', False, {"output": {"output": 1}}),
        ("[1]", False, {"output": "[1]"}),
        ("bad", True, {"error": "bad"}),
        ('{"a": 1}', True, {"error": '{"a": 1}'}),
    ],
)
def test_a_result_names_its_function(text: str, failed: bool, response: Any) -> None:
    result = ToolResult("1", (Text(text),), failed=failed)
    written = _write(_user(), _assistant(ToolCall("1", "f", "")), Message("tool", (result,)))
    part = written["contents"][2]["parts"][0]["functionResponse"]
    assert part == {"id": "1", "name": "f", "response": response}


def test_pictures_of_a_result_stand_within_it_or_beside_it() -> None:
    turns = (_user(), _assistant(ToolCall("1", "f", "{}")), Message("tool", (ToolResult("1", (Text("x"), PICTURE)),)))
    blob = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    (within,) = _write(*turns)["contents"][2]["parts"]
    assert within["functionResponse"]["parts"] == [blob]
    assert _write(*turns, model="gemini-2.5-pro")["contents"][2]["parts"][1] == blob


@pytest.mark.parametrize(
    ("messages", "without", "code", "param"),
    [
        ((Message("tool", (ToolResult("9", (Text("x"),)),)),), None, "invalid_tool_result", "messages[0].content[0]"),
        ((_user(Text("x"), PICTURE),), Feature.IMAGES, "unsupported_content", "messages[0].content[1]"),
        ((_assistant(ToolCall("1", "f", "[")), _user()), None, "invalid_value", "messages[0].content[0]"),
        ((_user(), _assistant(Text("x"))), Feature.PREFILL, "unsupported_content", "messages[1]"),
        (
            (_user(Opaque(Dialect.ANTHROPIC, "search_result", raw({}))),),
            None,
            "unsupported_content",
            "messages[0].content[0]",
        ),
    ],
)
def test_what_the_model_cannot_take_is_refused(
    messages: tuple[Message, ...], without: Feature | None, code: str, param: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _write(*messages, without=without)
    assert (caught.value.code, caught.value.param) == (code, param)
