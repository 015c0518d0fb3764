"""Putting the events of a stream together again, to compare a stream with a whole answer; and cutting one apart."""

from collections.abc import Iterator

from providers.dialects.codec import StreamDecoder
from providers.dialects.conversation import (
    Answer,
    Choice,
    CitationAdded,
    Ended,
    Event,
    Failed,
    Finished,
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


def assemble(events: list[Event]) -> Answer:
    """Return the answer that a whole stream tells; fails for one that isn't whole."""
    assert not [event for event in events if isinstance(event, Failed)], events
    assert sum(isinstance(event, Ended) for event in events) == 1, "a stream ends once"
    assert isinstance(events[-1], Ended), "nothing follows the end"
    identity, model, usage = "", "", None
    parts: dict[int, dict[int, Part]] = {}
    ends: dict[int, Finished] = {}
    for event in events:
        match event:
            case Started():
                identity, model = event.id, event.model
            case UsageReport():
                usage = event.usage
            case Finished():
                assert event.choice not in ends, "a choice finishes once"
                ends[event.choice] = event
            case (
                TextDelta()
                | RefusalDelta()
                | ThinkingDelta()
                | ToolStarted()
                | ToolDelta()
                | CitationAdded()
                | PartAdded()
            ):
                assert event.choice not in ends, "nothing follows a choice's end"
                grown = parts.setdefault(event.choice, {})
                assert event.part in grown or event.part == len(grown), "parts are numbered in their order"
                grown[event.part] = _grow(grown.get(event.part), event)
            case _:
                pass
    choices = [
        Choice(
            parts=tuple(parts.get(index, {}).values()),
            finish=end.finish,
            index=index,
            stop_sequence=end.stop_sequence,
        )
        for index, end in sorted(ends.items())
    ]
    return Answer(choices=tuple(choices), id=identity, model=model, usage=usage)


def _grow(part: Part | None, event: Event) -> Part:  # noqa: PLR0911 - one line a kind of event
    match event, part:
        case TextDelta(), None | Text():
            known = part or Text("")
            return Text(known.text + event.text, citations=known.citations)
        case CitationAdded(), None | Text():
            known = part or Text("")
            return Text(known.text, citations=(*known.citations, event.citation))
        case RefusalDelta(), None | Refusal():
            return Refusal((part.text if part else "") + event.text)
        case ThinkingDelta(), None | Thinking():
            known_thought = part or Thinking()
            return Thinking(
                text=known_thought.text + event.text,
                signature=known_thought.signature + event.signature,
                redacted=known_thought.redacted + event.redacted,
                id=event.id or known_thought.id,
                dialect=event.dialect or known_thought.dialect,
            )
        case ToolStarted(), None:
            return ToolCall(event.id, event.name, "", signature=event.signature, dialect=event.dialect)
        case ToolDelta(), ToolCall():
            return ToolCall(
                part.id, part.name, part.arguments + event.arguments, signature=part.signature, dialect=part.dialect
            )
        case PartAdded(), None:
            return event.value
    raise AssertionError(f"{event} does not belong to {part}")


def decode_all(decoder: StreamDecoder, pieces: list[bytes]) -> list[Event]:
    """Return every event of a stream that comes in these pieces."""
    events: list[Event] = []
    for piece in pieces:
        events += decoder.feed(piece)
    if not (events and isinstance(events[-1], Ended | Failed)):
        events += decoder.end()
    return events


def every_split(data: bytes) -> Iterator[list[bytes]]:
    """Return the stream cut in two at every place, byte by byte, and whole."""
    yield [data]
    yield [data[index : index + 1] for index in range(len(data))]
    for cut in range(1, len(data)):
        yield [data[:cut], data[cut:]]
