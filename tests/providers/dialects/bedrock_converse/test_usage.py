"""What Converse leaves out of its input is put back."""

import msgspec
import pytest

from providers.dialects.bedrock_converse.usage import WireUsage, read_usage
from providers.dialects.canonical import Usage


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        (b'{"inputTokens":10,"outputTokens":3,"totalTokens":13}', Usage(input_tokens=10, output_tokens=3)),
        (
            b'{"inputTokens":10,"outputTokens":3,"cacheReadInputTokens":70,"cacheWriteInputTokens":20}',
            Usage(input_tokens=100, cached_input_tokens=70, cache_write_tokens=20, output_tokens=3),
        ),
        (b'{"inputTokens":0,"outputTokens":0}', Usage()),
        (b'{"inputTokens":-4,"outputTokens":3,"cacheReadInputTokens":null}', Usage(output_tokens=3)),
        (b'{"outputTokens":3}', Usage(output_tokens=3)),
        (b"{}", None),
    ],
)
def test_usage(wire: bytes, usage: Usage | None) -> None:
    assert read_usage(msgspec.json.decode(wire, type=WireUsage)) == usage


def test_no_usage_at_all() -> None:
    assert read_usage(None) is None
