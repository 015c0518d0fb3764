"""Heads of requests to speak and to write down sound: bounds that hold, and wrong fields refused by name."""

from collections.abc import Callable
from typing import Any

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Head
from providers.dialects.openai_media import sounds
from tests.providers.dialects.openai_media.recordings import encode, load

SPEECH: dict[str, Any] = {"model": "tts-1", "input": "Grüße", "voice": "alloy"}
FILE = {"filename": "a.mp3", "content_type": "audio/mpeg", "bytes": 48_000}
HEARD: dict[str, Any] = {"model": "whisper-1", "file": FILE}


def test_speech_is_counted_in_characters_and_always_passed_on_as_it_comes() -> None:
    head = sounds.decode_speech_head(encode(SPEECH, instructions="slowly"))
    assert (head.model, head.characters, head.stream, head.wants_stream_usage) == ("tts-1", 5, True, False)
    assert head.input_bytes == len("Grüße".encode()) + len("slowly")
    assert sounds.decode_speech_head(encode(SPEECH, stream_format="sse")).wants_stream_usage
    assert sounds.read_speech_prompt(encode(SPEECH, instructions="slowly")).markup == ("slowly",)


def test_slow_speech_is_longer() -> None:
    usual, slow, quick = (
        sounds.decode_speech_head(encode(SPEECH, input="x" * 1_000, speed=speed)).max_output_tokens or 0
        for speed in (None, 0.5, 4.0)
    )
    assert usual == quick < slow <= 2 * usual


def test_the_length_of_a_sound_is_bounded_by_its_size() -> None:
    request = load("media_transcription")["request"]
    head = sounds.decode_heard_head(encode(request, stream="true", prompt="names"))
    assert (head.audio_ms_most, head.stream, head.input_bytes) == (48_000, True, 5)
    counted = load("media_transcription")["response"]["usage"]
    assert head.input_tokens_most > counted["input_tokens"]
    assert (head.max_output_tokens or 0) > counted["output_tokens"]
    prompt = sounds.read_heard_prompt(encode(request, prompt="names"))
    assert (prompt.texts, prompt.attachment_tokens) == (("names",), 48_000 // 64)
    assert sounds.read_heard_prompt(encode(request)).texts == ("",)


@pytest.mark.parametrize(
    ("read", "usual", "changes", "param"),
    [
        (sounds.decode_speech_head, SPEECH, {"model": None}, "model"),
        (sounds.decode_speech_head, SPEECH, {"input": ""}, "input"),
        (sounds.decode_speech_head, SPEECH, {"input": [1]}, "input"),
        (sounds.decode_speech_head, SPEECH, {"speed": "fast"}, "speed"),
        (sounds.decode_heard_head, HEARD, {"model": None}, "model"),
        (sounds.decode_heard_head, HEARD, {"model": ["a", "b"]}, "model"),
        (sounds.decode_heard_head, HEARD, {"file": None}, "file"),
        (sounds.decode_heard_head, HEARD, {"file": "text"}, "file"),
        (sounds.decode_heard_head, HEARD, {"file": FILE | {"bytes": -1}}, "file"),
        (sounds.decode_heard_head, HEARD, {"stream": "perhaps"}, "stream"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(
    read: Callable[[bytes], Head], usual: dict[str, Any], changes: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(encode(usual, **changes))
    assert caught.value.param == param
