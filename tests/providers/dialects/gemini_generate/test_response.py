"""A whole answer comes out as it went in, and Google's own types take what is written."""

import json

import msgspec
import pytest
from google.genai import types
from hypothesis import given

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Dialect, Usage
from providers.dialects.conversation import (
    Answer,
    Choice,
    Finish,
    Image,
    Refusal,
    Source,
    Text,
    Thinking,
    ToolCall,
)
from providers.dialects.gemini_generate.codec import CHAT_BACK, CHAT_FRONT, CHAT_THROUGH
from tests.providers.dialects.gemini_generate import cassettes
from tests.providers.dialects.gemini_generate.requests import ASKED, answers


def _write(answer: Answer) -> types.GenerateContentResponse:
    return types.GenerateContentResponse.model_validate(json.loads(CHAT_FRONT.encode_answer(answer, ASKED)))


@given(answers())
def test_an_answer_survives_the_wire(answer: Answer) -> None:
    body = CHAT_FRONT.encode_answer(answer, ASKED)
    assert CHAT_BACK.decode_answer(body) == answer
    types.GenerateContentResponse.model_validate(json.loads(body))


@pytest.mark.parametrize("name", cassettes.EXCHANGES)
def test_what_gemini_says_is_written_again_with_the_same_meaning(name: str) -> None:
    answer = CHAT_BACK.decode_answer(cassettes.response(name))
    again = CHAT_BACK.decode_answer(CHAT_FRONT.encode_answer(answer, ASKED))
    no_searches = msgspec.structs.replace(answer.usage, searches=0) if answer.usage else None
    assert again == msgspec.structs.replace(answer, usage=no_searches)


def test_text_and_usage_are_read() -> None:
    answer = CHAT_BACK.decode_answer(cassettes.response("chat.json"))
    assert answer == Answer(
        choices=(Choice((Text("Hello."),), Finish.STOP),),
        id="r-1",
        model="gemini-2.5-flash",
        usage=Usage(input_tokens=9, output_tokens=2),
    )


def test_calls_get_ids_and_make_the_finish() -> None:
    (choice,) = CHAT_BACK.decode_answer(cassettes.response("tools.json")).choices
    assert choice.finish is Finish.TOOL_CALLS
    assert choice.parts == (
        ToolCall("call_r-1_1", "get_weather", '{"city": "Rome"}', signature="c2lnLTE=", dialect=Dialect.GEMINI),
        ToolCall("call_r-1_2", "get_weather", '{"city": "Oslo"}'),
    )


def test_thoughts_are_output_and_a_signature_on_text_is_a_thought_of_its_own() -> None:
    answer = CHAT_BACK.decode_answer(cassettes.response("reasoning.json"))
    assert answer.choices[0].parts == (
        Thinking("**Adding**"),
        Text("4"),
        Thinking(signature="c2lnLTI=", dialect=Dialect.GEMINI),
    )
    assert answer.usage == Usage(input_tokens=7, cached_input_tokens=4, output_tokens=26, reasoning_tokens=25)


def test_a_refused_prompt_is_a_filtered_choice() -> None:
    answer = CHAT_BACK.decode_answer(cassettes.response("blocked.json"))
    assert answer.choices == (Choice((), Finish.CONTENT_FILTER),)
    assert CHAT_THROUGH.read_facts(cassettes.response("blocked.json")).finish_reason == "content_filter"


def test_segments_are_counted_in_characters_and_searches_are_counted() -> None:
    answer = CHAT_BACK.decode_answer(cassettes.response("grounded.json"))
    (part,) = answer.choices[0].parts
    assert isinstance(part, Text)
    (citation,) = part.citations
    assert (citation.url, part.text[citation.start : citation.end]) == ("https://example.com/a", "Spain")
    assert answer.usage == Usage(input_tokens=36, output_tokens=5, searches=1)


def test_another_vendor_s_signatures_travel_through_google_s_types() -> None:
    parts = (
        Thinking("hm", signature="c2ln", dialect=Dialect.ANTHROPIC),
        Thinking(redacted="AAAA/+", dialect=Dialect.ANTHROPIC),
        ToolCall("c", "f", "{}"),
    )
    written = _write(Answer((Choice(parts, Finish.TOOL_CALLS),)))
    echoed = written.model_dump_json(by_alias=True, exclude_none=True).encode()
    assert CHAT_BACK.decode_answer(echoed).choices[0].parts == parts


def test_a_call_with_broken_arguments_is_the_reason_for_the_end() -> None:
    call = ToolCall("c", "f", '{"a": ')
    written = _write(Answer((Choice((Text("x"), call), Finish.TOOL_CALLS),)))
    assert written.candidates is not None
    assert written.candidates[0].finish_reason is types.FinishReason.MALFORMED_FUNCTION_CALL
    cut = _write(Answer((Choice((call,), Finish.LENGTH),)))
    assert cut.candidates is not None
    assert cut.candidates[0].finish_reason is types.FinishReason.MAX_TOKENS


def test_refusals_and_pictures_are_told() -> None:
    parts = (Refusal("No."), Image(Source(data="aGk=", media_type="image/png")))
    body = CHAT_FRONT.encode_answer(Answer((Choice(parts, Finish.STOP),)), ASKED)
    assert CHAT_BACK.decode_answer(body).choices[0].parts == (Text("No."), parts[1])


def test_where_the_provider_names_nothing_the_gateway_does() -> None:
    written = _write(Answer((Choice((Text("x"),), Finish.STOP),)))
    assert (written.response_id, written.model_version) == ("a-1", "m")


def test_facts_measure_the_text_where_no_usage_is_reported() -> None:
    body = b'{"candidates":[{"content":{"parts":[{"text":"h\xc3\xa9"},{"functionCall":{"name":"f","args":{}}}]}}]}'
    facts = CHAT_THROUGH.read_facts(body)
    assert (facts.usage, facts.finish_reason, facts.output_bytes) == (None, "tool_calls", 5)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"candidates":[]}', b'{"candidates":3}'])
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        CHAT_BACK.decode_answer(body)
    with pytest.raises(UpstreamBroken):
        CHAT_THROUGH.read_facts(body)
