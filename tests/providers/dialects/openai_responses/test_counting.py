"""A count is one number, and its request is patched like a response's without a cap."""

import json

import pytest
from openai.types.responses.input_token_count_response import InputTokenCountResponse

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Capabilities
from providers.dialects.codec import Facts, Upstream
from providers.dialects.openai_responses.codec import COUNT_THROUGH
from providers.dialects.openai_responses.counting import decode_count, encode_count
from providers.dialects.openai_responses.request import decode_head


def test_a_count_comes_back() -> None:
    body = encode_count(42)
    assert InputTokenCountResponse.model_validate_json(body, strict=True).input_tokens == 42
    assert decode_count(body) == 42
    assert COUNT_THROUGH.read_facts(body) == Facts()


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b'{"input_tokens":"many"}'])
def test_what_is_no_count(body: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        decode_count(body)


def test_a_cap_has_no_place() -> None:
    body = b'{"model":"a","input":"x"}'
    upstream = Upstream(model="b", capabilities=Capabilities(), cap=5)
    patched = COUNT_THROUGH.patch(body, upstream, head=decode_head(body), once=False)
    assert json.loads(patched) == {"model": "b", "input": "x"}
