"""Token counts as the Responses API reports them.

`input_tokens` includes what was read from and written to the cache, `output_tokens` includes reasoning (OpenAI's
reference of the response object, November 2026). Both details are required on the resource.
"""

from typing import Any

import msgspec

from providers.dialects.canonical import Usage


class _InputDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class WireUsage(msgspec.Struct):
    """The `usage` object of a response."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


_NO_INPUT = _InputDetails()
_NO_OUTPUT = _OutputDetails()


def read_usage(wire: WireUsage | None) -> Usage | None:
    """Return the canonical usage; None where nothing is counted."""
    if wire is None or (wire.input_tokens is None and wire.output_tokens is None):
        return None
    into, out = wire.input_tokens_details or _NO_INPUT, wire.output_tokens_details or _NO_OUTPUT
    input_tokens, output_tokens = _count(wire.input_tokens), _count(wire.output_tokens)
    cached = min(_count(into.cached_tokens), input_tokens)
    return Usage(
        input_tokens=input_tokens,
        cached_input_tokens=cached,
        cache_write_tokens=min(_count(into.cache_write_tokens), input_tokens - cached),
        output_tokens=output_tokens,
        reasoning_tokens=min(_count(out.reasoning_tokens), output_tokens),
    )


def write_usage(usage: Usage | None, cost: bytes | None = None) -> dict[str, Any] | None:
    """Return the object that says it, None where nothing is known; `cost` is USD as a JSON number."""
    if usage is None:
        return None
    wire: dict[str, Any] = {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
    if cost is not None:
        wire["cost"] = msgspec.Raw(cost)
    return wire


def _count(value: int | None) -> int:
    return value if value is not None and value > 0 else 0
