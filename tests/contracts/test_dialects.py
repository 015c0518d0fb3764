"""Every dialect over every recording: answers, streams however they are cut, errors, nonsense."""

from contextlib import suppress
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Dialect, Operation
from providers.dialects.conversation import Answer, Ended, Event, Failed, Finished, Part, Text, ToolCall
from providers.dialects.table import BACKS
from providers.presets import PRESETS
from tests.contracts import dialects
from tests.contracts.recordings import Recording, recordings, stray_streams
from tests.providers.dialects.streams import assemble, decode_all

ALL = [one for one in recordings() if dialects.is_translated(one)]
WHOLE = [one for one in ALL if "response" in one.fields and not one.is_error and not one.is_failure]
ERRORS = [one for one in recordings() if one.is_error]
STREAMS = dialects.streams()
PASSED = [one for one in STREAMS if dialects.reader_of(one) is not None]
NONSENSE = (b"\x80", b"\xff", b'"', b"{}", b"[]", b"null", b"9" * 400, b"\n\n", b"data: {}\n\n", b"data: [")
EXAMPLES = 25  # a recording; thousands were tried when the tests were written
EVERY_CUT_BYTES_MAX = 3_000  # of longer streams, one cut in so many is tried


def test_every_provider_is_recorded_in_all_that_it_speaks() -> None:
    recorded = {(one.dialect, one.operation) for one in WHOLE}
    spoken: set[tuple[Dialect, Operation]] = set()
    for preset in PRESETS.values():
        for speaks in (preset.speaks, *(other for _, other in preset.speaks_by_model)):
            spoken |= {(dialect, operation) for operation, known in speaks.items() for dialect in known}
    assert (spoken & BACKS.keys()) - recorded == set()


@pytest.mark.parametrize("dialect", dialects.chat_backs())
def test_every_dialect_has_the_recordings_that_the_others_have(dialect: Dialect) -> None:
    names = {one.path.stem for one in recordings() if one.dialect is dialect}
    assert names >= {"chat", "tools", "reasoning", "failed"}
    assert any(name.startswith("error_") for name in names)
    streamed = {one.path.stem for one in STREAMS if one.dialect is dialect}
    assert streamed >= {"chat", "tools", "reasoning"}


def test_every_recording_says_where_it_is_from_and_no_stream_stands_alone() -> None:
    assert [str(one) for one in recordings() if not one.fields.get("source")] == []
    assert stray_streams() == []


@pytest.mark.parametrize("recording", WHOLE, ids=str)
def test_a_whole_answer_is_read(recording: Recording) -> None:
    answer = dialects.back_of(recording).decode_answer(recording.response)
    if isinstance(answer, Answer):
        assert answer.choices
        assert answer.usage is not None


@pytest.mark.parametrize("recording", WHOLE, ids=str)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_garbage_in_a_whole_answer_is_no_answer_or_another(recording: Recording, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(recording.response)))
    garbage = data.draw(st.binary(max_size=3) | st.sampled_from(NONSENSE))
    spoiled = recording.response[:at] + garbage + recording.response[at + data.draw(st.integers(0, 3)) :]
    through = dialects.through_of(recording)
    with suppress(UpstreamBroken):
        dialects.back_of(recording).decode_answer(spoiled)
    with suppress(UpstreamBroken):
        if through is not None:
            through.read_facts(spoiled)
    dialects.back_of(recording).read_error(500, lambda name: None, spoiled)


@pytest.mark.parametrize("recording", [one for one in STREAMS if "response" in one.fields], ids=str)
def test_a_stream_tells_the_kind_of_thing_that_the_whole_answer_tells(recording: Recording) -> None:
    back = dialects.back_of(recording)
    whole = back.decode_answer(recording.response)
    told = assemble(decode_all(back.decoder(), [dialects.stream_of(recording)]))
    for streamed, choice in zip(told.choices, whole.choices, strict=True):
        assert _kinds(streamed.parts) == _kinds(choice.parts)
    assert [choice.finish for choice in told.choices] == [choice.finish for choice in whole.choices]
    assert (told.usage is None) == (whole.usage is None)


