"""Estimates round up, totals add up, and what is zero takes no room."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.canonical import BYTES_A_TOKEN, Usage, estimate_tokens


@given(st.integers(0, 10**9))
def test_an_estimate_is_the_fewest_tokens_that_hold_the_bytes(byte_count: int) -> None:
    tokens = estimate_tokens(byte_count)
    assert (tokens - 1) * BYTES_A_TOKEN < byte_count <= tokens * BYTES_A_TOKEN or byte_count == tokens == 0


def test_parts_are_no_addition_to_their_whole() -> None:
    usage = Usage(input_tokens=10, cached_input_tokens=4, output_tokens=5, reasoning_tokens=2, audio_output_tokens=1)
    assert usage.total_tokens == 15


def test_what_was_not_used_is_not_written() -> None:
    assert msgspec.json.encode(Usage(output_tokens=1, estimated=True)) == b'{"output_tokens":1,"estimated":true}'
