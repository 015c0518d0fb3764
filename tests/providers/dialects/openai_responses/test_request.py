"""The head is read and checked; a patch changes no more than it must."""

import json
from typing import Any

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.openai_responses.request import decode_head, patch
from providers.dialects.openai_responses.signatures import Carried, wrap

BODY = b'{"model":"a", "odd":1.0, "input":"hi", "max_output_tokens":5, "stream":true, "max_cost_usd":0.01}'


def test_a_head() -> None:
    head = decode_head(BODY)
    assert (head.model, head.stream, head.max_output_tokens, head.max_cost_nanos) == ("a", True, 5, 10_000_000)
    assert head.input_tokens_most >= len(BODY)
    assert head.choices == 1


@pytest.mark.parametrize("field", ["previous_response_id", "prompt", "conversation"])
def test_what_stands_for_an_input(field: str) -> None:
    assert decode_head(json.dumps({"model": "m", field: "x"}).encode()).model == "m"


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"model": ""}, "model", "missing_required_parameter"),
        ({"input": ""}, "input", "missing_required_parameter"),
        ({"input": None}, "input", "missing_required_parameter"),
        ({"input": 3}, "input", "invalid_type"),
        ({"input": ["text"]}, "input[0]", "invalid_type"),
        ({"max_output_tokens": 0}, "max_output_tokens", "invalid_value"),
        ({"background": True}, "background", "unsupported_parameter"),
        ({"tools": {}}, "tools", "invalid_type"),
        ({"max_cost_usd": -1}, "max_cost_usd", "invalid_value"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode_head(json.dumps({"model": "m", "input": "x", **fields}).encode())
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"model":"\xff"}'])
def test_what_is_no_request(body: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode_head(body)
    assert caught.value.code == "invalid_json"


def test_a_patch_keeps_every_other_value() -> None:
    changed = patch(BODY, model="b", output_cap=3, once=False)
    assert changed == b'{"model":"b","odd":1.0,"input":"hi","max_output_tokens":3,"stream":true}'
    assert patch(BODY, model=None, output_cap=None, once=False) is BODY
    assert b"max_cost_usd" not in patch(BODY, model=None, output_cap=None, once=False, costed=True)


def test_a_field_that_stood_twice_stands_once_as_it_was_read() -> None:
    body = b'{"model":"cheap","model":"a","input":"x"}'
    assert decode_head(body).model == "a"
    assert patch(body, model=None, output_cap=None, once=True) == b'{"model":"a","input":"x"}'


def test_reasoning_that_another_vendor_signed_is_taken_out() -> None:
    own = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}
    foreign = own | {"encrypted_content": wrap(Carried(Dialect.ANTHROPIC, "s"))}
    hello = {"role": "user", "content": "hi"}
    body = json.dumps({"model": "m", "input": [hello, own]}).encode()
    assert patch(body, model=None, output_cap=None, once=False) is body
    body = json.dumps({"model": "m", "input": [hello, foreign, own]}).encode()
    assert json.loads(patch(body, model=None, output_cap=None, once=False))["input"] == [hello, own]
    text = json.dumps({"model": "m", "input": 'say "encrypted_content"'}).encode()
    assert patch(text, model=None, output_cap=None, once=False) is text
