import json
from typing import Any

import pytest

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.canonical import Capabilities, Dialect, Usage
from providers.dialects.codec import PathFacts, Upstream
from providers.dialects.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.dialects.gemini_generate.codec import (
    EMBED_MANY_FRONT,
    EMBED_ONE_FRONT,
    EMBEDDING_BACK,
    EMBEDDING_THROUGH,
)
from tests.providers.dialects.gemini_generate import cassettes
from tests.providers.dialects.gemini_generate.requests import ASKED, raw

PATH = PathFacts(model="gemini-embedding-001")
UPSTREAM = Upstream("text-embedding-005", Capabilities())


def _one(**fields: Any) -> bytes:
    return json.dumps({"content": {"parts": [{"text": "a"}, {"text": "b"}]}, **fields}).encode()


def test_a_batch_survives_the_wire() -> None:
    request = EMBED_MANY_FRONT.decode_request(cassettes.request("embeddings.json"), PATH)
    assert request == EmbeddingRequest("gemini-embedding-001", ("a", "b"), Dialect.GEMINI, dimensions=2, task="query")
    encoded = EMBEDDING_BACK.encode_request(request, Upstream("gemini-embedding-001", Capabilities()))
    assert json.loads(encoded.body) == json.loads(cassettes.request("embeddings.json"))
    answer = EMBEDDING_BACK.decode_answer(cassettes.response("embeddings.json"))
    assert answer == EmbeddingAnswer(((0.5, -0.25), (1.0, 0.0)))
    assert json.loads(EMBED_MANY_FRONT.encode_answer(answer, ASKED)) == json.loads(
        cassettes.response("embeddings.json")
    )


def test_one_input_is_one_vector() -> None:
    head = EMBED_ONE_FRONT.decode_head(_one(), PATH)
    assert (head.model, head.max_output_tokens, head.input_bytes) == ("gemini-embedding-001", 0, 16 + 3)
    assert EMBED_ONE_FRONT.read_prompt(_one()).texts == ("a\nb",)
    request = EMBED_ONE_FRONT.decode_request(_one(task_type="CLUSTERING", title="t"), PATH)
    assert (request.inputs, request.task, request.title) == (("a\nb",), "clustering", "t")
    body = EMBED_ONE_FRONT.encode_answer(EmbeddingAnswer(((1.0,),), usage=Usage(input_tokens=3)), ASKED)
    assert json.loads(body)["embedding"] == {"values": [1.0]}
    assert EMBEDDING_BACK.decode_answer(body) == EmbeddingAnswer(((1.0,),), usage=Usage(input_tokens=3))
    assert EMBEDDING_THROUGH.read_facts(body).usage == Usage(input_tokens=3)


def test_other_vendors_words_are_known_and_unknown_ones_named() -> None:
    request = EmbeddingRequest(
        "m", ("a",), Dialect.COHERE, task="search_document", user="u", extras={"truncate": raw("END")}
    )
    encoded = EMBEDDING_BACK.encode_request(request, UPSTREAM)
    assert json.loads(encoded.body)["requests"][0]["taskType"] == "RETRIEVAL_DOCUMENT"
    assert (encoded.unsupported, encoded.ignored) == (("truncate",), ("user",))
    odd = EMBEDDING_BACK.encode_request(EmbeddingRequest("m", ("a",), Dialect.COHERE, task="image"), UPSTREAM)
    assert odd.unsupported == ("task",)


def test_tokens_are_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        EMBEDDING_BACK.encode_request(EmbeddingRequest("m", ("a", (1, 2)), Dialect.OPENAI), UPSTREAM)
    assert (caught.value.code, caught.value.param) == ("unsupported_content", "input[1]")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", "missing_required_parameter"),
        (b'{"requests":[]}', "invalid_value"),
        (b'{"requests":[{"content":{"parts":[]}}]}', "unsupported_content"),
        (b'{"requests":[{"content":{"parts":[{"inlineData":{}}]}}]}', "unsupported_content"),
        (
            b'{"requests":[{"content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"b"}]},"title":"x"}]}',
            "invalid_value",
        ),
    ],
)
def test_a_bad_batch_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        EMBED_MANY_FRONT.decode_request(body, PATH)
    assert caught.value.code == code


def test_a_patch_names_the_upstream_s_model_where_a_model_is_named() -> None:
    body = cassettes.request("embeddings.json")
    head = EMBED_MANY_FRONT.decode_head(body, PATH)
    patched = json.loads(EMBEDDING_THROUGH.patch(body, UPSTREAM, head=head, once=False))
    assert {request["model"] for request in patched["requests"]} == {"models/text-embedding-005"}
    one = _one()
    assert EMBEDDING_THROUGH.patch(one, UPSTREAM, head=head, once=False) is one
    same = _one(model="models/text-embedding-005")
    assert EMBEDDING_THROUGH.patch(same, UPSTREAM, head=head, once=False) is same


@pytest.mark.parametrize("body", [b"", b"{}", b'{"embeddings":3}'])
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        EMBEDDING_BACK.decode_answer(body)


def test_nothing_is_streamed() -> None:
    with pytest.raises(InvalidRequest):
        EMBED_ONE_FRONT.encoder(ASKED, lambda usage: None)
    with pytest.raises(InvalidRequest):
        EMBEDDING_BACK.decoder()
    with pytest.raises(InvalidRequest):
        EMBEDDING_THROUGH.reader(ASKED.head, lambda usage: None)
