"""Chunks become events, the same ones however the bytes were cut; a cut stream is never taken for a whole one."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.canonical import Dialect, Usage
from providers.dialects.conversation import (
    Choice,
    Ended,
    Event,
    Failed,
    Finish,
    Text,
    TextDelta,
    Thinking,
    ToolCall,
    UsageReport,
)
from providers.dialects.gemini_generate.codec import CHAT_BACK
from tests.providers.dialects.gemini_generate import cassettes
from tests.providers.dialects.streams import assemble, decode_all, every_split


def _events(data: bytes) -> list[Event]:
    return decode_all(CHAT_BACK.decoder(), [data])


def _chunk(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\r\n\r\n"


def _text(text: str, index: int = 0, **fields: object) -> bytes:
    return _chunk(candidates=[{"content": {"parts": [{"text": text}]}, "index": index, **fields}])


@pytest.mark.parametrize("name", cassettes.STREAMS)
def test_every_cut_gives_the_same_events(name: str) -> None:
    data = cassettes.stream(name)
    whole = _events(data)
    assemble(whole)
    for pieces in every_split(data):
        assert decode_all(CHAT_BACK.decoder(), pieces) == whole


def test_text_is_one_part_and_the_last_usage_stands() -> None:
    answer = assemble(_events(cassettes.stream("chat_stream.sse")))
    assert answer.choices == (Choice((Text("Héllo, world."),), Finish.STOP),)
    assert (answer.id, answer.model) == ("r-1", "gemini-2.5-flash")
    assert answer.usage == Usage(input_tokens=9, output_tokens=4)


def test_calls_come_whole_with_ids_of_the_whole_stream() -> None:
    (choice,) = assemble(_events(cassettes.stream("tools_stream.sse"))).choices
    assert choice.finish is Finish.TOOL_CALLS
    assert choice.parts == (
        Text("Let me look."),
        ToolCall("call_r-1_1", "get_weather", '{"city": "Rome"}', signature="c2lnLTE=", dialect=Dialect.GEMINI),
        ToolCall("given-1", "get_weather", '{"city": "Oslo"}'),
    )


def test_thoughts_text_and_the_signature_at_the_end_are_parts() -> None:
    answer = assemble(_events(cassettes.stream("reasoning_stream.sse")))
    assert answer.choices[0].parts == (
        Thinking("**Adding**"),
        Text("4"),
        Thinking(signature="c2lnLTI=", dialect=Dialect.GEMINI),
    )
    assert answer.usage == Usage(input_tokens=7, output_tokens=26, reasoning_tokens=25)


def test_citations_stand_at_their_text() -> None:
    answer = assemble(_events(cassettes.stream("grounded_stream.sse")))
    (part,) = answer.choices[0].parts
    assert isinstance(part, Text)
    assert [(citation.url, citation.text) for citation in part.citations] == [("https://example.com/a", "Spain")]
    assert answer.usage == Usage(input_tokens=6, output_tokens=5, searches=1)


def test_a_refused_prompt_is_a_filtered_choice() -> None:
    answer = assemble(_events(cassettes.stream("blocked_stream.sse")))
    assert answer.choices == (Choice((), Finish.CONTENT_FILTER),)


def test_choices_are_told_apart() -> None:
    data = _text("a") + _text("b", 1, finishReason="MAX_TOKENS") + _text("c", finishReason="STOP")
    choices = assemble(_events(data)).choices
    assert choices == (Choice((Text("ac"),), Finish.STOP), Choice((Text("b"),), Finish.LENGTH, index=1))


def test_nothing_is_told_of_a_choice_after_its_end() -> None:
    data = _text("a", finishReason="STOP") + _text("b", finishReason="STOP")
    assert assemble(_events(data)).choices == (Choice((Text("a"),), Finish.STOP),)


def test_an_unchanged_usage_is_reported_once() -> None:
    usage = {"promptTokenCount": 1, "totalTokenCount": 1}
    data = _chunk(usageMetadata=usage) + _chunk(usageMetadata=usage) + _text("a", finishReason="STOP")
    assert sum(isinstance(event, UsageReport) for event in _events(data)) == 1


def test_probabilities_come_with_their_text() -> None:
    logprobs = {"chosenCandidates": [{"token": "a", "logProbability": -0.5}]}
    events = _events(_text("a", logprobsResult=logprobs, finishReason="STOP"))
    (delta,) = [event for event in events if isinstance(event, TextDelta)]
    assert delta.logprobs is not None
    assert json.loads(bytes(delta.logprobs))[0]["logprob"] == -0.5


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "upstream_cut"),
        (_text("a"), "upstream_cut"),
        (_text("a", finishReason="STOP") + _text("b", 1), "upstream_cut"),
        (_text("a") + b'data: {"candi', "upstream_invalid_response"),
        (b"<html>no</html>", "upstream_cut"),
        (b"data: {oops\r\n\r\n", "upstream_invalid_response"),
        (b"data: []\r\n\r\n", "upstream_invalid_response"),
        (_chunk(error={"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}), "upstream_overloaded"),
        (_text("a") + cassettes.response("error_429.json"), "rate_limit_exceeded"),
        (b"[" + cassettes.response("error_400.json") + b"]\n", "context_length_exceeded"),
    ],
)
def test_what_is_no_whole_stream_fails_once(data: bytes, code: str) -> None:
    decoder = CHAT_BACK.decoder()
    events = [*decoder.feed(data), *decoder.end(), *decoder.end(), *decoder.feed(_text("x"))]
    failures = [event for event in events if isinstance(event, Failed)]
    assert len(failures) == 1
    assert failures[0] is events[-1]
    assert failures[0].error.code == code


def test_a_last_event_without_its_blank_line_counts() -> None:
    assert isinstance(_events(_text("a", finishReason="STOP").rstrip())[-1], Ended)


@given(
    st.binary(max_size=200) | st.builds(lambda piece: b"data: " + piece, st.binary(max_size=200)),
    st.lists(st.integers(0, 200)),
)
def test_any_bytes_end_or_fail_once_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    events = decode_all(CHAT_BACK.decoder(), [data[a:b] for a, b in pairwise(places)])
    assert sum(isinstance(event, Failed | Ended) for event in events) == 1
    assert isinstance(events[-1], Failed | Ended)


def test_letters_that_are_none_in_a_call_are_a_failure() -> None:
    call = {"functionCall": {"name": "f", "args": {"a": "x"}}}
    events = _events(_chunk(candidates=[{"content": {"parts": [call]}}]).replace(b'"x"', b'"\x80"'))
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed is events[-1]
