"""How many tokens a prompt has: the answer of `/v1/messages/count_tokens`."""

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Usage
from providers.dialects.codec import Facts


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


def read_facts(body: bytes) -> Facts:
    """Return that nothing was used: a count costs nothing. Raises UpstreamBroken where the bytes are none."""
    decode_count(body)
    return Facts(usage=Usage())
