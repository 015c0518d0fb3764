"""Answers that the dialect can say, for hypothesis."""

import msgspec
from hypothesis import strategies as st

from providers.dialects.canonical import Dialect, Head, Usage
from providers.dialects.codec import Asked
from providers.dialects.conversation import (
    Answer,
    Choice,
    Citation,
    CitationAdded,
    Ended,
    Event,
    Finish,
    Finished,
    Opaque,
    Part,
    PartAdded,
    Refusal,
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
from tests.providers.dialects.openai_responses.requests import ids, names, searches, words

ASKED = Asked(head=Head(model="m"), body=b'{"model":"m","input":"x"}', model="m", answer_id="resp_1", created_at_s=9)
CITED = Citation(
    kind="url",
    dialect=Dialect.RESPONSES,
    raw=msgspec.Raw(b'{"type":"url_citation","url":"https://a.b","title":"A","start_index":0,"end_index":1}'),
    title="A",
    url="https://a.b",
    start=0,
    end=1,
)

texts = st.builds(Text, words, citations=st.sampled_from([(), (CITED,), (CITED, CITED)]))
thoughts = st.one_of(
    st.builds(
        Thinking,
        words,
        signature=names,
        id=st.just("rs_1"),
        dialect=st.just(Dialect.RESPONSES),
    ),
    st.builds(Thinking, words, signature=names, redacted=names, dialect=st.just(Dialect.ANTHROPIC)),
)
calls = st.builds(ToolCall, ids, names, st.just('{"city":"Oslo"}'))
parts: st.SearchStrategy[tuple[Part, ...]] = st.lists(
    st.one_of(texts, st.builds(Refusal, words), thoughts, calls, searches), min_size=1, max_size=5
).map(tuple)
usages = st.one_of(
    st.none(),
    st.just(Usage(input_tokens=9, cached_input_tokens=3, cache_write_tokens=2, output_tokens=5, reasoning_tokens=1)),
)


def _answer(found: tuple[Part, ...], finish: Finish, usage: Usage | None) -> Answer:
    """An answer whose end fits its parts: the dialect tells calls and refusals by what is there."""
    if finish is Finish.STOP and any(isinstance(part, ToolCall) for part in found):
        finish = Finish.TOOL_CALLS
    elif finish is Finish.STOP and any(isinstance(part, Refusal) for part in found):
        finish = Finish.REFUSAL
    return Answer((Choice(found, finish),), id="resp_1", model="m", usage=usage)


answers = st.builds(_answer, parts, st.sampled_from([Finish.STOP, Finish.LENGTH, Finish.CONTENT_FILTER]), usages)


def tell(answer: Answer) -> list[Event]:
    """Return the events of a stream that tells an answer."""
    events: list[Event] = [Started(answer.id, answer.model)]
    for number, part in enumerate(answer.choices[0].parts):
        events += _tell_part(part, number)
    events.append(Finished(answer.choices[0].finish))
    events += [] if answer.usage is None else [UsageReport(answer.usage)]
    return [*events, Ended()]


def _tell_part(part: Part, number: int) -> list[Event]:
    match part:
        case Text():
            half = len(part.text) // 2
            cited: list[Event] = [CitationAdded(citation, number) for citation in part.citations]
            return [TextDelta(part.text[:half], number), TextDelta(part.text[half:], number), *cited]
        case Refusal():
            return [RefusalDelta(part.text, number)]
        case Thinking():
            said = ThinkingDelta(number, text=part.text, id=part.id)
            return [
                said,
                ThinkingDelta(number, signature=part.signature, redacted=part.redacted, dialect=part.dialect),
            ]
        case ToolCall():
            return [
                ToolStarted(part.id, part.name, number, signature=part.signature, dialect=part.dialect),
                ToolDelta(part.arguments[:3], number),
                ToolDelta(part.arguments[3:], number),
            ]
        case Opaque():
            return [PartAdded(part, number)]
    raise AssertionError(part)
