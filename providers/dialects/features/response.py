"""Features into vectors: numbers nested by input, and by token where the server doesn't pool; then their mean is taken.

A server may wrap each input's tokens once more (`[[[…]]]` for one text: batch, token, number); a single vector for a
single text may come without the outer list (Hugging Face, feature extraction, November 2026).
"""

import math
from typing import Any

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects.embedding import EmbeddingAnswer

_DEPTH_MAX = 4
_any = msgspec.json.Decoder()


def decode_answer(body: bytes) -> EmbeddingAnswer:
    """Return the vectors. Raises UpstreamBroken where the bytes are none."""
    try:
        value = _any.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken("the provider's answer holds no vectors") from error
    if not isinstance(value, list) or not value:
        raise UpstreamBroken("the provider's answer holds no vectors")
    rows = value if isinstance(value[0], list) else [value]
    return EmbeddingAnswer(vectors=tuple(_pool(row, _DEPTH_MAX) for row in rows))


def _pool(value: Any, depth: int) -> tuple[float, ...]:
    """Return the vector, or the mean of the vectors, of one input."""
    if not isinstance(value, list) or not value or not depth:
        raise UpstreamBroken("the provider's answer holds something that is no vector")
    if not isinstance(value[0], list):
        return _vector(value)
    vectors = [_pool(inner, depth - 1) for inner in value]
    if len({len(vector) for vector in vectors}) != 1:
        raise UpstreamBroken("the provider's answer holds vectors of different lengths")
    return tuple(math.fsum(numbers) / len(vectors) for numbers in zip(*vectors, strict=True))


def _vector(value: list[Any]) -> tuple[float, ...]:
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in value):
        raise UpstreamBroken("the provider's answer holds something that is no number")
    try:
        return tuple(float(number) for number in value)
    except OverflowError as error:
        raise UpstreamBroken("the provider's answer holds a number beyond all measure") from error
