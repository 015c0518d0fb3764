"""Token counts in every spelling, and never nonsense."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.canonical import Usage
from providers.dialects.openai_chat.usage import WireUsage, read_usage, read_usage_leniently, write_usage


def _read(**fields: Any) -> Usage | None:
    return read_usage(msgspec.convert(fields, WireUsage))


def test_plain_counts() -> None:
    assert _read(prompt_tokens=3, completion_tokens=4, total_tokens=7) == Usage(input_tokens=3, output_tokens=4)


def test_every_class_is_read() -> None:
    usage = _read(
        prompt_tokens=100,
        completion_tokens=50,
        prompt_tokens_details={"cached_tokens": 60, "cache_write_tokens": 10, "audio_tokens": 5},
        completion_tokens_details={"reasoning_tokens": 20, "audio_tokens": 3},
    )
    assert usage == Usage(
        input_tokens=100,
        cached_input_tokens=60,
        cache_write_tokens=10,
        output_tokens=50,
        reasoning_tokens=20,
        audio_input_tokens=5,
        audio_output_tokens=3,
    )


def test_the_other_spelling_of_cached_tokens() -> None:
    usage = _read(prompt_tokens=10, completion_tokens=1, prompt_cache_hit_tokens=8)
    assert usage is not None
    assert usage.cached_input_tokens == 8


@pytest.mark.parametrize("fields", [{}, {"total_tokens": 0}, {"prompt_tokens": None}])
def test_nothing_counted_is_no_usage(fields: dict[str, Any]) -> None:
    assert _read(**fields) is None


def test_a_total_alone_counts_as_input() -> None:
    assert _read(total_tokens=9) == Usage(input_tokens=9)


_count = st.none() | st.integers(-5, 10_000)


@given(_count, _count, _count, _count, _count)
def test_parts_never_exceed_their_whole(
    prompt: int | None, completion: int | None, cached: int | None, write: int | None, reasoning: int | None
) -> None:
    usage = _read(
        prompt_tokens=prompt,
        completion_tokens=completion,
        prompt_tokens_details={"cached_tokens": cached, "cache_write_tokens": write},
        completion_tokens_details={"reasoning_tokens": reasoning},
    )
    if usage is not None:
        assert 0 <= usage.cached_input_tokens + usage.cache_write_tokens <= usage.input_tokens
        assert 0 <= usage.reasoning_tokens <= usage.output_tokens


def test_what_is_written_reads_the_same() -> None:
    usage = Usage(input_tokens=9, cached_input_tokens=2, cache_write_tokens=3, output_tokens=8, reasoning_tokens=4)
    raw = msgspec.Raw(msgspec.json.encode(write_usage(usage)))
    assert read_usage_leniently(raw) == usage


def test_usage_of_odd_types_counts_as_none() -> None:
    assert read_usage_leniently(msgspec.Raw(b'{"prompt_tokens": "many"}')) is None
    assert read_usage_leniently(msgspec.Raw(b"null")) is None
