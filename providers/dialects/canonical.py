"""The one internal form that every dialect translates to and from."""

from enum import StrEnum

import msgspec


class Operation(StrEnum):
    """What a call asks for."""

    CHAT = "chat"
    COMPLETION = "completion"
    EMBEDDING = "embedding"
    IMAGE = "image"
    IMAGE_EDIT = "image_edit"
    SPEECH = "speech"
    TRANSCRIPTION = "transcription"
    TRANSLATION = "translation"
    MODERATION = "moderation"
    RERANK = "rerank"
    TOKEN_COUNT = "token_count"  # noqa: S105
    COMPACTION = "compaction"
    PASSTHROUGH = "passthrough"


class Dialect(StrEnum):
    """A way of saying things on the wire; each says some operations."""

    OPENAI = "openai"  # chat and legacy completions, embeddings, images, audio, moderations: everything but Responses
    RESPONSES = "responses"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    CONVERSE = "converse"  # Bedrock's
    TITAN = "titan"  # Amazon's own models under Bedrock's InvokeModel
    COHERE = "cohere"  # rerank and embeddings
    FEATURES = "features"  # Hugging Face's feature extraction


class Feature(StrEnum):
    """What a model may or may not be able to do; `Capabilities` says it of one."""

    STREAMING = "streaming"
    TOOLS = "tools"
    PARALLEL_TOOLS = "parallel_tools"  # that they can be forbidden
    IMAGES = "images"
    IMAGE_URLS = "image_urls"  # pictures at an address, not only inline
    DOCUMENTS = "documents"
    AUDIO = "audio"
    VIDEO = "video"
    JSON_OBJECT = "json_object"
    JSON_SCHEMA = "json_schema"
    REASONING = "reasoning"
    PREFILL = "prefill"  # the last message may be the assistant's
    SYSTEM = "system"
    SAMPLING = "sampling"  # temperature, top_p, top_k
    PENALTIES = "penalties"
    SEED = "seed"
    STOP = "stop"
    LOGPROBS = "logprobs"
    CHOICES = "choices"  # n > 1
    CACHE_MARKS = "cache_marks"
    SIGNED_THINKING = "signed_thinking"  # tool calls of the history have to carry their signatures


class Capabilities(msgspec.Struct, frozen=True):
    """What one model of one provider can do; None where a number is not known."""

    features: frozenset[Feature] = frozenset(Feature)
    max_output_tokens: int | None = None

    def has(self, feature: Feature) -> bool:
        """Tell whether the model can do it."""
        return feature in self.features


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one attempt used, in tokens and other units.

    `input_tokens` counts the whole prompt: cached, cache-write and audio tokens are parts of it. `output_tokens`
    counts everything generated: reasoning and audio tokens are parts of it. Not counted in tokens are pictures made,
    characters spoken, milliseconds of sound written down, searches run. `estimated` tells that the provider reported
    nothing and the gateway counted.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    images: int = 0
    characters: int = 0
    audio_ms: int = 0
    searches: int = 0
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        """Return the tokens in both directions."""
        return self.input_tokens + self.output_tokens

    @property
    def used_anything(self) -> bool:
        """Tell whether there is something to pay for."""
        return bool(
            self.input_tokens or self.output_tokens or self.images or self.characters or self.audio_ms or self.searches
        )


class Head(msgspec.Struct, frozen=True):
    """What routing needs of a request; the body itself stays bytes.

    `max_output_tokens` is what the client allows each of the `choices`; None where it states nothing. `input_bytes` is
    the size of the text that the model reads, for estimates; `input_tokens_most` is more than any vendor counts for it.
    `images` are to be made, `characters` to be spoken, `audio_ms_most` is the longest that a sound of that size lasts,
    `searches` what a provider may bill for ranking.
    """

    model: str
    stream: bool = False
    wants_stream_usage: bool = False
    max_output_tokens: int | None = None
    choices: int = 1
    input_bytes: int = 0
    input_tokens_most: int = 0
    max_cost_nanos: int | None = None
    images: int = 0
    characters: int = 0
    audio_ms_most: int = 0
    searches: int = 0


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
