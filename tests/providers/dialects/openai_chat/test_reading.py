"""A whole answer is read in each of the forms that servers give it."""

import json
from typing import Any

import msgspec
import pytest

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Dialect, Usage
from providers.dialects.conversation import Finish, Image, Opaque, Refusal, Source, Text, Thinking, ToolCall
from providers.dialects.openai_chat.reading import decode_answer
from tests.providers.dialects.openai_chat import cassettes


def _read(message: dict[str, Any], finish: str | None = "stop") -> Any:
    return decode_answer(json.dumps({"choices": [{"message": message, "finish_reason": finish}]}).encode()).choices[0]


def test_recorded_answers() -> None:
    answer = decode_answer(cassettes.read_response("chat.json"))
    assert answer.choices[0].parts == (Text("A small picture."),)
    assert answer.usage == Usage(input_tokens=19, cached_input_tokens=4, output_tokens=10)
    assert (answer.id, answer.service_tier) == ("chatcmpl-B9", "default")
    choice = decode_answer(cassettes.read_response("tools.json")).choices[0]
    assert choice.parts == (ToolCall("call_c", "weather", '{"city":"Bern"}'),)
    assert choice.finish is Finish.TOOL_CALLS


def test_recorded_thoughts_belong_to_the_server_that_sent_them() -> None:
    choice = decode_answer(cassettes.read_response("reasoning.json")).choices[0]
    assert choice.parts == (
        Thinking("Two and two.", signature="c2ln", dialect=Dialect.OPENAI),
        Thinking(redacted="ZW5j", dialect=Dialect.OPENAI),
        Text("Four."),
    )


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_plain_thoughts(field: str) -> None:
    assert _read({field: "hm", "content": "a"}).parts == (Thinking("hm"), Text("a"))


def test_a_content_in_parts_as_mistral_s() -> None:
    content = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "a"}]
    assert _read({"content": content}).parts == (Thinking("hm"), Text("a"))


def test_a_refusal_is_why_it_ended() -> None:
    choice = _read({"content": None, "refusal": "no"})
    assert (choice.parts, choice.finish) == ((Refusal("no"),), Finish.REFUSAL)


def test_pictures_sounds_and_older_calls() -> None:
    message = {
        "content": None,
        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}],
        "audio": {"id": "x"},
        "function_call": {"name": "f", "arguments": "{}"},
    }
    assert _read(message, "function_call").parts == (
        Image(Source(data="aGk=", media_type="image/png")),
        Opaque(Dialect.OPENAI, "audio", msgspec.Raw(b'{"id": "x"}')),
        ToolCall("call_f", "f", "{}"),
    )


def test_a_plain_completion_is_read_too() -> None:
    assert decode_answer(cassettes.read_response("completion.json")).choices[0].parts == (Text("hi"),)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"<html>", "HTML"),
        (b'{"choices": [', "cut short"),
        (b'{"ok": true}', "no choices"),
        (b'{"choices": []}', "no choices"),
        (b'{"choices": [{"message": {"content": 5}}]}', "not as its dialect has it"),
        (b'{"choices": [{"message": {"images": [5]}}]}', "not as its dialect has it"),
        (b'{"error": {"message": "busy", "code": 503}}', "busy"),
    ],
)
def test_what_is_no_answer_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(UpstreamBroken, match=reason):
        decode_answer(body)
