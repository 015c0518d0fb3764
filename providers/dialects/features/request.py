"""Requests for features: `{"inputs": […], "normalize"…}`, parameters beside the inputs; the model stands in the path.

Source: huggingface_hub 2.4, `inference/_generated/types/feature_extraction.py`: normalize, prompt_name, truncate,
truncation_direction, dimensions.
"""

from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.codec import Encoded, Upstream
from providers.dialects.embedding import EmbeddingRequest
from providers.dialects.hints import sort_extras

_OWN_FIELDS = ("normalize", "prompt_name", "truncate", "truncation_direction")


def encode_request(request: EmbeddingRequest, upstream: Upstream) -> Encoded:
    """Return the body. Raises InvalidRequest for inputs that came as tokens, which these servers don't take."""
    unsupported, ignored = sort_extras(request, Dialect.FEATURES)
    fields: dict[str, Any] = {"inputs": _texts(request)}
    if request.dimensions is not None:
        fields["dimensions"] = request.dimensions
    for name in _OWN_FIELDS:  # what a client adds to its own dialect's fields
        if name in request.extras:
            fields[name] = request.extras[name]
    if request.task:
        unsupported += ("task",)
    if request.user:
        ignored += ("user",)
    left = tuple(name for name in unsupported if name not in _OWN_FIELDS)
    return Encoded(msgspec.json.encode(fields), left, ignored)


def _texts(request: EmbeddingRequest) -> list[str]:
    texts = []
    for index, given in enumerate(request.inputs):
        if not isinstance(given, str):
            message = "This model takes texts, not tokens."
            raise InvalidRequest(message, code="unsupported_content", param=f"input[{index}]")
        texts.append(given)
    return texts
