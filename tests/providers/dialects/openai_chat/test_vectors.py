"""A client gets vectors in the form it asked for, and the bytes as they came where they are in it."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import UpstreamBroken
from providers.dialects.openai_chat.vectors import convert_vectors, pack, restate_vectors, unpack, wants_base64
from tests.providers.dialects.openai_chat import cassettes

floats = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=5)


@given(floats)
def test_packing_loses_nothing(vector: list[float]) -> None:
    assert list(unpack(pack(vector))) == vector


@given(st.lists(floats, max_size=3))
def test_there_and_back(vectors: list[list[float]]) -> None:
    body = json.dumps({"data": [{"index": i, "embedding": vector} for i, vector in enumerate(vectors)]}).encode()
    packed = convert_vectors(body, base64=True)
    assert [item["embedding"] for item in json.loads(packed)["data"]] == [pack(vector) for vector in vectors]
    assert json.loads(convert_vectors(packed, base64=False)) == json.loads(body)


def test_what_is_in_its_form_already_keeps_its_bytes() -> None:
    body = cassettes.read_response("embeddings.json")
    assert convert_vectors(body, base64=False) is body
    assert restate_vectors(b'{"input":"a"}', body) is body


def test_the_other_fields_stay() -> None:
    body = cassettes.read_response("embeddings.json")
    packed = json.loads(restate_vectors(b'{"encoding_format":"base64"}', body))
    assert packed["usage"] == {"prompt_tokens": 2, "total_tokens": 2}
    assert packed["data"][0] == {"object": "embedding", "index": 0, "embedding": "AAAAPwAAgL4="}


@pytest.mark.parametrize("body", [b"{}", b"<html>", b'{"data":[{"x":1}]}', b"", b'{"data":5}'])
def test_what_holds_no_vectors_passes(body: bytes) -> None:
    assert convert_vectors(body, base64=True) is body


@pytest.mark.parametrize(
    ("embedding", "base64"),
    [("%%", False), (b64encode(b"abc").decode(), False), ([1, "x"], True), ([1e99], True), ({}, True)],
)
def test_vectors_that_are_none_are_no_answer(embedding: Any, base64: bool) -> None:
    with pytest.raises(UpstreamBroken):
        convert_vectors(json.dumps({"data": [{"embedding": embedding}]}).encode(), base64=base64)


@pytest.mark.parametrize(
    ("request_", "packed"),
    [(b"{}", False), (b'{"encoding_format":"float"}', False), (b'{"encoding_format":"base64"}', True)],
)
def test_floats_are_what_a_client_gets_unasked(request_: bytes, packed: bool) -> None:
    assert wants_base64(request_) is packed
