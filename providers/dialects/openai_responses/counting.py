"""Counting the tokens of a request: `POST /responses/input_tokens` (OpenAI's reference, November 2026).

The request is that of a response; the answer is one number.
"""

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects.codec import Facts
from providers.dialects.openai_responses.wire import BROKEN


class _Count(msgspec.Struct):
    input_tokens: int


_count = msgspec.json.Decoder(_Count)


def encode_count(input_tokens: int) -> bytes:
    """Return the answer that says it."""
    return msgspec.json.encode({"object": "response.input_tokens", "input_tokens": input_tokens})


def decode_count(body: bytes) -> int:
    """Return the tokens that an answer counts. Raises UpstreamBroken where it is none."""
    try:
        return _count.decode(body).input_tokens
    except BROKEN as error:
        raise UpstreamBroken("the provider's answer is no count of tokens") from error


def read_facts(body: bytes) -> Facts:
    """Return that nothing was used. Raises UpstreamBroken where the bytes are no count."""
    decode_count(body)
    return Facts()
