"""Answers with one thing wrong in them: broken, or taken as they are, and then every front can write them.

A stream never raises while it is fed, and is never both whole and broken.
"""

import json
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import UpstreamBroken
from providers.dialects import sse
from providers.dialects.codec import StreamReader
from providers.dialects.eventstream import FrameSplitter
from providers.dialects.translating import TranslatingReader
from tests.contracts import dialects
from tests.contracts.oddities import spoil
from tests.contracts.recordings import Recording
from tests.contracts.test_translated_answers import FRONTS, WHOLE, asked_at
from tests.providers.dialects.bedrock_converse.frames import frame

EXAMPLES = 10  # a recording; tens of thousands were tried when the test was written


def spoilt_stream(recording: Recording, data: st.DataObject) -> bytes:
    """Return a recorded stream with one thing wrong in the JSON of one of its events."""
    messages = dialects.messages_of(recording)
    place = data.draw(st.integers(0, len(messages) - 1))
    messages[place] = _spoil_message(messages[place], data)
    return b"".join(messages)


def _spoil_message(message: bytes, data: st.DataObject) -> bytes:
    if not message.startswith((b"data:", b"event:", b":")):
        (found,) = FrameSplitter().feed(message)
        return frame({name: str(value) for name, value in found.headers.items()}, _spoil(found.payload, data))
    payload = sse.data_of(message)
    if payload is None or payload == b"[DONE]":
        return message
    return message.replace(payload, _spoil(payload, data))


def _spoil(payload: bytes, data: st.DataObject) -> bytes:
    value = json.loads(payload)
    return spoil(value, data) if value else payload


def feed(reader: StreamReader, stream: bytes) -> None:
    """Feed a reader with all of a stream and its end, as the relay does."""
    for start in range(0, len(stream), 400):
        reader.feed(stream[start : start + 400])
        if reader.failure is not None or reader.done:
            break
    else:
        with suppress(UpstreamBroken):
            reader.end()
    assert not (reader.done and reader.failure is not None)
    reader.fail(UpstreamBroken("x", code="c"), request_id="req_1")


@pytest.mark.parametrize("recording", WHOLE, ids=str)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_a_whole_answer_is_broken_or_can_be_written(recording: Recording, data: st.DataObject) -> None:
    body = spoil(recording.fields["response"], data)
    through = dialects.through_of(recording)
    with suppress(UpstreamBroken):
        if through is not None:
            through.read_facts(body)
    try:
        answer = dialects.back_of(recording).decode_answer(body)
    except UpstreamBroken:
        return
    for front in FRONTS:
        msgspec.json.decode(dialects.front_of(front).encode_answer(answer, asked_at(front, stream=False)))


@pytest.mark.parametrize("recording", dialects.streams(), ids=str)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_a_stream_is_broken_or_can_be_written(recording: Recording, data: st.DataObject) -> None:
    stream = spoilt_stream(recording, data)
    back = dialects.back_of(recording)
    for front in FRONTS:
        encoder = dialects.front_of(front).encoder(asked_at(front, stream=True), lambda usage: b"0.5")
        feed(TranslatingReader(back.decoder(), encoder, accepts=back.stream_type), stream)
    passing = dialects.reader_of(recording, cost=b"0.5")
    if passing is not None:
        feed(passing, stream)
