"""The mock's media are what they say they are, always the same, and read by the dialects as what they used."""

import base64
import io
import wave
import zlib
from typing import Any

import msgspec
import pytest

from providers.dialects.canonical import Head, Operation, Usage
from providers.dialects.cohere_rank.codec import RERANK_THROUGH
from providers.dialects.openai_media.codec import (
    IMAGE_THROUGH,
    MODERATION_THROUGH,
    SPEECH_THROUGH,
    TRANSCRIPTION_THROUGH,
)
from providers.mock.script import Script, write_script

FILE = {"filename": "a.mp3", "content_type": "audio/mpeg", "bytes": 8_001}
PICTURE: dict[str, Any] = {"model": "mock-image", "prompt": "a red cat"}
SPEECH: dict[str, Any] = {"model": "mock-speech", "input": "hello"}
HEARD: dict[str, Any] = {"model": "mock-transcribe", "file": FILE}
RANKED: dict[str, Any] = {
    "model": "mock-rerank",
    "query": "capital of France",
    "documents": ["Berlin is large", {"text": "the capital of France is Paris"}, "of course"],
}


def play(operation: Operation, request: dict[str, Any], **changes: Any) -> Script:
    body = msgspec.json.encode(request | changes)
    script = write_script(operation, body, tries_before=0)
    assert script == write_script(operation, body, tries_before=0)
    return script


def whole(script: Script) -> Any:
    assert script.status == 200
    (body,) = script.pieces
    return msgspec.json.decode(body)


def charged(script: Script) -> Usage:
    assert script.generated is not None
    return script.generated.usage


def test_pictures_are_pictures() -> None:
    script = play(Operation.IMAGE, PICTURE, n=2)
    first, second = (base64.b64decode(one["b64_json"]) for one in whole(script)["data"])
    assert first.startswith(b"\x89PNG\r\n\x1a\n")
    assert first != second
    assert len(zlib.decompress(first[first.index(b"IDAT") + 4 : first.index(b"IEND") - 8])) == 8 * 25
    assert charged(script) == Usage(input_tokens=3, output_tokens=128, images=2)
    assert IMAGE_THROUGH.read_facts(script.pieces[0]).usage == charged(script)


def test_pictures_by_address_and_as_long_as_told() -> None:
    script = play(Operation.IMAGE, PICTURE, prompt="cat [[mock tokens=7]]", response_format="url")
    assert whole(script)["data"][0]["url"].startswith("data:image/png;base64,")
    assert charged(script).output_tokens == 7


@pytest.mark.parametrize("n", [1, 2])
def test_pictures_in_a_stream(n: int) -> None:
    script = play(Operation.IMAGE_EDIT, PICTURE, n=str(n), stream="true", partial_images="1", image=FILE)
    assert (script.content_type, len(script.pieces)) == (b"text/event-stream", 2 * n)
    reader = IMAGE_THROUGH.reader(Head(model="m", images=n), lambda usage: None)
    assert b"".join(map(reader.feed, script.pieces)) == b"".join(script.pieces)
    assert (reader.done, reader.usage) == (True, charged(script))


def test_speech_is_a_sound_of_a_length_by_its_characters() -> None:
    script = play(Operation.SPEECH, SPEECH, input="hello" * 20)
    assert script.content_type == b"audio/wav"
    assert len(script.pieces) > 1
    with wave.open(io.BytesIO(b"".join(script.pieces))) as sound:
        assert sound.getnframes() / sound.getframerate() == 100 * 0.02
    assert charged(script) == Usage(characters=100)


def test_speech_in_events() -> None:
    script = play(Operation.SPEECH, SPEECH, stream_format="sse")
    head = Head(model="m", wants_stream_usage=True, characters=5)
    reader = SPEECH_THROUGH.reader(head, lambda usage: None)
    for piece in script.pieces:
        reader.feed(piece)
    assert (reader.done, reader.usage) == (True, charged(script))


