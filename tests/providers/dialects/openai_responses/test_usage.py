"""Counts are read as the parts of a whole that they are, whatever a follower leaves out."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.canonical import Usage
from providers.dialects.openai_responses.usage import WireUsage, read_usage, write_usage

counts = st.one_of(st.none(), st.integers(-3, 50))


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        ({"input_tokens": 3, "output_tokens": 2}, Usage(input_tokens=3, output_tokens=2)),
        ({"input_tokens": 3}, Usage(input_tokens=3)),
        ({"total_tokens": 3}, None),
        ({}, None),
    ],
)
def test_what_followers_leave_out(wire: dict[str, Any], usage: Usage | None) -> None:
    assert read_usage(msgspec.convert(wire, WireUsage)) == usage


def test_no_usage() -> None:
    assert read_usage(None) is None
    assert write_usage(None) is None


@given(counts, counts, counts, counts, counts)
def test_parts_are_never_more_than_the_whole(
    given_: int | None, cached: int | None, written: int | None, out: int | None, thought: int | None
) -> None:
    wire = {
        "input_tokens": given_,
        "output_tokens": out,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "output_tokens_details": {"reasoning_tokens": thought},
    }
    usage = read_usage(msgspec.convert(wire, WireUsage))
    if usage is not None:
        assert 0 <= usage.cached_input_tokens + usage.cache_write_tokens <= usage.input_tokens
        assert 0 <= usage.reasoning_tokens <= usage.output_tokens
        assert read_usage(msgspec.convert(write_usage(usage), WireUsage)) == usage


def test_the_cost_stands_beside() -> None:
    written = write_usage(Usage(input_tokens=1), b"0.25")
    assert b'"cost":0.25' in msgspec.json.encode(written)
