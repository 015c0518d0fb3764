import json
from typing import Any

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.codec import PathFacts
from providers.dialects.conversation import Image, Message, Opaque, Source, Text, ToolCall, ToolResult
from providers.dialects.gemini_generate.codec import CHAT_FRONT


def _read(*contents: Any, **fields: Any) -> tuple[Message, ...]:
    body = json.dumps({"contents": list(contents), **fields}).encode()
    return CHAT_FRONT.decode_request(body, PathFacts(model="m")).messages


def _call(**fields: Any) -> dict[str, Any]:
    return {"functionCall": {"name": "f", "args": {}, **fields}}


def _result(response: Any, **fields: Any) -> dict[str, Any]:
    return {"functionResponse": {"name": "f", "response": response, **fields}}


def test_the_system_comes_first() -> None:
    messages = _read({"parts": [{"text": "hi"}]}, system_instruction={"parts": {"text": "be brief"}})
    assert messages == (Message("system", (Text("be brief"),)), Message("user", (Text("hi"),)))


def test_results_are_messages_of_their_own_and_find_their_calls() -> None:
    messages = _read(
        {"role": "model", "parts": [_call(), _call(id="given"), _call()]},
        {"role": "user", "parts": [_result({"output": 1}), _result({}, id="given"), _result({"a": 2}), {"text": "so"}]},
    )
    calls = tuple(ToolCall(call_id, "f", "{}") for call_id in ("call_1", "given", "call_2"))
    assert messages == (
        Message("assistant", calls),
        Message(
            "tool",
            (
                ToolResult("call_1", (Text("1"),), name="f"),
                ToolResult("given", (Text("{}"),), name="f"),
                ToolResult("call_2", (Text('{"a": 2}'),), name="f"),
            ),
        ),
        Message("user", (Text("so"),)),
    )


@pytest.mark.parametrize(
    ("response", "text", "failed"),
    [
        ({"output": "x"}, "x", False),
        ({"result": [1]}, "[1]", False),
        ({"error": "bad"}, "bad", True),
        ({"error": "bad", "hint": 1}, '{"error": "bad", "hint": 1}', False),
        (None, "", False),
    ],
)
def test_what_came_of_a_call_is_read(response: Any, text: str, failed: bool) -> None:
    (message,) = _read({"role": "function", "parts": [_result(response)]})
    assert message.parts == (ToolResult("f", (Text(text),), name="f", failed=failed),)


def test_pictures_among_a_result_are_read() -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    (message,) = _read({"parts": [_result({"output": "x"}, parts=[picture])]})
    (result,) = message.parts
    assert isinstance(result, ToolResult)
    assert result.parts == (Text("x"), Image(Source(data="aGk=", media_type="image/png")))


def test_a_part_that_only_gemini_has_is_kept() -> None:
    (message,) = _read({"parts": [{"text": "x"}, {"fileData": {"fileUri": "gs://x"}, "videoMetadata": {"fps": 1}}]})
    opaque = message.parts[1]
    assert isinstance(opaque, Opaque)
    assert (opaque.dialect, opaque.kind) == (Dialect.GEMINI, "fileData")


@pytest.mark.parametrize(
    ("part", "param"),
    [
        (_call(args=[]), "contents[0].parts[0].functionCall.args"),
        (_result("x"), "contents[0].parts[0].functionResponse.response"),
    ],
)
def test_what_must_be_an_object_is(part: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _read({"parts": [part]})
    assert (caught.value.code, caught.value.param) == ("invalid_type", param)