@pytest.mark.parametrize("form", ["json", "verbose_json", "text", "srt", "vtt"])
@pytest.mark.parametrize("operation", [Operation.TRANSCRIPTION, Operation.TRANSLATION])
def test_transcripts_of_every_form(form: str, operation: Operation) -> None:
    script = play(operation, HEARD, response_format=form)
    (body,) = script.pieces
    assert b"8001 bytes of sound in a.mp3" in body
    assert charged(script) == Usage(audio_ms=2_001)
    read = TRANSCRIPTION_THROUGH.read_facts(body).usage
    assert read is None if form == "text" else read is not None and read.audio_ms == 2_001


def test_transcripts_in_a_stream() -> None:
    script = play(Operation.TRANSCRIPTION, HEARD, stream="true")
    reader = TRANSCRIPTION_THROUGH.reader(Head(model="m"), lambda usage: None)
    for piece in script.pieces:
        reader.feed(piece)
    assert (reader.done, reader.usage) == (True, Usage(audio_ms=2_001))


def test_judgements() -> None:
    script = play(Operation.MODERATION, {"model": "m"}, input=["peace", {"type": "text", "text": "Violence!"}])
    assert [result["flagged"] for result in whole(script)["results"]] == [False, True]
    assert charged(script) == Usage()
    assert MODERATION_THROUGH.read_facts(script.pieces[0]).usage is None


def test_documents_are_ranked_by_the_words_they_share_with_the_query() -> None:
    script = play(Operation.RERANK, RANKED, return_documents=True)
    results = whole(script)["results"]
    assert [(result["index"], round(result["relevance_score"], 2)) for result in results] == [(1, 1), (2, 0.33), (0, 0)]
    assert results[0]["document"] == {"text": "the capital of France is Paris"}
    assert RERANK_THROUGH.read_facts(script.pieces[0]).usage == charged(script) == Usage(searches=1)
    assert len(whole(play(Operation.RERANK, RANKED, top_n=1))["results"]) == 1


@pytest.mark.parametrize(
    ("operation", "request_", "field"),
    [
        (Operation.IMAGE, PICTURE, "prompt"),
        (Operation.SPEECH, SPEECH, "input"),
        (Operation.TRANSCRIPTION, HEARD, "prompt"),
        (Operation.MODERATION, {"model": "m"}, "input"),
        (Operation.RERANK, RANKED, "query"),
    ],
)
def test_directions_hold_here_too(operation: Operation, request_: dict[str, Any], field: str) -> None:
    assert play(operation, request_, **{field: "x [[mock status=503]]"}).status == 503
    told = play(operation, request_, **{field: "x [[mock fault=empty]]"})
    assert b"".join(told.pieces) == b""
    assert told.generated is None


@pytest.mark.parametrize("fault", ["cut", "stall", "error_event", "error_after", "no_done"])
@pytest.mark.parametrize("sse", [False, True])
def test_sounds_can_break_off(fault: str, sse: bool) -> None:
    changes = {"stream_format": "sse"} if sse else {}
    script = play(Operation.SPEECH, SPEECH, input=f"{'x' * 200} [[mock fault={fault}]]", **changes)
    usual = play(Operation.SPEECH, SPEECH, input="x" * 200, **changes)
    assert len(script.pieces) < len(usual.pieces)
    assert script.generated is not None
    assert script.generated.usage_pieces is None


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        (Operation.IMAGE, PICTURE | {"n": 11}),
        (Operation.IMAGE, PICTURE | {"n": "x"}),
        (Operation.SPEECH, SPEECH | {"input": "x" * 5_000}),
        (Operation.SPEECH, {"model": "m"}),
        (Operation.TRANSCRIPTION, {"model": "m"}),
        (Operation.RERANK, RANKED | {"documents": []}),
        (Operation.RERANK, RANKED | {"documents": [5]}),
    ],
)
def test_what_can_not_be_served_is_refused(operation: Operation, request_: dict[str, Any]) -> None:
    assert play(operation, request_).status == 400
