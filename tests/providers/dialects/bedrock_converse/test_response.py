"""Whole answers, recorded and odd; botocore's parser reads the recorded ones alike."""

import msgspec
import pytest

from kernel.errors import UpstreamBroken
from providers.dialects.bedrock_converse.response import decode_answer
from providers.dialects.canonical import Dialect, Usage
from providers.dialects.conversation import (
    Answer,
    Citation,
    Finish,
    Image,
    Opaque,
    Part,
    Source,
    Text,
    Thinking,
    ToolCall,
)
from tests.providers.dialects.bedrock_converse.botocore_model import parse
from tests.providers.dialects.bedrock_converse.frames import cassette


def recorded(name: str) -> Answer:
    return decode_answer(msgspec.json.encode(cassette(name)["response"]))


def parts_of(*content: object) -> tuple[Part, ...]:
    body = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "end_turn"}
    return decode_answer(msgspec.json.encode(body)).choices[0].parts


def test_a_chat() -> None:
    answer = recorded("chat.json")
    assert answer.choices[0].parts == (Text("Hello!"),)
    assert answer.choices[0].finish is Finish.STOP
    assert answer.usage == Usage(input_tokens=14, output_tokens=4)


def test_tools() -> None:
    answer = recorded("tools.json")
    assert answer.choices[0].parts == (
        Text("I'll look."),
        ToolCall("tooluse_aaa", "get_weather", '{"city":"Paris"}'),
        ToolCall("tooluse_bbb", "get_weather", "{}"),
    )
    assert answer.choices[0].finish is Finish.TOOL_CALLS
    assert answer.usage == Usage(input_tokens=420, cached_input_tokens=100, cache_write_tokens=20, output_tokens=60)


def test_reasoning() -> None:
    answer = recorded("reasoning.json")
    assert answer.choices[0].parts == (
        Thinking("17*3 is 51.", signature="EqQBCkgIARAB", dialect=Dialect.CONVERSE),
        Thinking(redacted="cmVkYWN0ZWQ=", dialect=Dialect.CONVERSE),
        Text("51"),
    )
    assert answer.service_tier == "flex"


def test_citations() -> None:
    answer = recorded("citations.json")
    [text] = answer.choices[0].parts
    assert isinstance(text, Text)
    [citation] = text.citations
    assert isinstance(citation, Citation)
    assert (text.text, citation.kind, citation.source_index, citation.end) == ("Green.", "characters", 0, 15)
    assert (citation.text, citation.title) == ("Grass is green.", "notes")
    assert (answer.choices[0].finish, answer.choices[0].stop_sequence) == (Finish.STOP_SEQUENCE, "END")


@pytest.mark.parametrize("name", ["chat.json", "tools.json", "reasoning.json", "citations.json"])
def test_botocore_reads_the_same(name: str) -> None:
    theirs = parse(msgspec.json.encode(cassette(name)["response"]))
    answer = recorded(name)
    blocks = theirs["output"]["message"]["content"]
    texts = [block["text"] for block in blocks if "text" in block]
    uses = [block["toolUse"] for block in blocks if "toolUse" in block]
    parts = answer.choices[0].parts
    assert [part.text for part in parts if isinstance(part, Text) and not part.citations] == texts
    calls = [part for part in parts if isinstance(part, ToolCall)]
    assert [(call.id, call.name, msgspec.json.decode(call.arguments)) for call in calls] == [
        (use["toolUseId"], use["name"], use["input"]) for use in uses
    ]
    assert answer.usage is not None
    assert answer.usage.output_tokens == theirs["usage"]["outputTokens"]


def test_arguments_keep_their_spelling() -> None:
    body = (
        b'{"stopReason":"tool_use","output":{"message":{"content":[{"toolUse":'
        b'{"toolUseId":"a","name":"b","input":{"x": 1.50, "y":"\\u00e9"}}}]}}}'
    )
    [call] = decode_answer(body).choices[0].parts
    assert isinstance(call, ToolCall)
    assert call.arguments == '{"x": 1.50, "y":"\\u00e9"}'


def test_a_picture() -> None:
    assert parts_of({"image": {"format": "jpeg", "source": {"bytes": "/9j/"}}}) == (
        Image(Source(data="/9j/", media_type="image/jpeg")),
    )


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        ({"toolUse": {"toolUseId": "a", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}}, "toolUse"),
        ({"toolResult": {"toolUseId": "a", "content": []}}, "toolResult"),
        ({"image": {"format": "png", "source": {"s3Location": {"uri": "s3://a/b"}}}}, "image"),
        ({"newThing": 1}, "newThing"),
        ({}, ""),
    ],
)
def test_what_only_converse_has_stays_raw(block: object, kind: str) -> None:
    [part] = parts_of(block)
    assert isinstance(part, Opaque)
    assert (part.dialect, part.kind, msgspec.json.decode(part.raw)) == (Dialect.CONVERSE, kind, block)


def test_an_answer_without_usage_or_content() -> None:
    answer = decode_answer(b'{"output":{},"stopReason":"guardrail_intervened"}')
    assert answer.choices[0].parts == ()
    assert (answer.choices[0].finish, answer.usage) == (Finish.CONTENT_FILTER, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"message":"no"}',
        b'{"output":{"message":{"content":[7]}}}',
        b"\xff",
        b'{"output"',
    ],
)
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        decode_answer(body)
