"""Token counts as OpenAI and its followers report them.

`prompt_tokens` includes cached and audio tokens, `completion_tokens` includes reasoning and audio tokens (OpenAI
specification 2.3.0). Followers leave out, null or misplace parts; whatever is no number counts as absent.
"""

from typing import Any

import msgspec

from providers.dialects.canonical import Usage


class _InputDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class WireUsage(msgspec.Struct):
    """The `usage` object of an answer or of a stream's last chunk."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None
    prompt_cache_hit_tokens: int | None = None  # DeepSeek's own spelling


_NO_INPUT = _InputDetails()
_NO_OUTPUT = _OutputDetails()
_NO_USAGE = (b"", b"null")
_usage = msgspec.json.Decoder(WireUsage)


def read_usage(wire: WireUsage) -> Usage | None:
    """Return the canonical usage; None where the object counts nothing."""
    if wire.prompt_tokens is None and wire.completion_tokens is None:
        if not wire.total_tokens:
            return None
        return Usage(input_tokens=_count(wire.total_tokens))
    input_tokens, output_tokens = _count(wire.prompt_tokens), _count(wire.completion_tokens)
    into = wire.prompt_tokens_details
    out = wire.completion_tokens_details
    if into is None and out is None and wire.prompt_cache_hit_tokens is None:
        return Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    into, out = into or _NO_INPUT, out or _NO_OUTPUT
    cached = min(_count(into.cached_tokens or wire.prompt_cache_hit_tokens), input_tokens)
    return Usage(
        input_tokens=input_tokens,
        cached_input_tokens=cached,
        cache_write_tokens=min(_count(into.cache_write_tokens), input_tokens - cached),
        output_tokens=output_tokens,
        reasoning_tokens=min(_count(out.reasoning_tokens), output_tokens),
        audio_input_tokens=min(_count(into.audio_tokens), input_tokens),
        audio_output_tokens=min(_count(out.audio_tokens), output_tokens),
    )


def read_usage_leniently(raw: msgspec.Raw) -> Usage | None:
    """Return the canonical usage of a JSON text; None where it is absent, or none that can be read."""
    if bytes(raw) in _NO_USAGE:
        return None
    try:
        return read_usage(_usage.decode(raw))
    except msgspec.ValidationError:
        return None


def write_usage(usage: Usage) -> dict[str, Any]:
    """Return the `usage` object of an answer, with the details that OpenAI's has."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "audio_tokens": usage.audio_input_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": usage.audio_output_tokens,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _count(value: int | None) -> int:
    return value if value is not None and value > 0 else 0
