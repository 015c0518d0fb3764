"""The events of a stream are told in Gemini's chunks, in both forms, and read back they say the same."""

import json
from typing import Any

import msgspec
import pytest
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Dialect, Usage
from providers.dialects.conversation import (
    Answer,
    CitationAdded,
    Ended,
    Event,
    Finish,
    Finished,
    PartAdded,
    PartEnded,
    RefusalDelta,
    Started,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolDelta,
    ToolStarted,
    UsageReport,
)
from providers.dialects.gemini_generate.codec import CHAT_ARRAY_FRONT, CHAT_BACK, CHAT_FRONT
from tests.providers.dialects.gemini_generate import cassettes
from tests.providers.dialects.gemini_generate.requests import ASKED, answers
from tests.providers.dialects.streams import assemble, decode_all


def _tell(answer: Answer, cut: int, *, mark_ends: bool) -> list[Event]:
    """Return the events of an answer, its texts cut in pieces."""
    events: list[Event] = [Started(answer.id, answer.model)]
    for choice in answer.choices:
        for number, part in enumerate(choice.parts):
            where = {"part": number, "choice": choice.index}
            match part:
                case Text():
                    pieces = [part.text[:cut], part.text[cut:]]
                    events += [TextDelta(piece, **where) for piece in pieces]
                case Thinking():
                    events.append(ThinkingDelta(text=part.text, **where))
                    events.append(ThinkingDelta(signature=part.signature, dialect=part.dialect, **where))
                case ToolCall():
                    events.append(ToolStarted(part.id, part.name, number, choice.index, part.signature, part.dialect))
                    events += [ToolDelta(piece, **where) for piece in (part.arguments[:cut], part.arguments[cut:])]
                case _:
                    events.append(PartAdded(part, **where))  # type: ignore[arg-type]  # the strategy has no other kind
            if mark_ends:
                events.append(PartEnded(**where))
        events.append(Finished(choice.finish, choice.index))
    return [*events, *([UsageReport(answer.usage)] if answer.usage else []), Ended()]


def _write(events: list[Event]) -> bytes:
    return CHAT_FRONT.encoder(ASKED, lambda usage: None).encode(events)


def _chunks(data: bytes) -> list[dict[str, Any]]:
    assert data.endswith(b"\r\n\r\n")
    chunks = [json.loads(event.removeprefix(b"data: ")) for event in data.split(b"\r\n\r\n")[:-1]]
    for chunk in chunks:
        types.GenerateContentResponse.model_validate(chunk)
    return chunks


@given(answers(), st.integers(0, 5), st.booleans())
def test_a_stream_survives_the_wire(answer: Answer, cut: int, mark_ends: bool) -> None:
    data = _write(_tell(answer, cut, mark_ends=mark_ends))
    _chunks(data)
    assert assemble(decode_all(CHAT_BACK.decoder(), [data])) == answer


@pytest.mark.parametrize("name", cassettes.STREAMS)
def test_what_gemini_streams_is_told_again_with_the_same_meaning(name: str) -> None:
    events = decode_all(CHAT_BACK.decoder(), [cassettes.stream(name)])
    told, again = assemble(events), assemble(decode_all(CHAT_BACK.decoder(), [_write(events)]))
    usage = msgspec.structs.replace(told.usage, searches=0) if told.usage else None
    assert again == msgspec.structs.replace(told, usage=usage)


@given(answers(), st.integers(0, 5))
def test_the_array_holds_the_same_chunks(answer: Answer, cut: int) -> None:
    encoder = CHAT_ARRAY_FRONT.encoder(ASKED, lambda usage: None)
    events = _tell(answer, cut, mark_ends=False)
    data = b"".join(encoder.encode([event]) for event in events)
    assert json.loads(data) == _chunks(_write(events))


