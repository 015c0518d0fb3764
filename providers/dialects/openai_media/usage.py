"""What pictures and sounds used, as OpenAI and its followers report it.

Pictures: `{"input_tokens", "output_tokens", "input_tokens_details": {"text_tokens", "image_tokens"}}`, and as many
pictures as there are in the answer. Transcripts: `{"type": "tokens", …, "input_token_details": {"audio_tokens"}}` or
`{"type": "duration", "seconds"}`, besides `duration` in the verbose form. Speech: tokens in the last event of a stream,
nothing beside plain sound. Source: openai-python 3.52, `types/images_response.py`, `types/audio/`.
"""

import math

import msgspec

from providers.dialects.canonical import Usage


class _Details(msgspec.Struct, gc=False):
    audio_tokens: int | None = None
    cached_tokens: int | None = None


class MediaUsage(msgspec.Struct, gc=False):
    """The `usage` object of an answer or an event."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None
    input_token_details: _Details | None = None
    input_tokens_details: _Details | None = None


class SvgUsage(msgspec.Struct, gc=False):
    """What a second model used that drew a picture in words."""

    input_tokens: int = 0
    output_tokens: int = 0


_NO_DETAILS = _Details()


def read_usage(wire: MediaUsage | None) -> Usage | None:
    """Return the canonical usage; None where the object counts nothing."""
    if wire is None:
        return None
    given = wire.input_tokens if wire.input_tokens is not None else wire.prompt_tokens
    made = wire.output_tokens if wire.output_tokens is not None else wire.completion_tokens
    audio_ms = milliseconds(wire.seconds)
    if given is None and made is None:
        return Usage(audio_ms=audio_ms) if audio_ms else None
    details = wire.input_token_details or wire.input_tokens_details or _NO_DETAILS
    whole = max(given or 0, 0)
    audio = min(max(details.audio_tokens or 0, 0), whole)
    return Usage(
        input_tokens=whole,
        cached_input_tokens=min(max(details.cached_tokens or 0, 0), whole - audio),
        output_tokens=max(made or 0, 0),
        audio_input_tokens=audio,
        audio_ms=audio_ms,
    )


def milliseconds(seconds: float | None) -> int:
    """Return a length in milliseconds, rounded up; zero where it is none."""
    if seconds is None or not math.isfinite(seconds) or seconds <= 0:
        return 0
    return math.ceil(round(seconds * 1000, 3))


def add(one: Usage | None, other: Usage) -> Usage:
    """Return the sum of what two parts of an answer used."""
    if one is None:
        return other
    names = [name for name in Usage.__struct_fields__ if name != "estimated"]
    counts = {name: getattr(one, name) + getattr(other, name) for name in names}
    return Usage(**counts, estimated=one.estimated or other.estimated)