@pytest.mark.parametrize("recording", STREAMS, ids=str)
def test_any_cut_of_a_stream_gives_the_same_events(recording: Recording) -> None:
    back, data = dialects.back_of(recording), dialects.stream_of(recording)
    whole = decode_all(back.decoder(), [data])
    assert decode_all(back.decoder(), [data[index : index + 1] for index in range(len(data))]) == whole
    for cut in range(1, len(data), -(-len(data) // EVERY_CUT_BYTES_MAX)):
        assert decode_all(back.decoder(), [data[:cut], data[cut:]]) == whole


@pytest.mark.parametrize("recording", STREAMS, ids=str)
def test_a_stream_cut_short_is_never_whole(recording: Recording) -> None:
    back, messages = dialects.back_of(recording), dialects.messages_of(recording)
    for kept in range(len(messages)):
        events = dialects.run(back.decoder(), *messages[:kept])
        if _is_over(events):
            continue
        (failed,) = dialects.endings(events)
        assert failed is events[-1]
        assert isinstance(failed, Failed)
        assert failed.error.code == "upstream_cut"
        assert failed.error.retryable


@pytest.mark.parametrize("recording", STREAMS, ids=str)
def test_a_stream_cut_within_an_event_is_never_whole(recording: Recording) -> None:
    back, messages = dialects.back_of(recording), dialects.messages_of(recording)
    for index, message in enumerate(messages):
        pieces = [*messages[:index], message[: len(message) // 2]]
        events = dialects.run(back.decoder(), *pieces)
        if not _is_over(dialects.run(back.decoder(), *messages[:index])):
            (ending,) = dialects.endings(events)
            assert isinstance(ending, Failed)


@pytest.mark.parametrize("recording", STREAMS, ids=str)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_garbage_in_a_stream_fails_once_and_nothing_follows(recording: Recording, data: st.DataObject) -> None:
    stream = dialects.stream_of(recording)
    at = data.draw(st.integers(0, len(stream)))
    garbage = data.draw(st.binary(min_size=1, max_size=30) | st.sampled_from(NONSENSE))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=4))
    spoiled = stream[:at] + garbage + stream[at + data.draw(st.integers(0, 3)) :]
    events = dialects.run(dialects.back_of(recording).decoder(), *_pieces(spoiled, cuts))
    assert len(dialects.endings(events)) == 1
    assert isinstance(events[-1], Ended | Failed)


@pytest.mark.parametrize("recording", dialects.failures(), ids=str)
def test_an_error_in_a_stream_is_told_after_what_was_said(recording: Recording) -> None:
    back, data = dialects.back_of(recording), dialects.stream_of(recording)
    whole = dialects.run(back.decoder(), data)
    (failed,) = dialects.endings(whole)
    assert failed is whole[-1]
    assert isinstance(failed, Failed)
    assert failed.error.code == recording.expected["code"]
    assert failed.error.message
    for cut in range(1, len(data)):
        events = dialects.run(back.decoder(), data[:cut], data[cut:])
        assert [_told(event) for event in events] == [_told(event) for event in whole]


@pytest.mark.parametrize("recording", ERRORS, ids=str)
def test_an_error_answer_is_understood(recording: Recording) -> None:
    report = dialects.back_of(recording).read_error(recording.fields["status"], recording.header, recording.response)
    assert report is not None
    assert report.message
    found = msgspec.structs.asdict(report)
    assert {name: found[name] for name in recording.expected} == recording.expected
    assert {"code", "retryable", "own_envelope"} <= recording.expected.keys()


@pytest.mark.parametrize(("dialect", "operation"), BACKS)
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b"7", b"\xff", b'{"choices"', b"<html>", b"[" * 100_000])
def test_what_is_no_answer_is_no_answer(dialect: Dialect, operation: Operation, body: bytes) -> None:
    back = BACKS[dialect, operation]
    with pytest.raises(UpstreamBroken):
        back.decode_answer(body)
    back.read_error(500, lambda name: None, body)


