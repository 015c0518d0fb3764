"""Counting the tokens of a request: `POST /responses/input_tokens` (OpenAI's reference, November 2026).

The request is that of a response; the answer is one number.
"""

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Head
from providers.dialects.codec import CostOf, Facts, StreamReader, Upstream
from providers.dialects.openai_responses import request, stream
from providers.dialects.openai_responses.wire import BROKEN


class _Count(msgspec.Struct):
    input_tokens: int


_count = msgspec.json.Decoder(_Count)


class CountThrough:
    """Clients and providers who both count this way; a `codec.Through`."""

    def patch(self, body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
        """Return the body with the upstream's model; there is nothing to cap."""
        model = upstream.model if upstream.model != head.model else None
        return request.patch(body, model=model, output_cap=None, once=once, costed=head.max_cost_nanos is not None)

    def read_facts(self, body: bytes) -> Facts:
        """Return that nothing was used. Raises UpstreamBroken where the bytes are no count."""
        decode_count(body)
        return Facts()

    def reader(self, head: Head, cost_of: CostOf) -> StreamReader:
        """Return a reader all the same; no count is streamed."""
        return stream.StreamReader()


def encode_count(input_tokens: int) -> bytes:
    """Return the answer that says it."""
    return msgspec.json.encode({"object": "response.input_tokens", "input_tokens": input_tokens})


def decode_count(body: bytes) -> int:
    """Return the tokens that an answer counts. Raises UpstreamBroken where it is none."""
    try:
        return _count.decode(body).input_tokens
    except BROKEN as error:
        raise UpstreamBroken("the provider's answer is no count of tokens") from error
