"""Counts of tokens go both ways, and cost nothing."""

import json

import pytest
from anthropic.types import MessageTokensCount

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.anthropic_messages.codec import COUNT_BACK, COUNT_FRONT, COUNT_THROUGH
from providers.dialects.anthropic_messages.counting import decode_count, encode_count
from providers.dialects.canonical import Capabilities, Usage
from providers.dialects.codec import Facts, PathFacts, Upstream
from tests.providers.dialects.anthropic_messages.recorded import ASKED, body, cassette

REQUEST = body(cassette("count_tokens.json")["request"])


def test_counts_come_back() -> None:
    MessageTokensCount.model_validate_json(encode_count(8))
    assert decode_count(encode_count(8)) == 8
    assert decode_count(body(cassette("count_tokens.json")["response"])) == 8


@pytest.mark.parametrize("given", [b"", b"{}", b"[]", b'{"input_tokens": "x"}', b"\xff"])
def test_what_is_no_count(given: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        decode_count(given)


def test_the_front_reads_a_request_without_a_limit() -> None:
    assert COUNT_FRONT.decode_head(REQUEST, PathFacts()).max_output_tokens == 0
    assert COUNT_FRONT.read_prompt(REQUEST).texts == ("Hello",)
    request = COUNT_FRONT.decode_request(REQUEST, PathFacts())
    assert json.loads(COUNT_BACK.encode_request(request, Upstream("claude", Capabilities())).body) == {
        "model": "claude",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    }
    assert COUNT_FRONT.encode_answer(8, ASKED) == b'{"input_tokens":8}'
    assert COUNT_BACK.decode_answer(b'{"input_tokens":8}') == 8


def test_a_count_is_no_stream() -> None:
    with pytest.raises(InvalidRequest):
        COUNT_FRONT.encoder(ASKED, lambda usage: None)


def test_a_count_that_passes_uses_nothing() -> None:
    head = COUNT_FRONT.decode_head(REQUEST, PathFacts())
    assert COUNT_THROUGH.patch(REQUEST, Upstream(head.model, Capabilities()), head=head, once=False) is REQUEST
    assert COUNT_THROUGH.read_facts(b'{"input_tokens":8}') == Facts(usage=Usage())