@pytest.mark.parametrize("recording", PASSED, ids=str)
def test_a_stream_that_passes_keeps_its_bytes_and_is_accounted_for(recording: Recording) -> None:
    data = dialects.stream_of(recording)
    translated = assemble(decode_all(dialects.back_of(recording).decoder(), [data]))
    for pieces in ([data], [data[index : index + 1] for index in range(len(data))]):
        reader = dialects.reader_of(recording)
        assert reader is not None
        passed = b"".join(reader.feed(piece) for piece in pieces)
        assert passed + reader.end() == data
        assert reader.done
        assert reader.failure is None
        assert reader.usage == translated.usage
        assert reader.finish_reason


@pytest.mark.parametrize("recording", PASSED, ids=str)
def test_a_passing_stream_cut_short_is_told(recording: Recording) -> None:
    messages = dialects.messages_of(recording)
    for kept in range(len(messages)):
        reader = dialects.reader_of(recording)
        assert reader is not None
        passed = b"".join(map(reader.feed, messages[:kept]))
        assert passed == b"".join(messages[:kept])[: len(passed)]
        if _is_over(dialects.run(dialects.back_of(recording).decoder(), *messages[:kept])):
            continue
        with pytest.raises(UpstreamBroken) as caught:
            reader.end()
        assert caught.value.code == "upstream_cut"
        assert not reader.done


@pytest.mark.parametrize("recording", [one for one in dialects.failures() if dialects.reader_of(one)], ids=str)
def test_a_passing_stream_that_reports_an_error_is_a_failure(recording: Recording) -> None:
    reader = dialects.reader_of(recording)
    assert reader is not None
    reader.feed(dialects.stream_of(recording))
    assert reader.failure is not None
    assert reader.failure.code == recording.expected["code"]
    assert not reader.done


@pytest.mark.parametrize("recording", PASSED, ids=str)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_garbage_in_a_passing_stream_never_raises_while_it_is_fed(recording: Recording, data: st.DataObject) -> None:
    stream = dialects.stream_of(recording)
    at = data.draw(st.integers(0, len(stream)))
    garbage = data.draw(st.binary(min_size=1, max_size=30) | st.sampled_from(NONSENSE))
    spoiled = stream[:at] + garbage + stream[at:]
    reader = dialects.reader_of(recording, cost=b"0.5")
    assert reader is not None
    for piece in _pieces(spoiled, data.draw(st.lists(st.integers(0, len(stream)), max_size=4))):
        reader.feed(piece)
    assert not (reader.done and reader.failure is not None)
    assert reader.fail(UpstreamBroken("x", code="c"), request_id="req_1")


def test_the_end_is_told_by_finishes() -> None:
    """What is skipped above as over is over: every choice has its reason."""
    for recording in STREAMS:
        back, messages = dialects.back_of(recording), dialects.messages_of(recording)
        whole = dialects.run(back.decoder(), *messages)
        for kept in range(len(messages)):
            events = dialects.run(back.decoder(), *messages[:kept])
            if _is_over(events):
                told = {event.choice for event in events if isinstance(event, Finished)}
                assert told == {event.choice for event in whole if isinstance(event, Finished)}


def _is_over(events: list[Event]) -> bool:
    """Tell whether a stream could end here already: some need no mark of their end once every choice is finished."""
    return bool(events) and isinstance(events[-1], Ended)


def _kinds(parts: tuple[Part, ...]) -> set[str]:
    """Return the kinds of parts; with a tool call words may come or not."""
    kinds = {type(part).__name__ for part in parts}
    return kinds - {Text.__name__} if ToolCall.__name__ in kinds else kinds


def _told(event: Event) -> object:
    return (event.error.code, event.error.message) if isinstance(event, Failed) else event


def _pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]
