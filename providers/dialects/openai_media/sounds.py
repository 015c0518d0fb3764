"""Requests with sound: `audio/speech` as JSON, `audio/transcriptions` and `audio/translations` as fields of a form.

How long a file of sound lasts can't be told from its fields, so it is bounded: no codec in use stays below 8 kbit/s,
which is a byte a millisecond. Tokens are bounded from that: ten a second are heard (OpenAI, realtime costs, November
2026), and nobody says more than eight a second. Spoken output has some twenty tokens a second (OpenAI, pricing of
gpt-4o-mini-tts), and a character takes no longer than 0.4 seconds.
"""

from decimal import Decimal
from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Head, Prompt
from providers.dialects.complaints import decode
from providers.dialects.openai_chat.measure import AUDIO_BYTES_A_TOKEN, WRAPPING_TOKENS, measure_text
from providers.dialects.openai_media.checks import FormFlag, read_flag, read_most, require
from providers.dialects.openai_media.pictures import File

BYTES_A_MS = 1
HEARD_BYTES_A_TOKEN_SAID = 125
SPOKEN_TOKENS_A_CHARACTER = 8
LEAST_OUTPUT_TOKENS = 256
_SPEED_LEAST = 0.25


class _Speech(msgspec.Struct):
    model: str
    input: str
    instructions: str | None = None
    speed: float | None = None
    stream_format: str | None = None
    max_cost_usd: Decimal | None = None


class _Heard(msgspec.Struct):
    model: str
    file: File
    prompt: str | None = None
    response_format: str | None = None
    stream: FormFlag = None
    max_cost_usd: Decimal | None = None


_speech = msgspec.json.Decoder(_Speech)
_heard = msgspec.json.Decoder(_Heard)


def decode_speech_head(body: bytes) -> Head:
    """Return what routing needs of a request to speak. Raises InvalidRequest that names the field.

    Sound is always passed on as it comes, so `stream` is always set; `wants_stream_usage` tells that the client asked
    for events (`stream_format: sse`), the last of which says the usage.
    """
    speech = decode(_speech, body)
    slowness = 1 / max(_SPEED_LEAST, min(speech.speed or 1.0, 1.0))
    characters = len(require("input", speech.input))
    return Head(
        model=require("model", speech.model),
        stream=True,
        wants_stream_usage=speech.stream_format == "sse",
        max_output_tokens=LEAST_OUTPUT_TOKENS + int(characters * SPOKEN_TOKENS_A_CHARACTER * slowness),
        input_bytes=measure_text(speech.input) + measure_text(speech.instructions or ""),
        input_tokens_most=len(body) + WRAPPING_TOKENS,
        max_cost_nanos=read_most(speech.max_cost_usd),
        characters=characters,
    )


def decode_heard_head(body: bytes) -> Head:
    """Return what routing needs of a request to write down or translate sound. Raises InvalidRequest."""
    heard = decode(_heard, body)
    if heard.file.bytes < 0:
        raise InvalidRequest("Invalid value for 'file'", code="invalid_value", param="file")
    return Head(
        model=require("model", heard.model),
        stream=read_flag("stream", heard.stream),
        max_output_tokens=LEAST_OUTPUT_TOKENS + heard.file.bytes // HEARD_BYTES_A_TOKEN_SAID,
        input_bytes=measure_text(heard.prompt or ""),
        input_tokens_most=len(body) + WRAPPING_TOKENS + heard.file.bytes // AUDIO_BYTES_A_TOKEN,
        max_cost_nanos=read_most(heard.max_cost_usd),
        audio_ms_most=heard.file.bytes // BYTES_A_MS,
    )


def read_speech_prompt(body: bytes) -> Prompt:
    """Return what the model reads of a request to speak whose head was decoded without complaint."""
    speech = _speech.decode(body)
    return Prompt(texts=(speech.input,), markup=(speech.instructions,) if speech.instructions else ())


def read_heard_prompt(body: bytes) -> Prompt:
    """Return what the model reads of a request to write down sound whose head was decoded without complaint."""
    fields: dict[str, Any] = msgspec.json.decode(body)
    prompt = fields.get("prompt") or ""
    return Prompt(texts=(prompt,), attachment_tokens=fields["file"]["bytes"] // AUDIO_BYTES_A_TOKEN)
