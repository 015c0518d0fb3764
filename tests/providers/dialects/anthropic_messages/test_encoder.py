"""What is written is the vendor's sequence of events, and tells what the hub's events told."""

from typing import Any

import msgspec
import pytest
from anthropic.types import RawMessageStreamEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from kernel.errors import UpstreamBroken
from providers.dialects.anthropic_messages.decoder import AnthropicDecoder
from providers.dialects.anthropic_messages.encoder import AnthropicEncoder
from providers.dialects.canonical import Dialect, Usage
from providers.dialects.conversation import (
    Answer,
    Choice,
    Citation,
    CitationAdded,
    Ended,
    Event,
    Finish,
    Finished,
    Image,
    Opaque,
    PartAdded,
    PartEnded,
    RefusalDelta,
    Source,
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
from tests.providers.dialects.anthropic_messages.recorded import ASKED, STREAMS, events_of, stream
from tests.providers.dialects.anthropic_messages.requests import ANSWERS, meaning
from tests.providers.dialects.streams import assemble, decode_all

EVENTS: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
USAGE = UsageReport(Usage(input_tokens=9, output_tokens=4))
END: list[Event] = [Finished(Finish.STOP), USAGE, Ended()]


def _told(*events: Event) -> list[dict[str, Any]]:
    told = events_of(AnthropicEncoder(ASKED).encode(list(events)))
    for event in told:
        EVENTS.validate_python(event)
    return told


def _answer(*events: Event) -> Answer:
    written = AnthropicEncoder(ASKED).encode([*events, *END])
    return assemble(decode_all(AnthropicDecoder(), [written]))


def _events_of(answer: Answer, cut: int) -> list[Event]:
    """Return an answer as a stream, its texts in pieces of a size."""
    assert answer.usage is not None
    choice = answer.choices[0]
    events: list[Event] = [Started(answer.id, answer.model)]
    for number, part in enumerate(choice.parts):
        match part:
            case Text():
                events += [TextDelta(piece, number) for piece in _pieces(part.text, cut)]
            case Thinking():
                events += [ThinkingDelta(number, text=piece, dialect=part.dialect) for piece in _pieces(part.text, cut)]
                last = ThinkingDelta(number, signature=part.signature, redacted=part.redacted, dialect=part.dialect)
                events.append(last)
            case ToolCall():
                events.append(ToolStarted(part.id, part.name, number))
                events += [ToolDelta(piece, number) for piece in _pieces(part.arguments, cut)]
        events += [PartEnded(number)] if cut % 2 else []
    return [*events, Finished(choice.finish, stop_sequence=choice.stop_sequence), UsageReport(answer.usage), Ended()]


def _pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@settings(deadline=None)
@given(ANSWERS, st.integers(1, 9), st.booleans())
def test_answers_come_back_as_streams(answer: Answer, cut: int, together: bool) -> None:
    encoder = AnthropicEncoder(ASKED)
    events = _events_of(answer, cut)
    written = encoder.encode(events) if together else b"".join(encoder.encode([event]) for event in events)
    for event in events_of(written):
        EVENTS.validate_python(event)
    assert meaning(assemble(decode_all(AnthropicDecoder(), [written]))) == meaning(answer)


@pytest.mark.parametrize("name", STREAMS)
def test_recorded_streams_come_back(name: str) -> None:
    events = decode_all(AnthropicDecoder(), [stream(name)])
    written = AnthropicEncoder(ASKED).encode(events)
    assert meaning(assemble(decode_all(AnthropicDecoder(), [written]))) == meaning(assemble(events))
    kinds = [event["type"] for event in events_of(written) if not event["type"].endswith("delta")]
    recorded = [event["type"] for event in events_of(stream(name)) if not event["type"].endswith("delta")]
    assert kinds == [kind for kind in recorded if kind != "ping"]


def test_the_sequence_of_a_text() -> None:
    told = _told(Started("i", "m"), TextDelta("a"), TextDelta("ß"), *END)
    assert [event["type"] for event in told] == [
        *("message_start", "content_block_start", "content_block_delta", "content_block_delta"),
        *("content_block_stop", "message_delta", "message_stop"),
    ]
    assert (told[0]["message"]["id"], told[0]["message"]["model"]) == ("i", "m")
    assert told[3]["delta"] == {"type": "text_delta", "text": "ß"}
    assert told[5]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert (told[5]["usage"]["input_tokens"], told[5]["usage"]["output_tokens"]) == (9, 4)


def test_the_start_is_told_at_once_with_the_usage_that_is_known() -> None:
    (start,) = events_of(AnthropicEncoder(ASKED).encode([Started(), USAGE]))
    assert (start["message"]["id"], start["message"]["usage"]["input_tokens"]) == ("msg_own", 9)
    assert _told(TextDelta("a"))[0]["message"]["model"] == "route"


def test_a_block_ends_where_the_next_begins() -> None:
    told = _told(ThinkingDelta(text="a"), TextDelta("b", 1), RefusalDelta("c", 2), *END)
    starts = [event["index"] for event in told if event["type"] == "content_block_start"]
    stops = [event["index"] for event in told if event["type"] == "content_block_stop"]
    assert (starts, stops) == ([0, 1, 2], [0, 1, 2])


def test_calls_that_come_mixed_are_not_mixed_up() -> None:
    answer = _answer(
        ToolStarted("1", "f"),
        ToolStarted("2", "g", 1),
        ToolDelta('{"a":'),
        ToolDelta("{}", 1),
        ToolDelta("1}"),
        ToolStarted("3", "h", 2),
        TextDelta("t", 3),
    )
    assert answer.choices[0].parts == (
        ToolCall("1", "f", '{"a":1}'),
        ToolCall("2", "g", "{}"),
        ToolCall("3", "h", "{}"),
        Text("t"),
    )


def test_foreign_signatures_survive() -> None:
    answer = _answer(
        ThinkingDelta(text="a", dialect=Dialect.GEMINI),
        ThinkingDelta(signature="C", dialect=Dialect.GEMINI),
        ThinkingDelta(signature="q", id="rs", dialect=Dialect.GEMINI),
        ThinkingDelta(1, redacted="r", dialect=Dialect.RESPONSES, id="rs_2"),
    )
    assert answer.choices[0].parts == (
        Thinking("a", signature="Cq", id="rs", dialect=Dialect.GEMINI),
        Thinking(redacted="r", id="rs_2", dialect=Dialect.RESPONSES),
    )
    told = _told(ToolStarted("1", "f", signature="Cq", dialect=Dialect.GEMINI), *END)
    blocks = [event["content_block"] for event in told if event["type"] == "content_block_start"]
    assert [block["type"] for block in blocks] == ["redacted_thinking", "tool_use"]


def test_what_only_other_dialects_have_is_left_out() -> None:
    foreign = PartAdded(Opaque(Dialect.RESPONSES, "x", msgspec.Raw(b"{}")))
    other = TextDelta("b", choice=1)
    assert [event["type"] for event in _told(foreign, other, Finished(Finish.LENGTH, choice=1), *END)] == [
        *("message_start", "message_delta", "message_stop"),
    ]
    written = AnthropicEncoder(ASKED).encode([PartAdded(Image(Source(url="https://x")))])
    assert events_of(written)[1]["content_block"]["type"] == "image"


def test_citations_and_refusals() -> None:
    citation = Citation("url", Dialect.RESPONSES, msgspec.Raw(b"{}"), title="T", url="https://x", text="c")
    told = _told(TextDelta("a"), CitationAdded(citation), *END)
    assert told[3]["delta"]["citation"]["url"] == "https://x"
    assert _answer(RefusalDelta("n"), RefusalDelta("o")).choices == (Choice((Text("no"),), Finish.STOP),)


def test_a_stream_without_a_finish_ends_properly() -> None:
    assert [event["type"] for event in _told(Ended())] == ["message_start", "message_delta", "message_stop"]


def test_an_error_is_the_last_event() -> None:
    encoder = AnthropicEncoder(ASKED)
    encoder.encode([TextDelta("a")])
    (error,) = events_of(encoder.fail(UpstreamBroken("broken"), request_id="req_1"))
    assert (error["error"]["type"], error["error"]["message"], error["request_id"]) == ("api_error", "broken", "req_1")
    assert encoder.encode([TextDelta("b"), Ended()]) == b""


def test_texts_are_escaped() -> None:
    text = '"\\\n\u2028 \x00'
    assert _told(TextDelta(text))[2]["delta"]["text"] == text
