"""Vectors: each family's body, and what each lacks."""

from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.canonical import Capabilities, Dialect, Usage
from providers.dialects.codec import Encoded, Upstream
from providers.dialects.embedding import EmbeddingRequest
from providers.dialects.titan.embeddings import decode_answer, encode_request
from tests.providers.dialects.bedrock_converse.frames import cassette

V1 = "amazon.titan-embed-text-v1"
V2 = "amazon.titan-embed-text-v2:0"
PICTURES = "amazon.titan-embed-image-v1"
COHERE_3 = "cohere.embed-multilingual-v3"
COHERE_4 = "us.cohere.embed-v4:0"


def encode(*inputs: Any, model: str = V2, dialect: Dialect = Dialect.OPENAI, **fields: Any) -> Encoded:
    request = EmbeddingRequest("route", inputs or ("hello",), dialect, **fields)
    return encode_request(request, Upstream(model, Capabilities()))


def body_of(encoded: Encoded) -> Any:
    return msgspec.json.decode(encoded.body)


@pytest.mark.parametrize(
    ("model", "fields", "body"),
    [
        (V1, {}, {"inputText": "hello"}),
        (V2, {"dimensions": 256}, {"inputText": "hello", "dimensions": 256}),
        (PICTURES, {"dimensions": 384}, {"inputText": "hello", "embeddingConfig": {"outputEmbeddingLength": 384}}),
    ],
)
def test_titan(model: str, fields: dict[str, Any], body: object) -> None:
    encoded = encode(model=model, **fields)
    assert (body_of(encoded), encoded.unsupported, encoded.ignored) == (body, (), ())


@pytest.mark.parametrize("name", ["embedding.json", "embedding_cohere.json"])
def test_recorded_requests(name: str) -> None:
    recorded = cassette(name)
    task = "query" if "cohere" in name else ""
    given = recorded["request"].get("texts") or [recorded["request"]["inputText"]]
    assert body_of(encode(*given, model=recorded["model"], dimensions=256, task=task)) == recorded["request"]


@pytest.mark.parametrize(
    ("task", "written", "lost"),
    [
        ("", "search_document", ()),
        ("query", "search_query", ()),
        ("RETRIEVAL_DOCUMENT", "search_document", ()),
        ("clustering", "clustering", ()),
        ("CODE_RETRIEVAL_QUERY", "search_document", ("input_type",)),
    ],
)
def test_what_coheres_vectors_are_for(task: str, written: str, lost: tuple[str, ...]) -> None:
    encoded = encode("a", "b", model=COHERE_4, task=task)
    assert body_of(encoded) == {"texts": ["a", "b"], "input_type": written, "embedding_types": ["float"]}
    assert encoded.unsupported == lost


def test_what_can_not_be_said_is_named() -> None:
    assert encode(model=V1, dimensions=5).unsupported == ("dimensions",)
    assert encode(model=COHERE_3, dimensions=5).unsupported == ("dimensions",)
    assert encode(task="query", title="t", dialect=Dialect.GEMINI).unsupported == ("taskType", "title")
    encoded = encode(user="me", extras={"store": msgspec.Raw(b"true"), "odd": msgspec.Raw(b"1")})
    assert (encoded.unsupported, encoded.ignored) == (("odd",), ("store", "user"))


def test_own_extras_are_written_back() -> None:
    encoded = encode(dialect=Dialect.TITAN, extras={"normalize": msgspec.Raw(b"false")})
    assert body_of(encoded) == {"inputText": "hello", "normalize": False}


@pytest.mark.parametrize("inputs", [("a", "b"), ((1, 2),)])
def test_what_titan_can_not_take(inputs: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        encode(*inputs)
    assert (caught.value.code, caught.value.param) == ("unsupported_content", "input")


def test_tokens_are_no_texts_to_cohere_either() -> None:
    with pytest.raises(InvalidRequest):
        encode("a", (1, 2), model=COHERE_4)


def test_recorded_answers() -> None:
    titan = decode_answer(msgspec.json.encode(cassette("embedding.json")["response"]))
    assert (titan.vectors, titan.usage) == (((0.1, -0.2, 0.3),), Usage(input_tokens=2))
    cohere = decode_answer(msgspec.json.encode(cassette("embedding_cohere.json")["response"]))
    assert (cohere.vectors, cohere.usage) == (((0.1, 0.2), (0.3, 0.4)), None)


def test_vectors_of_coheres_older_kind() -> None:
    assert decode_answer(b'{"embeddings":[[1,2.5]],"response_type":"embeddings_floats"}').vectors == ((1.0, 2.5),)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"embedding":null}', b'{"embeddings":{"int8":[[1]]}}', b'{"embedding":"x"}']
)
def test_what_holds_no_vectors(body: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        decode_answer(body)
