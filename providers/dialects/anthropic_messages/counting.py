"""How many tokens a prompt has: `/v1/messages/count_tokens`, its answer, front, back and way through."""

import msgspec

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.anthropic_messages.asking import encode_count_request
from providers.dialects.anthropic_messages.decoder import AnthropicDecoder
from providers.dialects.anthropic_messages.errors import read_error
from providers.dialects.anthropic_messages.head import decode_count_head
from providers.dialects.anthropic_messages.measure import read_prompt
from providers.dialects.anthropic_messages.patching import patch_count
from providers.dialects.anthropic_messages.request import decode_request
from providers.dialects.anthropic_messages.stream import AnthropicReader
from providers.dialects.canonical import Head, Prompt, Usage
from providers.dialects.codec import (
    Asked,
    CostOf,
    Encoded,
    ErrorReport,
    Facts,
    HeaderOf,
    PathFacts,
    StreamEncoder,
    Upstream,
)
from providers.dialects.conversation import Request


class _Count(msgspec.Struct):
    input_tokens: int


_count = msgspec.json.Decoder(_Count)


def encode_count(input_tokens: int) -> bytes:
    """Return the body of an answer that says how many tokens there are."""
    return msgspec.json.encode(_Count(input_tokens))


def decode_count(body: bytes) -> int:
    """Return how many tokens the provider counted. Raises UpstreamBroken where the bytes don't say."""
    try:
        return _count.decode(body).input_tokens
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken("the provider's answer is not a count of tokens") from error


class CountFront:
    """A `codec.Front` of counts."""

    def decode_head(self, body: bytes, path: PathFacts) -> Head:
        """Return what routing needs. Raises InvalidRequest that names the field."""
        return decode_count_head(body)

    def read_prompt(self, body: bytes) -> Prompt:
        """Return what the model would read."""
        return read_prompt(body)

    def decode_request(self, body: bytes, path: PathFacts) -> Request:
        """Return the request whose prompt is to be counted. Raises InvalidRequest that names the field."""
        return decode_request(body)

    def encode_answer(self, answer: int, asked: Asked) -> bytes:
        """Return the body of an answer."""
        return encode_count(answer)

    def encoder(self, asked: Asked, cost_of: CostOf) -> StreamEncoder:
        """Refuse: a count comes whole, and its head never asks for a stream."""
        raise InvalidRequest("a count of tokens can't be streamed", code="invalid_value", param="stream")


class CountBack:
    """A `codec.Back` of counts."""

    stream_type = b"text/event-stream"

    def encode_request(self, request: Request, upstream: Upstream) -> Encoded:
        """Return the body. Raises InvalidRequest for content that the model can't take."""
        return encode_count_request(request, upstream)

    def decode_answer(self, body: bytes) -> int:
        """Return the count. Raises UpstreamBroken where the bytes don't say."""
        return decode_count(body)

    def decoder(self) -> AnthropicDecoder:
        """Return what reads the dialect's streams."""
        return AnthropicDecoder()

    def read_error(self, status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
        """Return what an error answer says; None where it is none of the dialect's."""
        return read_error(status, header, body)


class CountThrough:
    """A `codec.Through` of counts, which cost nothing."""

    def patch(self, body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
        """Return the body with the upstream's model."""
        return patch_count(body, upstream, head=head, once=once)

    def read_facts(self, body: bytes) -> Facts:
        """Return that nothing was used. Raises UpstreamBroken where the bytes are no count."""
        decode_count(body)
        return Facts(usage=Usage())

    def reader(self, head: Head, cost_of: CostOf) -> AnthropicReader:
        """Return what passes the dialect's streams on."""
        return AnthropicReader()
