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

    `max_output_tokens` is what the client allows each of the `choices`; None where it states nothing. `input_bytes` is
    the size of the text that the model reads, for estimates; `input_tokens_most` is more than any vendor counts for it.
    """

    model: str
    stream: bool = False
    wants_stream_usage: bool = False
    max_output_tokens: int | None = None
    choices: int = 1
    input_bytes: int = 0
    input_tokens_most: int = 0
    max_cost_nanos: int | None = None


class Prompt(msgspec.Struct, frozen=True):
    """What a model reads of a request, taken apart for counting.

    `texts` are what was said, one for each part of a message, empty where a part is no text; `markup` is the other text
    that reaches the model: roles, tools, tool calls, schemas. `given_tokens` came as tokens. `apart` tells that the
    texts are separate inputs, not one conversation.
    """

    texts: tuple[str, ...] = ()
    markup: tuple[str, ...] = ()
    messages: int = 0
    pictures: int = 0
    attachment_tokens: int = 0
    given_tokens: int = 0
    has_tools: bool = False
    apart: bool = False


BYTES_A_TOKEN = 4


def estimate_tokens(byte_count: int) -> int:
    """Estimate tokens where a provider reports none: four bytes of UTF-8 a token, rounded up."""
    return -(-byte_count // BYTES_A_TOKEN)
