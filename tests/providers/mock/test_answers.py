"""The mock's answers are the same for the same request, whole or streamed, and their usage adds up."""

import base64
import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.openai_chat.response import decode_answer
from providers.dialects.openai_chat.stream import StreamReader
from providers.mock import answers
from providers.mock.directions import Directions

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["C"]}}
        },
    },
}


def chat(text: str = "hello", **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}]} | fields


def reply(request: dict[str, Any], **told: Any) -> answers.Reply:
    return answers.write_reply(request, "m", Directions(**told), chat="messages" in request)


def told(made: answers.Reply) -> tuple[str, StreamReader]:
    reader = StreamReader(wants_usage=True, cost_of=lambda usage: None)
    text = ""
    for event in made.events(with_usage=True):
        reader.feed(event)
        if b"[DONE]" not in event:
            for choice in msgspec.json.decode(event[6:])["choices"]:
                text += choice["delta"].get("content") or ""
    return text, reader


@given(st.text(max_size=50), st.one_of(st.none(), st.integers(0, 20)))
def test_whole_and_stream_say_and_count_the_same(text: str, tokens: int | None) -> None:
    made = reply(chat(text, stream_options={"include_usage": True}), tokens=tokens)
    whole = made.whole(with_usage=True)
    said, reader = told(made)
    assert msgspec.json.decode(whole)["choices"][0]["message"]["content"] == said
    assert decode_answer(whole).usage == reader.usage
    assert (reader.done, reader.finish_reason) == (True, "stop")
    assert made == reply(chat(text, stream_options={"include_usage": True}), tokens=tokens)


def test_usage_adds_up() -> None:
    usage = reply(chat("x" * 40), tokens=7).usage()
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (10, 7, 17)


@pytest.mark.parametrize(("limit", "words", "reason"), [(3, 3, "length"), (50, 10, "stop"), (None, 10, "stop")])
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_cuts(name: str, limit: int | None, words: int, reason: str) -> None:
    made = reply(chat(**{name: limit}), tokens=10)
    assert (len(made.pieces), made.finish_reason) == (words, reason)


def test_a_tool_is_called_with_arguments_of_its_kinds() -> None:
    made = reply(chat(tools=[TOOL]), tool=1)
    choice = msgspec.json.decode(made.whole(with_usage=True))["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    [call] = choice["message"]["tool_calls"]
    arguments = msgspec.json.decode(call["function"]["arguments"])
    assert (call["function"]["name"], arguments) == ("weather", {"city": "mock", "days": 1, "unit": "C"})
    streamed = ""
    for event in made.events(with_usage=True)[:-1]:
        for part in msgspec.json.decode(event[6:])["choices"]:
            for piece in part["delta"].get("tool_calls", ()):
                streamed += piece["function"]["arguments"]
    assert streamed == call["function"]["arguments"]


@pytest.mark.parametrize(("choice", "calls"), [("required", True), ({"type": "function"}, True), ("auto", False)])
def test_a_tool_choice_is_obeyed(choice: Any, calls: bool) -> None:
    assert (reply(chat(tools=[TOOL], tool_choice=choice)).tool_call is not None) is calls


def test_parts_and_messages_are_read_as_text() -> None:
    content = [{"type": "text", "text": "a"}, {"type": "image_url"}, "b"]
    request = {"messages": [{"role": "system", "content": None}, {"role": "user", "content": content}]}
    assert answers.prompt_text(request) == "\na  b"
    assert answers.prompt_text({"prompt": ["a", "b"]}) == "a b"
    assert answers.prompt_text({"input": "c"}) == "c"


def test_embeddings_are_unit_vectors_of_the_text_alone() -> None:
    request = {"input": ["a", "b", "a"], "dimensions": 16}
    first, second, third = (e["embedding"] for e in msgspec.json.decode(answers.embedding(request, "m"))["data"])
    assert first == third != second
    assert sum(value * value for value in first) == pytest.approx(1)
    packed = msgspec.json.decode(answers.embedding(request | {"encoding_format": "base64"}, "m"))["data"][0]
    assert list(struct.unpack("<16f", base64.b64decode(packed["embedding"]))) == first


@pytest.mark.parametrize(("given_input", "count"), [("a", 1), (["a", "b"], 2), ([1, 2, 3], 1), ([[1], [2]], 2)])
def test_every_form_of_input_is_embedded(given_input: Any, count: int) -> None:
    body = msgspec.json.decode(answers.embedding({"input": given_input}, "m"))
    assert len(body["data"]) == count
    assert len(body["data"][0]["embedding"]) == answers.DEFAULT_DIMENSIONS
    assert body["usage"]["prompt_tokens"] == body["usage"]["total_tokens"] >= count
