"""Streams of sounds and events pass to the byte, however they are cut, and a cut is never taken for an end."""

import pytest

from kernel.errors import InternalError, UpstreamBroken
from providers.dialects.canonical import Head, Usage
from providers.dialects.codec import StreamReader, Through
from providers.dialects.openai_media.codec import (
    IMAGE_THROUGH,
    SPEECH_THROUGH,
    TRANSCRIPTION_THROUGH,
)
from tests.providers.dialects.openai_media.recordings import stream
from tests.providers.dialects.streams import every_split

HEAD = Head(model="m", stream=True, images=1, characters=11)
EVENTS = Head(model="m", stream=True, wants_stream_usage=True, characters=11)
RECORDED = [
    (IMAGE_THROUGH, HEAD, "media_image_stream", Usage(input_tokens=9, output_tokens=372, images=1)),
    (
        TRANSCRIPTION_THROUGH,
        HEAD,
        "media_transcription_stream",
        Usage(input_tokens=34, output_tokens=5, audio_input_tokens=30),
    ),
    (
        SPEECH_THROUGH,
        EVENTS,
        "media_speech_stream",
        Usage(input_tokens=6, output_tokens=42, audio_output_tokens=42, characters=11),
    ),
]


def reader_of(through: Through, head: Head = HEAD) -> StreamReader:
    return through.reader(head, lambda usage: None)


@pytest.mark.parametrize(("through", "head", "name", "usage"), RECORDED, ids=[row[2] for row in RECORDED])
def test_recorded_streams_pass_to_the_byte(through: Through, head: Head, name: str, usage: Usage) -> None:
    data = stream(name)
    for pieces in every_split(data):
        reader = reader_of(through, head)
        passed = b"".join(reader.feed(piece) for piece in pieces) + reader.end()
        assert passed == data
        assert (reader.usage, reader.done, reader.failure) == (usage, True, None)
    assert (reader.accepts, reader.content_type) == (b"text/event-stream", b"text/event-stream")


def test_text_is_measured_where_nothing_is_reported() -> None:
    reader = reader_of(TRANSCRIPTION_THROUGH)
    reader.feed(b'data: {"type":"transcript.text.delta","delta":"Gr\xc3\xbc"}\n\n')
    assert (reader.output_bytes, reader.usage, reader.done) == (4, None, False)


def test_several_pictures_are_whole_after_the_last_of_them() -> None:
    data = stream("media_image_stream")
    reader = reader_of(IMAGE_THROUGH, Head(model="m", images=2))
    assert reader.feed(data) == data
    assert not reader.done
    assert reader.feed(data.replace(b"image_generation", b"image_edit")) != b""
    assert reader.done
    assert reader.usage == Usage(input_tokens=18, output_tokens=744, images=2)


def test_fewer_pictures_than_asked_for_are_an_answer_too() -> None:
    reader = reader_of(IMAGE_THROUGH, Head(model="m", images=4))
    reader.feed(stream("media_image_stream"))
    assert reader.end() == b""
    assert reader.done


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'data: {"error":{"message":"no","code":"bad"}}\n\n', "no"),
        (b'event: error\ndata: {"type":"error","message":"no"}\n\n', "no"),
        (b"data: {nonsense\n\n", "not JSON"),
    ],
)
def test_an_error_in_the_stream_ends_it(data: bytes, message: str) -> None:
    first = b'data: {"type":"transcript.text.delta","delta":"a"}\n\n'
    reader = reader_of(TRANSCRIPTION_THROUGH)
    assert reader.feed(first + data + first) == first
    assert reader.failure is not None
    assert message in reader.failure.message
    assert reader.feed(first) == b""
    with pytest.raises(UpstreamBroken):
        reader.end()


def test_odd_events_pass_and_a_cut_is_a_cut() -> None:
    odd = b': ping\n\ndata: {"type":5}\n\n'
    reader = reader_of(TRANSCRIPTION_THROUGH)
    assert reader.feed(odd) == odd
    with pytest.raises(UpstreamBroken) as caught:
        reader.end()
    assert caught.value.code == "upstream_cut"


def test_an_event_without_its_blank_line_still_counts() -> None:
    reader = reader_of(TRANSCRIPTION_THROUGH)
    event = b'data: {"type":"transcript.text.done","text":"a"}'
    assert reader.feed(event) + reader.end() == event + b"\n\n"


def test_a_done_of_the_older_kind_ends_a_stream_too() -> None:
    reader = reader_of(TRANSCRIPTION_THROUGH)
    assert reader.feed(b"data: [DONE]\n\n") == b"data: [DONE]\n\n"
    assert (reader.done, reader.end()) == (True, b"")


def test_sound_passes_as_it_comes_and_is_charged_by_the_character() -> None:
    reader = reader_of(SPEECH_THROUGH)
    assert (reader.accepts, reader.content_type, reader.usage) == (b"", b"", Usage(characters=11))
    assert reader.feed(b"\xff\xfb\x00") == b"\xff\xfb\x00"
    assert not reader.done
    assert reader.end() == b""
    assert (reader.done, reader.output_bytes) == (True, 0)


def test_no_sound_at_all_is_broken_and_no_error_is_written_into_sound() -> None:
    reader = reader_of(SPEECH_THROUGH)
    with pytest.raises(UpstreamBroken):
        reader.end()
    assert reader.fail(InternalError("x"), request_id="r") == b""
    told = reader_of(SPEECH_THROUGH, EVENTS).fail(InternalError("x"), request_id="r")
    assert told.startswith(b'data: {"error":{"message":"x"')
