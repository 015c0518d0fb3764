"""A stream is written as OpenAI writes it: strict clients read it, and reading it again gives the same answer."""

import json
from typing import Any

import msgspec
from hypothesis import given
from openai.types.chat import ChatCompletionChunk

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Dialect, Head, Usage
from providers.dialects.codec import Asked
from providers.dialects.conversation import (
    Answer,
    Citation,
    CitationAdded,
    Ended,
    Event,
    Finish,
    Finished,
    Image,
    PartAdded,
    PartEnded,
    Refusal,
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
from providers.dialects.openai_chat.decoder import ChatDecoder
from providers.dialects.openai_chat.encoder import ChatEncoder
from tests.providers.dialects.openai_chat.requests import answers
from tests.providers.dialects.streams import assemble, decode_all

ASKED = Asked(head=Head("m", wants_stream_usage=True), body=b"{}", model="m", answer_id="a1", created_at_s=9)


def _encoder(*, wants_usage: bool = True, cost: bytes | None = b"0.5") -> ChatEncoder:
    asked = msgspec.structs.replace(ASKED, head=Head("m", wants_stream_usage=wants_usage))
    return ChatEncoder(asked, lambda usage: cost)


def _chunks(data: bytes) -> list[dict[str, Any]]:
    events = data.decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk, strict=True)
    return chunks


def _write(*events: Event) -> list[dict[str, Any]]:
    return _chunks(_encoder().encode(list(events)))


def tell(answer: Answer) -> list[Event]:
    """The events of an answer, its texts in two pieces."""
    events: list[Event] = [Started(answer.id, answer.model)]
    for choice in answer.choices:
        for number, part in enumerate(choice.parts):
            events += _tell_part(part, number, choice.index)
        events.append(Finished(choice.finish, choice.index, choice.stop_sequence))
    if answer.usage is not None:
        events.append(UsageReport(answer.usage))
    return [*events, Ended()]


def _tell_part(part: object, number: int, index: int) -> list[Event]:
    match part:
        case Text():
            return [TextDelta(part.text[:3], number, index), TextDelta(part.text[3:], number, index)]
        case Refusal():
            return [RefusalDelta(part.text, number, index)]
        case Thinking():
            end = ThinkingDelta(number, index, signature=part.signature, dialect=part.dialect)
            return [ThinkingDelta(number, index, text=part.text), end]
        case ToolCall():
            start = ToolStarted(part.id, part.name, number, index, part.signature, part.dialect)
            return [start, ToolDelta(part.arguments, number, index)]
    raise AssertionError(part)


@given(answers())
def test_a_stream_comes_back_as_it_was(answer: Answer) -> None:
    data = _encoder(cost=None).encode(tell(answer))
    _chunks(data)
    assert assemble(decode_all(ChatDecoder(), [data])) == answer


def test_the_order_is_openai_s() -> None:
    usage = UsageReport(Usage(3, output_tokens=2))
    chunks = _write(Started("i", "n"), TextDelta('é"\n'), Finished(Finish.STOP), usage, Ended())
    assert [chunk["choices"][0]["delta"] for chunk in chunks[:-1]] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": 'é"\n'},
        {},
    ]
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * 3
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]] == [None, None, "stop"]
    assert chunks[-1]["choices"] == []
    assert (chunks[-1]["usage"]["total_tokens"], chunks[-1]["usage"]["cost"]) == (5, 0.5)
    assert {(chunk["id"], chunk["model"], chunk["created"]) for chunk in chunks} == {("i", "n", 9)}


def test_usage_that_nobody_asked_for_is_not_told() -> None:
    data = _encoder(wants_usage=False).encode(
        [Started(), TextDelta("a"), Finished(Finish.STOP), UsageReport(Usage(1)), Ended()]
    )
    assert b'"usage"' not in data
    assert _chunks(data)[0]["id"] == "a1"


def test_the_text_of_a_thought_is_said_again_with_its_signature() -> None:
    events: list[Event] = [
        *(ThinkingDelta(0, text="a"), ThinkingDelta(0, text="b")),
        *(ThinkingDelta(0, signature="s", dialect=Dialect.ANTHROPIC), PartEnded(0)),
        *(ThinkingDelta(1, redacted="r", dialect=Dialect.ANTHROPIC), TextDelta("c", 2), Finished(Finish.STOP), Ended()),
    ]
    details = [
        detail
        for chunk in _chunks(_encoder().encode(events))
        for choice in chunk["choices"]
        for detail in choice["delta"].get("reasoning_details", [])
    ]
    assert details == [
        {"type": "reasoning.text", "text": "ab", "signature": "s", "format": "anthropic", "index": 0},
        {"type": "reasoning.encrypted", "data": "r", "format": "anthropic", "index": 1},
    ]


def test_citations_count_from_the_beginning_of_the_message() -> None:
    cited = Citation("url", Dialect.GEMINI, msgspec.Raw(b"{}"), title="t", url="u")
    events: list[Event] = [
        TextDelta("ab", 0),
        TextDelta("cde", 1),
        CitationAdded(cited, 1),
        Finished(Finish.STOP),
        Ended(),
    ]
    found = [
        choice["delta"].get("annotations")
        for chunk in _chunks(_encoder().encode(events))
        for choice in chunk["choices"]
    ]
    inner = {"url": "u", "title": "t", "start_index": 2, "end_index": 5}
    assert [{"type": "url_citation", "url_citation": inner}] in found


def test_pictures_and_tokens() -> None:
    tokens = msgspec.Raw(b'[{"token":"a","logprob":-0.5,"bytes":null,"top_logprobs":[]}]')
    picture = PartAdded(Image(Source(data="aGk=", media_type="image/png")), 1)
    events: list[Event] = [TextDelta("a", logprobs=tokens), picture, Finished(Finish.STOP), Ended()]
    chunks = _chunks(_encoder().encode(events))
    assert chunks[1]["choices"][0]["logprobs"]["content"][0]["token"] == "a"
    assert chunks[2]["choices"][0]["delta"]["images"][0]["image_url"]["url"] == "data:image/png;base64,aGk="


def test_an_error_is_an_event_and_no_end() -> None:
    data = _encoder().fail(UpstreamBroken("cut", code="upstream_cut"), request_id="r")
    assert json.loads(data.removeprefix(b"data: "))["error"]["code"] == "upstream_cut"
    assert b"[DONE]" not in data
