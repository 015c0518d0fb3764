"""The one internal form that every dialect translates to and from."""

from enum import StrEnum

import msgspec


class Operation(StrEnum):
    """What a call asks for."""

    CHAT = "chat"
    COMPLETION = "completion"
    EMBEDDING = "embedding"


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one attempt used, in tokens and other units.

    `input_tokens` counts the whole prompt: cached, cache-write and audio tokens are parts of it. `output_tokens`
    counts everything generated: reasoning and audio tokens are parts of it. `estimated` tells that the provider
    reported nothing and the gateway counted.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    images: int = 0
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        """Return the tokens in both directions."""
        return self.input_tokens + self.output_tokens


class Head(msgspec.Struct, frozen=True):
    """What routing needs of a request; the body itself stays bytes.

    `input_bytes` is the size of the text that the model reads, for estimates.
    """

    model: str
    stream: bool = False
    wants_stream_usage: bool = False
    max_output_tokens: int | None = None
    input_bytes: int = 0


BYTES_A_TOKEN = 4


def estimate_tokens(byte_count: int) -> int:
    """Estimate tokens where a provider reports none: four bytes of UTF-8 a token, rounded up."""
    return -(-byte_count // BYTES_A_TOKEN)
