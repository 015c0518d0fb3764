"""Whatever bytes come, each contract answers or refuses as it says."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.codec import Heads
from providers.dialects.gemini_generate import codec
from tests.providers.dialects.gemini_generate.requests import PATH

JSON = st.recursive(
    st.none() | st.text(max_size=5) | st.integers() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    *("contents", "parts", "text", "system_instruction", "generationConfig", "tools", "name"),
                    *("functionCall", "functionResponse", "functionDeclarations", "args", "response", "requests"),
                    *("content", "candidates", "parameters"),
                )
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
ANYTHING = st.binary(max_size=100) | JSON.map(lambda value: json.dumps(value).encode())


@pytest.mark.parametrize("front", [codec.CHAT_FRONT, codec.COUNT_FRONT, codec.EMBED_ONE_FRONT, codec.EMBED_MANY_FRONT])
@given(body=ANYTHING)
def test_whatever_comes_is_a_request_or_a_refusal(front: Heads, body: bytes) -> None:
    try:
        front.decode_head(body, PATH)
        front.read_prompt(body)
        if front is codec.CHAT_FRONT:
            codec.CHAT_FRONT.decode_request(body, PATH)
    except InvalidRequest as error:
        assert error.status == 400


@given(ANYTHING)
def test_whatever_comes_is_an_answer_or_none(body: bytes) -> None:
    for decode in (codec.CHAT_BACK.decode_answer, codec.CHAT_THROUGH.read_facts, codec.EMBEDDING_BACK.decode_answer):
        try:
            decode(body)
        except UpstreamBroken as error:
            assert error.retryable
