"""Counts as the vendor and its followers report them."""

import msgspec
import pytest

from providers.dialects.canonical import Usage
from providers.dialects.openai_media.usage import MediaUsage, add, milliseconds, read_usage


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        ({"type": "duration", "seconds": 3}, Usage(audio_ms=3_000)),
        ({"type": "duration", "seconds": 2.9501}, Usage(audio_ms=2_951)),
        (
            {"input_tokens": 34, "output_tokens": 5, "input_token_details": {"audio_tokens": 30, "text_tokens": 4}},
            Usage(input_tokens=34, output_tokens=5, audio_input_tokens=30),
        ),
        (
            {"input_tokens": 50, "output_tokens": 9, "input_tokens_details": {"cached_tokens": 90, "image_tokens": 1}},
            Usage(input_tokens=50, output_tokens=9, cached_input_tokens=50),
        ),
        ({"prompt_tokens": 7, "completion_tokens": 0, "total_tokens": 7}, Usage(input_tokens=7)),
        ({"input_tokens": -4, "output_tokens": 2}, Usage(output_tokens=2)),
        ({"seconds": -1}, None),
        ({}, None),
    ],
)
def test_usage(wire: dict[str, object], usage: Usage | None) -> None:
    assert read_usage(msgspec.convert(wire, MediaUsage)) == usage


def test_milliseconds_are_rounded_up_and_nonsense_is_none() -> None:
    given = (0.0001, 0.07, 1.0, float("nan"), float("inf"), None)
    assert [milliseconds(seconds) for seconds in given] == [1, 70, 1_000, 0, 0, 0]


def test_sums() -> None:
    one = Usage(input_tokens=1, images=1)
    assert add(None, one) == one
    assert add(one, Usage(output_tokens=2, images=1, estimated=True)) == Usage(
        input_tokens=1, output_tokens=2, images=2, estimated=True
    )
