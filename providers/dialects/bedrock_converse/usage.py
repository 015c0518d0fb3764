"""Token counts as Converse reports them.

`inputTokens` leaves out what was read from the cache or written to it; `outputTokens` holds reasoning, which is not
counted apart (botocore 1.44's TokenUsage; the user guide on prompt caching, November 2026).
"""

import msgspec

from providers.dialects.canonical import Usage


class WireUsage(msgspec.Struct):
    """The `usage` object of an answer or of a stream's `metadata`."""

    inputTokens: int | None = None  # noqa: N815 - the wire's own names, here and below
    outputTokens: int | None = None  # noqa: N815
    cacheReadInputTokens: int | None = None  # noqa: N815
    cacheWriteInputTokens: int | None = None  # noqa: N815


def read_usage(wire: WireUsage | None) -> Usage | None:
    """Return the canonical usage; None where the object counts nothing."""
    if wire is None or (wire.inputTokens is None and wire.outputTokens is None):
        return None
    cached, written = _count(wire.cacheReadInputTokens), _count(wire.cacheWriteInputTokens)
    return Usage(
        input_tokens=_count(wire.inputTokens) + cached + written,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        output_tokens=_count(wire.outputTokens),
    )


def _count(value: int | None) -> int:
    return value if value is not None and value > 0 else 0
