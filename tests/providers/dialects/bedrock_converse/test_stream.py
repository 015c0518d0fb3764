"""Streams, recorded and broken; each tells the same as the whole answer to the same request."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.bedrock_converse.response import decode_answer
from providers.dialects.bedrock_converse.stream import ConverseStreamDecoder
from providers.dialects.canonical import Usage
from providers.dialects.conversation import (
    Ended,
    Event,
    Failed,
    Finish,
    Finished,
    Image,
    PartAdded,
    PartEnded,
    Source,
    Started,
    Text,
    TextDelta,
    UsageReport,
)
from tests.providers.dialects.bedrock_converse.frames import (
    cassette,
    event,
    exception,
    frame,
    metadata,
    stop,
    stream,
    text_delta,
)
from tests.providers.dialects.streams import assemble, decode_all, every_split

STREAMS = ["chat", "tools", "reasoning", "citations"]
START = event("messageStart", {"role": "assistant"})


def decode(*pieces: bytes) -> list[Event]:
    return decode_all(ConverseStreamDecoder(), list(pieces))


def failure(events: list[Event]) -> Failed:
    [found] = [one for one in events if isinstance(one, Failed)]
    assert events[-1] is found
    return found


def told(events: list[Event]) -> list[object]:
    """Return the events, failures by what they say, so that two streams can be compared."""
    return [(one.error.message, one.error.code) if isinstance(one, Failed) else one for one in events]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_tells_what_the_whole_answer_tells(name: str) -> None:
    streamed = assemble(decode(stream(f"{name}_stream.eventstream")))
    whole = decode_answer(msgspec.json.encode(cassette(f"{name}.json")["response"]))
    assert (streamed.choices, streamed.usage) == (whole.choices, whole.usage)


@pytest.mark.parametrize("name", [*STREAMS, "failed"])
def test_any_cut_gives_the_same_events(name: str) -> None:
    data = stream(f"{name}_stream.eventstream")
    whole = told(decode(data))
    for pieces in every_split(data):
        assert told(decode(*pieces)) == whole
    assert isinstance(whole[-1], Ended) is (name != "failed")


def test_the_events_of_a_chat() -> None:
    assert decode(stream("chat_stream.eventstream")) == [
        Started(),
        TextDelta("Hel"),
        TextDelta("lo!"),
        PartEnded(),
        Finished(Finish.STOP),
        UsageReport(Usage(input_tokens=14, output_tokens=4)),
        Ended(),
    ]


def test_an_empty_start_of_a_text_is_none() -> None:
    start = event("contentBlockStart", {"contentBlockIndex": 0, "start": {}})
    answer = assemble(decode(START, start, text_delta("hi"), stop(), metadata()))
    assert answer.choices[0].parts == (Text("hi"),)


def test_the_end_without_usage() -> None:
    assert decode(START, text_delta("hi"), stop())[-2:] == [Finished(Finish.STOP), Ended()]


def test_nothing_is_told_after_the_end() -> None:
    decoder = ConverseStreamDecoder()
    assert isinstance(decoder.feed(START + stop() + metadata() + text_delta("late"))[-1], Ended)
    assert decoder.feed(text_delta("later")) == []
    assert decoder.end() == []


def test_no_part_follows_the_stop() -> None:
    events = decode(START, text_delta("a"), stop(), text_delta("late"), stop("max_tokens"), metadata())
    assert assemble(events).choices[0].parts == (Text("a"),)


@pytest.mark.parametrize("pieces", [(), (START,), (START, text_delta("hi")), (START, stop(), metadata()[:30])])
def test_a_cut_is_no_end(pieces: tuple[bytes, ...]) -> None:
    assert failure(decode(*pieces)).error.code == "upstream_cut"


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (exception("throttlingException", "slow down"), "rate_limit_exceeded"),
        (exception("modelStreamErrorException", "slow down"), "upstream_error"),
        (exception("internalServerException", "slow down"), "upstream_overloaded"),
        (exception("validationException", "Input is too long for requested model."), "context_length_exceeded"),
        (
            frame({":message-type": "exception", ":exception-type": "serviceUnavailableException"}, b""),
            "upstream_overloaded",
        ),
        (
            frame({":message-type": "error", ":error-code": "ThrottlingException", ":error-message": "m"}, b""),
            "rate_limit_exceeded",
        ),
        (frame({":message-type": "error"}, b""), None),
        (frame({":message-type": "exception", ":exception-type": "x"}, b"{"), "upstream_invalid_response"),
        (event("contentBlockDelta", [1]), "upstream_invalid_response"),
        (event("contentBlockDelta", {"delta": {"text": 7}}), "upstream_invalid_response"),
        (b"data: {}\n\n" * 3, "upstream_invalid_response"),
        (b"\x00" * 40, "upstream_invalid_response"),
    ],
)
def test_what_breaks_a_stream(broken: bytes, code: str | None) -> None:
    events = decode(START + text_delta("hi") + broken + text_delta("late"))
    assert events[:2] == [Started(), TextDelta("hi")]
    assert len(events) == 3
    assert code in (None, failure(events).error.code)


def test_an_exceptions_words_are_told() -> None:
    assert failure(decode(exception("throttlingException", "slow down"))).error.message == "slow down"


def test_events_of_a_later_day_are_passed_over() -> None:
    events = decode(START, event("contentBlockThought", {"x": 1}), frame({}, b"?"), text_delta("a"), stop(), metadata())
    assert assemble(events).choices[0].parts == (Text("a"),)


def test_parts_are_numbered_as_they_come() -> None:
    events = decode(START, text_delta("a", 3), text_delta("b", 1), text_delta("c", 3), stop(), metadata())
    assert assemble(events).choices[0].parts == (Text("ac"), Text("b"))


def test_tools_of_the_vendors_have_no_part() -> None:
    tool = {"toolUse": {"toolUseId": "a", "name": "search", "type": "server_tool_use"}}
    events = decode(
        START,
        event("contentBlockStart", {"contentBlockIndex": 0, "start": tool}),
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": "{}"}}}),
        event("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolResult": [{"text": "x"}]}}),
        event("contentBlockStop", {"contentBlockIndex": 0}),
        text_delta("a", 2),
        stop(),
        metadata(),
    )
    assert assemble(events).choices[0].parts == (Text("a"),)


def test_a_picture() -> None:
    events = decode(
        START,
        event("contentBlockStart", {"contentBlockIndex": 0, "start": {"image": {"format": "jpeg"}}}),
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"image": {"source": {"bytes": "/9j/"}}}}),
        stop(),
        metadata(),
    )
    assert events[1] == PartAdded(Image(Source(data="/9j/", media_type="image/jpeg")))


def test_deltas_that_say_nothing_begin_no_part() -> None:
    empty = [
        {"text": ""},
        {"reasoningContent": {"text": ""}},
        {"toolUse": {"input": "x"}},
        {"citation": 7},
        {"image": {}},
        {},
    ]
    pieces = [event("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}) for delta in empty]
    events = decode(START, *pieces, event("contentBlockStop", {"contentBlockIndex": 0}), stop(), metadata())
    assert assemble(events).choices[0].parts == ()


@given(st.binary(max_size=300), st.integers(0, 300))
def test_garbage_fails_once(data: bytes, at: int) -> None:
    failure(decode(START, data[:at], data[at:]))
