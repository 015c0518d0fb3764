"""Embedding requests as features."""

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Capabilities, Dialect
from providers.dialects.codec import Upstream
from providers.dialects.embedding import EmbeddingRequest
from providers.dialects.features.request import encode_request

UPSTREAM = Upstream(model="up", capabilities=Capabilities())


def test_texts_with_the_servers_own_parameters() -> None:
    extras = {
        "normalize": msgspec.Raw(b"true"),
        "user": msgspec.Raw(b'"u"'),
        "odd": msgspec.Raw(b"1"),
    }
    request = EmbeddingRequest("m", ("a", "b"), Dialect.OPENAI, dimensions=8, task="query", user="u", extras=extras)
    encoded = encode_request(request, UPSTREAM)
    assert msgspec.json.decode(encoded.body) == {"inputs": ["a", "b"], "dimensions": 8, "normalize": True}
    assert set(encoded.unsupported) == {"odd", "task"}
    assert set(encoded.ignored) == {"user"}


def test_a_plain_request_says_nothing_else() -> None:
    encoded = encode_request(EmbeddingRequest("m", ("a",), Dialect.OPENAI), UPSTREAM)
    assert (encoded.body, encoded.unsupported, encoded.ignored) == (b'{"inputs":["a"]}', (), ())


def test_tokens_are_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        encode_request(EmbeddingRequest("m", ("a", (1, 2)), Dialect.OPENAI), UPSTREAM)
    assert (caught.value.code, caught.value.param) == ("unsupported_content", "input[1]")
