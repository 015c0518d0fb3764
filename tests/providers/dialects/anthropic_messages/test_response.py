"""Answers are read and written without loss, in the form that the vendor's clients check."""

import json
from typing import Any

import msgspec
import pytest
from anthropic.types import Message as VendorMessage
from hypothesis import given, settings

from kernel.errors import UpstreamBroken
from providers.dialects.anthropic_messages.finish import read_finish, write_reason
from providers.dialects.anthropic_messages.response import decode_answer, encode_answer, read_facts
from providers.dialects.canonical import Dialect, Usage
from providers.dialects.conversation import (
    Answer,
    Choice,
    Citation,
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
from tests.providers.dialects.anthropic_messages.recorded import ANSWERS as RECORDED
from tests.providers.dialects.anthropic_messages.recorded import ASKED, body, cassette
from tests.providers.dialects.anthropic_messages.requests import ANSWERS, meaning


def _written(*parts: Part, finish: Finish = Finish.STOP) -> Any:
    return json.loads(encode_answer(Answer((Choice(parts, finish),)), ASKED))


@settings(deadline=None)
@given(ANSWERS)
def test_answers_come_back(answer: Answer) -> None:
    written = encode_answer(answer, ASKED)
    VendorMessage.model_validate_json(written)
    assert meaning(decode_answer(written)) == meaning(answer)


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_answers_come_back(name: str) -> None:
    recorded = cassette(name)["response"]
    VendorMessage.model_validate(recorded)
    answer = decode_answer(body(recorded))
    written = encode_answer(answer, ASKED)
    VendorMessage.model_validate_json(written)
    assert meaning(decode_answer(written)) == meaning(answer)
    assert json.loads(written)["content"] == recorded["content"]


def test_an_answer_without_a_name_gets_one() -> None:
    written = _written(Text("hi"))
    assert (written["id"], written["model"], written["type"], written["role"]) == (
        *("msg_own", "route"),
        *("message", "assistant"),
    )
    assert (written["stop_reason"], written["stop_sequence"]) == ("end_turn", None)
    VendorMessage.model_validate(written)


def test_a_foreign_answer_is_one_that_clients_read() -> None:
    citation = Citation("url", Dialect.RESPONSES, msgspec.Raw(b"{}"), title="T", url="https://x")
    written = _written(
        Thinking("hm", signature="sig", id="rs_1", dialect=Dialect.RESPONSES),
        Text("a", citations=(citation,)),
        Text(""),
        Refusal("no"),
        ToolCall("c", "f", '{"a":', signature="Cq", dialect=Dialect.GEMINI),
        Opaque(Dialect.RESPONSES, "x", msgspec.Raw(b"{}")),
    )
    VendorMessage.model_validate(written)
    assert [block["type"] for block in written["content"]] == [
        *("thinking", "text", "text"),
        *("redacted_thinking", "tool_use"),
    ]
    assert written["content"][-1]["input"] == {"arguments": '{"a":'}
    thought, _, _, call = decode_answer(body(written)).choices[0].parts
    assert thought == Thinking("hm", signature="sig", id="rs_1", dialect=Dialect.RESPONSES)
    assert isinstance(call, ToolCall)
    assert (call.signature, call.dialect) == ("Cq", Dialect.GEMINI)


def test_a_picture_is_not_lost() -> None:
    (block,) = _written(Image(Source(data="AA==")))["content"]
    assert block["source"] == {"type": "base64", "media_type": "image/png", "data": "AA=="}
    (block,) = _written(Image(Source(url="https://x")))["content"]
    assert block["source"] == {"type": "url", "url": "https://x"}


@pytest.mark.parametrize("finish", list(Finish))
def test_every_finish_has_a_reason(finish: Finish) -> None:
    VendorMessage.model_validate(_written(Text("a"), finish=finish))
    known = {Finish.CONTENT_FILTER: Finish.REFUSAL, Finish.ERROR: Finish.STOP}
    assert read_finish(write_reason(finish)) is known.get(finish, finish)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("", Finish.STOP),
        ("bored", Finish.STOP),
        ("content_filtered", Finish.CONTENT_FILTER),
        ("max_time", Finish.LENGTH),
    ],
)
def test_a_new_reason_says_what_it_is(reason: str, finish: Finish) -> None:
    assert read_finish(reason) is finish


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b" ",
        b"<html>",
        b"[]",
        b'{"content": [',
        b'{"type": "error"}',
        b'{"content": "x"}',
        b'{"content": [{"type": 7}]}',
    ],
)
def test_what_is_no_answer(given: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        decode_answer(given)


def test_facts_are_read() -> None:
    facts = read_facts(body(cassette("tools.json")["response"]))
    assert (facts.usage, facts.finish_reason) == (Usage(input_tokens=300, output_tokens=60), "tool_calls")


def test_an_odd_answer_is_counted_by_its_size() -> None:
    odd = b'{"content": [{"type": "text", "text": 7}]}'
    assert read_facts(odd).output_bytes == len(odd)
    with pytest.raises(UpstreamBroken):
        read_facts(b'{"type": "error"}')