def test_text_goes_out_at_once_and_the_end_with_the_usage() -> None:
    encoder = CHAT_FRONT.encoder(ASKED, lambda usage: None)
    assert encoder.encode([Started(), UsageReport(Usage(input_tokens=3))]) == b""
    assert encoder.encode([TextDelta("hé")]) == (
        b'data: {"candidates":[{"content":{"parts":[{"text":"h\xc3\xa9"}],"role":"model"},"index":0}],'
        b'"modelVersion":"m","responseId":"a-1"}\r\n\r\n'
    )
    assert encoder.encode([Finished(Finish.STOP)]) == b""
    (last,) = _chunks(encoder.encode([UsageReport(Usage(input_tokens=3, output_tokens=2)), Ended()]))
    assert last["candidates"][0]["finishReason"] == "STOP"
    assert last["usageMetadata"] == {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}


def test_calls_whose_arguments_are_interleaved_come_out_whole() -> None:
    events: list[Event] = [
        ToolStarted("a", "f", part=0),
        ToolStarted("b", "g", part=1),
        ToolDelta('{"x"', part=0),
        ToolDelta("{}", part=1),
        ToolDelta(":1}", part=0),
        Finished(Finish.TOOL_CALLS),
        Ended(),
    ]
    first, last = _chunks(_write(events))
    calls = [part["functionCall"] for part in first["candidates"][0]["content"]["parts"]]
    assert calls == [{"id": "a", "name": "f", "args": {"x": 1}}, {"id": "b", "name": "g", "args": {}}]
    assert last["candidates"][0]["finishReason"] == "STOP"


def test_a_call_with_broken_arguments_is_the_reason_for_the_end() -> None:
    call: list[Event] = [ToolStarted("a", "f"), ToolDelta('{"x"')]
    assert _chunks(_write([*call, Finished(Finish.TOOL_CALLS), Ended()]))[-1]["candidates"][0]["finishReason"] == (
        "MALFORMED_FUNCTION_CALL"
    )
    assert _chunks(_write([*call, Finished(Finish.LENGTH), Ended()]))[-1]["candidates"][0]["finishReason"] == (
        "MAX_TOKENS"
    )


def test_another_vendor_s_thinking_comes_back_to_it() -> None:
    events: list[Event] = [
        ThinkingDelta(text="hm"),
        ThinkingDelta(signature="c2l", dialect=Dialect.ANTHROPIC),
        ThinkingDelta(signature="n", dialect=Dialect.ANTHROPIC),
        ThinkingDelta(part=1, redacted="AA", dialect=Dialect.ANTHROPIC),
        TextDelta("x", part=2),
        RefusalDelta("y", part=3),
        Finished(Finish.REFUSAL),
        Ended(),
    ]
    (choice,) = assemble(decode_all(CHAT_BACK.decoder(), [_write(events)])).choices
    assert choice.parts == (
        Thinking("hm", signature="c2ln", dialect=Dialect.ANTHROPIC),
        Thinking(redacted="AA", dialect=Dialect.ANTHROPIC),
        Text("xy"),
    )
    assert choice.finish is Finish.CONTENT_FILTER


def test_citations_and_probabilities_are_told() -> None:
    (citation,) = [
        event
        for event in decode_all(CHAT_BACK.decoder(), [cassettes.stream("grounded_stream.sse")])
        if isinstance(event, CitationAdded)
    ]
    logprobs = msgspec.Raw(b'[{"token":"a","logprob":-1.0,"bytes":null,"top_logprobs":[]}]')
    first, last = _chunks(_write([TextDelta("a", logprobs=logprobs), citation, Finished(Finish.STOP), Ended()]))
    assert first["candidates"][0]["logprobsResult"]["chosenCandidates"] == [{"token": "a", "logProbability": -1.0}]
    assert last["candidates"][0]["groundingMetadata"]["groundingChunks"][0]["web"]["uri"] == "https://example.com/a"


def test_an_error_ends_either_form() -> None:
    error = UpstreamBroken("gone")
    streamed = CHAT_FRONT.encoder(ASKED, lambda usage: None).fail(error, request_id="q")
    assert json.loads(streamed.removeprefix(b"data: "))["error"]["status"] == "UNAVAILABLE"
    encoder = CHAT_ARRAY_FRONT.encoder(ASKED, lambda usage: None)
    data = encoder.encode([TextDelta("a")]) + encoder.fail(error, request_id="q")
    assert json.loads(data)[1]["error"]["message"] == "gone"
