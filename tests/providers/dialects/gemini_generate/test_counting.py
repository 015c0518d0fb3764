import json

import pytest

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.codec import PathFacts
from providers.dialects.gemini_generate import counting
from providers.dialects.gemini_generate.codec import COUNT_FRONT
from tests.providers.dialects.gemini_generate.requests import UPSTREAM

PATH = PathFacts(model="m", stream=True)
PLAIN = b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}'
WHOLE = (
    b'{"generate_content_request":{"model":"models/m","contents":{"parts":{"text":"hi"}},'
    b'"system_instruction":{"parts":{"text":"s"}}}}'
)


def test_either_form_is_read() -> None:
    head = COUNT_FRONT.decode_head(PLAIN, PATH)
    assert (head.model, head.stream, head.max_output_tokens) == ("m", False, 0)
    assert COUNT_FRONT.read_prompt(PLAIN).texts == ("hi",)
    assert COUNT_FRONT.read_prompt(WHOLE).texts == ("s", "hi")
    assert len(counting.decode_request(WHOLE, PATH).messages) == 2


def test_a_provider_is_asked_with_the_whole_request() -> None:
    encoded = counting.encode_request(counting.decode_request(WHOLE, PATH), UPSTREAM)
    inner = json.loads(encoded.body)["generateContentRequest"]
    assert inner["model"] == "models/gemini-2.5-flash"
    assert counting.decode_request(encoded.body, PATH).messages == counting.decode_request(WHOLE, PATH).messages


def test_a_count_survives_the_wire() -> None:
    assert counting.encode_count(7) == b'{"totalTokens":7}'
    assert counting.decode_count(b'{"totalTokens":7,"promptTokensDetails":[]}') == 7
    for body in (b"", b"{}", b'{"totalTokens":"x"}'):
        with pytest.raises(UpstreamBroken):
            counting.decode_count(body)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"contents":[{}],"generateContentRequest":{}}'])
def test_a_bad_body_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        COUNT_FRONT.decode_head(body, PATH)


def test_a_request_that_names_its_model_gets_the_providers_name() -> None:
    patched = json.loads(counting.patch(WHOLE, UPSTREAM, once=False))
    assert patched["generateContentRequest"]["model"] == "models/gemini-2.5-flash"
    assert counting.patch(PLAIN, UPSTREAM, once=False) is PLAIN
    assert json.loads(counting.patch(PLAIN, UPSTREAM, once=True)) == json.loads(PLAIN)
