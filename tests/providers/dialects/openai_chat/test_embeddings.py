"""Embeddings in every form of input, both ways."""

import json
from typing import Any

import msgspec
import pytest
from openai.types import CreateEmbeddingResponse

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.canonical import Capabilities, Dialect, Head, Usage
from providers.dialects.codec import Asked, Upstream
from providers.dialects.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.dialects.openai_chat.embeddings import (
    decode_embedding_answer,
    decode_embedding_request,
    encode_embedding_answer,
    encode_embedding_request,
)
from providers.dialects.openai_chat.vectors import pack
from tests.providers.dialects.openai_chat import cassettes

UPSTREAM = Upstream(model="m", capabilities=Capabilities())


def _asked(body: bytes) -> Asked:
    return Asked(head=Head("m"), body=body, model="m", answer_id="a", created_at_s=1)


@pytest.mark.parametrize(
    ("given", "inputs"),
    [
        ("a", ("a",)),
        (["a", "b"], ("a", "b")),
        ([1, 2], ((1, 2),)),
        ([[1], [2, 3]], ((1,), (2, 3))),
        (["a", [1]], ("a", (1,))),
    ],
)
def test_every_form_of_input_comes_back(given: Any, inputs: tuple[Any, ...]) -> None:
    request = decode_embedding_request(json.dumps({"model": "m", "input": given}).encode())
    assert request.inputs == inputs
    assert decode_embedding_request(encode_embedding_request(request, UPSTREAM).body) == request


def test_everything_a_request_may_say_comes_back() -> None:
    body = b'{"model":"m","input":["a"],"dimensions":5,"user":"u","input_type":"query","odd":1}'
    request = decode_embedding_request(body)
    assert (request.dimensions, request.user, request.task, set(request.extras)) == (5, "u", "query", {"odd"})
    assert decode_embedding_request(encode_embedding_request(request, UPSTREAM).body) == request


@pytest.mark.parametrize("given", [[], "", ["a", 1], [1, [2]], [True], {}, None, ["a", ""]])
def test_what_is_no_input_is_refused(given: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode_embedding_request(json.dumps({"model": "m", "input": given}).encode())
    assert (caught.value.param or "").startswith("input")


def test_what_another_dialect_says_besides_is_named() -> None:
    request = EmbeddingRequest(
        "m", ("a",), Dialect.GEMINI, task="RETRIEVAL_QUERY", title="t", extras={"odd": msgspec.Raw(b"1")}
    )
    encoded = encode_embedding_request(request, UPSTREAM)
    assert json.loads(encoded.body) == {"model": "m", "input": ["a"]}
    assert set(encoded.unsupported) == {"odd", "title", "taskType"}


def test_mistral_s_spelling() -> None:
    request = EmbeddingRequest("m", ("a",), Dialect.OPENAI, dimensions=5, user="u")
    encoded = encode_embedding_request(request, Upstream("m", Capabilities(), spelling="mistral"))
    assert json.loads(encoded.body) == {"model": "m", "input": ["a"], "output_dimension": 5}
    assert encoded.ignored == ("user",)


def test_answers_in_either_form_and_any_order() -> None:
    answer = decode_embedding_answer(cassettes.read_response("embeddings.json"))
    assert answer == EmbeddingAnswer(((0.5, -0.25), (1.0, 0.0)), "text-embedding-3-small", Usage(input_tokens=2))
    items = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": pack([1.0])}]
    assert decode_embedding_answer(json.dumps({"data": items}).encode()).vectors == ((1.0,), (2.0,))


@pytest.mark.parametrize("body", [b'{"input":"a"}', b'{"encoding_format":"base64"}'])
def test_an_answer_is_written_as_it_was_asked_for(body: bytes) -> None:
    answer = EmbeddingAnswer(((0.5,), (1.0,)), "n", Usage(input_tokens=3))
    written = encode_embedding_answer(answer, _asked(body))
    assert decode_embedding_answer(written) == answer
    assert isinstance(json.loads(written)["data"][0]["embedding"], str) is (b"base64" in body)


def test_strict_clients_read_it() -> None:
    written = encode_embedding_answer(EmbeddingAnswer(((0.5,),)), _asked(b"{}"))
    CreateEmbeddingResponse.model_validate(json.loads(written), strict=True)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"{}", "no data"),
        (b'{"data": [{"embedding": {}}]}', "a vector that is none"),
        (b'{"data": 5}', "not as its dialect"),
        (b'{"error": {"message": "busy"}}', "busy"),
    ],
)
def test_what_is_no_answer_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(UpstreamBroken, match=reason):
        decode_embedding_answer(body)
