"""Anthropic's dialect as the gateway uses it: its fronts, backs and ways through."""

from kernel.errors import GatewayError
from providers.dialects.anthropic_messages.asking import encode_request
from providers.dialects.anthropic_messages.counting import CountBack, CountFront, CountThrough
from providers.dialects.anthropic_messages.decoder import AnthropicDecoder
from providers.dialects.anthropic_messages.encoder import AnthropicEncoder
from providers.dialects.anthropic_messages.errors import encode_error, read_error, status_of
from providers.dialects.anthropic_messages.head import decode_head
from providers.dialects.anthropic_messages.measure import read_prompt
from providers.dialects.anthropic_messages.patching import patch
from providers.dialects.anthropic_messages.request import decode_request
from providers.dialects.anthropic_messages.response import decode_answer, encode_answer, read_facts
from providers.dialects.anthropic_messages.stream import AnthropicReader
from providers.dialects.canonical import Head, Prompt
from providers.dialects.codec import (
    Asked,
    Back,
    CostOf,
    Encoded,
    ErrorReport,
    ErrorWriter,
    Facts,
    Front,
    HeaderOf,
    PathFacts,
    Through,
    Upstream,
)
from providers.dialects.conversation import Answer, Request


class _ChatFront:
    def decode_head(self, body: bytes, path: PathFacts) -> Head:
        return decode_head(body)

    def read_prompt(self, body: bytes) -> Prompt:
        return read_prompt(body)

    def decode_request(self, body: bytes, path: PathFacts) -> Request:
        return decode_request(body)

    def encode_answer(self, answer: Answer, asked: Asked) -> bytes:
        return encode_answer(answer, asked)

    def encoder(self, asked: Asked, cost_of: CostOf) -> AnthropicEncoder:
        return AnthropicEncoder(asked)


class _ChatBack:
    stream_type = b"text/event-stream"

    def encode_request(self, request: Request, upstream: Upstream) -> Encoded:
        return encode_request(request, upstream)

    def decode_answer(self, body: bytes) -> Answer:
        return decode_answer(body)

    def decoder(self) -> AnthropicDecoder:
        return AnthropicDecoder()

    def read_error(self, status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
        return read_error(status, header, body)


class _ChatThrough:
    def patch(self, body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
        return patch(body, upstream, head=head, once=once)

    def read_facts(self, body: bytes) -> Facts:
        return read_facts(body)

    def reader(self, head: Head, cost_of: CostOf) -> AnthropicReader:
        return AnthropicReader()


class _Errors:
    def status_of(self, error: GatewayError) -> int:
        return status_of(error)

    def encode_error(self, error: GatewayError, *, request_id: str) -> bytes:
        return encode_error(error, request_id=request_id)


CHAT_FRONT: Front[Request, Answer] = _ChatFront()
CHAT_BACK: Back[Request, Answer] = _ChatBack()
CHAT_THROUGH: Through = _ChatThrough()
COUNT_FRONT: Front[Request, int] = CountFront()
COUNT_BACK: Back[Request, int] = CountBack()
COUNT_THROUGH: Through = CountThrough()
ERRORS: ErrorWriter = _Errors()
