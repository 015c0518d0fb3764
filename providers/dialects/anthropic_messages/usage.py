"""Token counts as Anthropic reports them, both ways.

`input_tokens` leaves out what was read from the cache or written to it: the whole prompt is the sum of the three.
`output_tokens` includes thinking (anthropic-python 2.11, `types/usage.py`). In a stream the counts of `message_delta`
are totals, and each that is there stands in place of that of `message_start`.
"""

from typing import Any

import msgspec

from providers.dialects.canonical import Usage


class _CacheCreation(msgspec.Struct, gc=False):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class _OutputDetails(msgspec.Struct, gc=False):
    thinking_tokens: int | None = None


class _ServerTools(msgspec.Struct, gc=False):
    web_search_requests: int | None = None


class WireUsage(msgspec.Struct, gc=False):
    """The `usage` object of an answer, of `message_start` and of `message_delta`."""

    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: _CacheCreation | None = None
    output_tokens: int | None = None
    output_tokens_details: _OutputDetails | None = None
    server_tool_use: _ServerTools | None = None
    service_tier: str | None = None


def read_usage(wire: WireUsage) -> Usage | None:
    """Return the canonical usage; None where the object counts nothing."""
    if wire.input_tokens is None and wire.output_tokens is None:
        return None
    cached, written = _count(wire.cache_read_input_tokens), _written(wire)
    output_tokens = _count(wire.output_tokens)
    details, tools = wire.output_tokens_details, wire.server_tool_use
    return Usage(
        input_tokens=_count(wire.input_tokens) + cached + written,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        output_tokens=output_tokens,
        reasoning_tokens=min(_count(details.thinking_tokens), output_tokens) if details else 0,
        searches=_count(tools.web_search_requests) if tools else 0,
    )


def merge(known: WireUsage | None, later: WireUsage) -> WireUsage:
    """Return what is known after a later report: each of its counts stands in place of the earlier one."""
    if known is None:
        return later
    changes = {name: value for name in WireUsage.__struct_fields__ if (value := getattr(later, name)) is not None}
    if "cache_creation_input_tokens" in changes and "cache_creation" not in changes:
        changes["cache_creation"] = None
    return msgspec.structs.replace(known, **changes)


def write_usage(usage: Usage | None) -> dict[str, Any]:
    """Return the `usage` object; zeros where nothing is known, for clients need the numbers."""
    usage = usage or Usage()
    cached, written = usage.cached_input_tokens, usage.cache_write_tokens
    wire: dict[str, Any] = {
        "input_tokens": max(0, usage.input_tokens - cached - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": cached,
        "output_tokens": usage.output_tokens,
    }
    if usage.reasoning_tokens:
        wire["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    if usage.searches:
        wire["server_tool_use"] = {"web_search_requests": usage.searches, "web_fetch_requests": 0}
    return wire


def _written(wire: WireUsage) -> int:
    if wire.cache_creation_input_tokens is not None or wire.cache_creation is None:
        return _count(wire.cache_creation_input_tokens)
    parts = wire.cache_creation
    return _count(parts.ephemeral_5m_input_tokens) + _count(parts.ephemeral_1h_input_tokens)


def _count(value: int | None) -> int:
    return value if value is not None and value > 0 else 0
