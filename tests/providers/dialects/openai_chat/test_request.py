"""The head of a request is read strictly; the body changes only where it must."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Operation
from providers.dialects.openai_chat import request

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def _bytes(**fields: Any) -> bytes:
    return json.dumps(CHAT | fields).encode()


def test_the_head_has_what_routing_needs() -> None:
    body = _bytes(stream=True, stream_options={"include_usage": True}, max_tokens=7, n=2)
    head = request.decode_head(Operation.CHAT, body)
    assert (head.model, head.stream, head.wants_stream_usage) == ("m", True, True)
    assert (head.max_output_tokens, head.choices) == (7, 2)
    assert head.input_bytes == 16 + len("hi")


def test_the_newer_limit_goes_before_the_older() -> None:
    head = request.decode_head(Operation.CHAT, _bytes(max_tokens=7, max_completion_tokens=9))
    assert head.max_output_tokens == 9


def test_a_chat_that_may_say_nothing_has_stated_nothing() -> None:
    assert request.decode_head(Operation.CHAT, _bytes(max_tokens=0)).max_output_tokens is None


@pytest.mark.parametrize(
    ("fields", "choices"),
    [
        ({"prompt": "x"}, 1),
        ({"prompt": "x", "n": 2}, 2),
        ({"prompt": "x", "n": 2, "best_of": 5}, 5),
        ({"prompt": ["x", "y"], "n": 2}, 4),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": [[1, 2], [3]]}, 2),
        ({"prompt": []}, 1),
    ],
)
def test_every_prompt_of_a_completion_is_answered(fields: dict[str, Any], choices: int) -> None:
    head = request.decode_head(Operation.COMPLETION, json.dumps({"model": "m", "max_tokens": 5} | fields).encode())
    assert (head.max_output_tokens, head.choices) == (5, choices)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"", "invalid_json", None),
        (b"{", "invalid_json", None),
        (b"[]", "invalid_json", None),
        (b"3", "invalid_json", None),
        (b"null", "invalid_json", None),
        (b"\xff\xfe", "invalid_json", None),
        (b'{"model": "m", "messages": [{"role": "user", "content": "\xff"}]}', "invalid_json", None),
        (b"[" * 100_000, "invalid_json", None),
        (b'{"a":' * 100_000, "invalid_json", None),
        (b'{"messages": []}', "missing_required_parameter", "model"),
        (b'{"model": "m"}', "missing_required_parameter", "messages"),
        (b'{"model": "", "messages": [{"role": "user"}]}', "missing_required_parameter", "model"),
        (b'{"model": 3, "messages": []}', "invalid_type", "model"),
        (b'{"model": "m", "messages": "hi"}', "invalid_type", "messages"),
        (b'{"model": "m", "messages": []}', "invalid_value", "messages"),
        (b'{"model": "m", "messages": [3]}', "invalid_type", "messages[0]"),
        (b'{"model": "m", "messages": [{"content": "x"}]}', "missing_required_parameter", "messages[0].role"),
        (b'{"model": "m", "messages": [{"role": "user", "content": 5}]}', "invalid_type", "messages[0].content"),
        (_bytes(stream="yes"), "invalid_type", "stream"),
        (_bytes(max_tokens="7"), "invalid_type", "max_tokens"),
        (_bytes(max_tokens=1.5), "invalid_type", "max_tokens"),
        (_bytes(max_tokens=-1), "invalid_value", "max_tokens"),
        (_bytes(n=0), "invalid_value", "n"),
        (_bytes(stream_options=[]), "invalid_type", "stream_options"),
        (_bytes(temperature="hot"), "invalid_type", "temperature"),
    ],
)
def test_a_bad_body_is_refused_by_name(body: bytes, code: str, param: str | None) -> None:
    with pytest.raises(InvalidRequest) as caught:
        request.decode_head(Operation.CHAT, body)
    assert (caught.value.status, caught.value.code, caught.value.param) == (400, code, param)


@pytest.mark.parametrize("operation", [Operation.CHAT, Operation.COMPLETION, Operation.EMBEDDING])
@given(
    body=st.binary(max_size=200)
    | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_whatever_comes_is_a_head_or_a_refusal(operation: Operation, body: bytes) -> None:
    try:
        request.decode_head(operation, body)
    except InvalidRequest as error:
        assert error.status == 400


def test_nothing_to_change_leaves_the_bytes_alone() -> None:
    body = b' { "model" : "m", "x" : 1.0e3 } '
    assert request.patch(body) is body


def test_a_patch_keeps_every_other_value_to_the_byte() -> None:
    body = (
        b'{"model":"a","seed":1.0e3,"big":123456789012345678901234567890,"t":"\\u00e9","messages":[ {"role":"user"} ]}'
    )
    patched = request.patch(body, model="b", include_usage=True)
    for piece in (b'"seed":1.0e3', b'"big":123456789012345678901234567890', b'"t":"\\u00e9"', b'[ {"role":"user"} ]'):
        assert piece in patched
    assert json.loads(patched)["model"] == "b"
    assert json.loads(patched)["stream_options"] == {"include_usage": True}


def test_usage_is_added_to_the_options_that_are_there() -> None:
    patched = request.patch(_bytes(stream_options={"include_usage": False, "x": 1}), include_usage=True)
    assert json.loads(patched)["stream_options"] == {"include_usage": True, "x": 1}


@pytest.mark.parametrize("body", [b'{"model":"a","model":"b"}', b'{"model":"a","mod\\u0065l":"b"}'])
def test_a_model_named_twice_is_noticed_and_written_once(body: bytes) -> None:
    assert request.names_model_twice(body)
    assert request.patch(body, model="b").count(b'"model"') == 1


@pytest.mark.parametrize(
    ("stated", "cap_fields", "written"),
    [
        ({}, ("max_tokens",), {"max_tokens": 5}),
        ({}, ("max_completion_tokens", "max_tokens"), {"max_completion_tokens": 5}),
        ({"max_tokens": 9}, ("max_completion_tokens", "max_tokens"), {"max_tokens": 5}),
        ({"max_completion_tokens": 9}, ("max_tokens",), {"max_tokens": 5}),
        ({"max_tokens": 9, "max_completion_tokens": 9}, ("max_tokens",), {"max_tokens": 5}),
        ({"max_tokens": 0, "max_completion_tokens": None}, ("max_completion_tokens",), {"max_completion_tokens": 5}),
    ],
)
def test_a_cap_stands_once_in_a_field_that_the_upstream_knows(
    stated: dict[str, Any], cap_fields: tuple[str, ...], written: dict[str, int]
) -> None:
    patched = json.loads(request.patch(_bytes(**stated), output_cap=5, cap_fields=cap_fields))
    assert {name: value for name, value in patched.items() if name.startswith("max_")} == written


def test_a_field_that_stood_twice_stands_once_as_it_was_read() -> None:
    body = b'{"model":"m","n":9,"messages":[{"role":"user"}],"\\u006e":1}'
    assert request.decode_head(Operation.CHAT, body).choices == 1
    assert request.patch(body, once=True) == b'{"model":"m","n":1,"messages":[{"role":"user"}]}'


@pytest.mark.parametrize("given_input", ["x", ["x", "y"], [1, 2], [[1], [2]]])
def test_embeddings_take_every_form_of_input(given_input: Any) -> None:
    body = json.dumps({"model": "m", "input": given_input}).encode()
    assert request.decode_head(Operation.EMBEDDING, body).model == "m"


@pytest.mark.parametrize("given_input", ["", [], 3, None, {}])
def test_embeddings_refuse_what_is_no_input(given_input: Any) -> None:
    with pytest.raises(InvalidRequest):
        request.decode_head(Operation.EMBEDDING, json.dumps({"model": "m", "input": given_input}).encode())


def test_a_server_with_its_own_spelling_gets_only_its_own_names() -> None:
    body = _bytes(seed=3, user="u", max_completion_tokens=5, temperature=0.5)
    assert json.loads(request.patch(body, spelling="mistral")) == {
        **CHAT,
        "random_seed": 3,
        "max_tokens": 5,
        "temperature": 0.5,
    }
