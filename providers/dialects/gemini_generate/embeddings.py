"""Embeddings: `embedContent` for one input, `batchEmbedContents` for several.

Providers are always asked with the batch, which takes one as well. What a vector is for is a word of the vendor's;
the hub keeps it in small letters (google-genai 3.4's EmbedContentConfig, November 2026).
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.canonical import Dialect, Head, Prompt
from providers.dialects.codec import Encoded, Facts, PathFacts, Upstream
from providers.dialects.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.dialects.gemini_generate.casing import decode_camel, to_camel
from providers.dialects.gemini_generate.request import model_of
from providers.dialects.gemini_generate.usage import WireUsage, read_usage, write_usage
from providers.dialects.gemini_generate.wire import LIST_DECODER, OBJECT_DECODER, Content
from providers.dialects.hints import sort_extras
from providers.dialects.openai_chat.measure import MESSAGE_BYTES, WRAPPING_TOKENS, measure_text

_TASKS: Mapping[str, str] = {  # other vendors' words for the same
    "query": "RETRIEVAL_QUERY",
    "search_query": "RETRIEVAL_QUERY",
    "document": "RETRIEVAL_DOCUMENT",
    "search_document": "RETRIEVAL_DOCUMENT",
    "passage": "RETRIEVAL_DOCUMENT",
}
_OWN_TASKS = frozenset(
    (
        *("RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION", "CLUSTERING"),
        *("QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY"),
    )
)
_HUB_TASKS: Mapping[str, str] = {"RETRIEVAL_QUERY": "query", "RETRIEVAL_DOCUMENT": "document"}
_READ = frozenset(("model", "content", "taskType", "title", "outputDimensionality"))


class One(msgspec.Struct, rename="camel", omit_defaults=True):
    """A request for one vector."""

    content: Content
    model: str | None = None
    task_type: str | None = None
    title: str | None = None
    output_dimensionality: int | None = None


class Many(msgspec.Struct, rename="camel"):
    """A request for several vectors."""

    requests: list[One]
    model: str | None = None


class _Vector(msgspec.Struct):
    values: list[float] = []


class _Answer(msgspec.Struct, rename="camel", omit_defaults=True):
    embedding: _Vector | None = None
    embeddings: list[_Vector] | None = None
    usage_metadata: WireUsage | None = None


_one = msgspec.json.Decoder(One)
_many = msgspec.json.Decoder(Many)
_answer = msgspec.json.Decoder(_Answer)


def read_ones(body: bytes, *, many: bool) -> tuple[list[One], str | None]:
    """Return the single requests, and the model named in the body. Raises InvalidRequest that names the field."""
    if not many:
        one = decode_camel(_one, body)
        return [one], one.model
    batch = decode_camel(_many, body)
    if not batch.requests:
        raise InvalidRequest("requests must not be empty", code="invalid_value", param="requests")
    return batch.requests, batch.model or batch.requests[0].model


def decode_head(body: bytes, path: PathFacts, *, many: bool) -> Head:
    """Return what routing needs. Raises InvalidRequest that names the field."""
    ones, model = read_ones(body, many=many)
    texts = [_text_of(one, f"requests[{place}].content") for place, one in enumerate(ones)]
    return Head(
        model=model_of(model, path),
        max_output_tokens=0,
        input_bytes=sum(measure_text(text) + MESSAGE_BYTES for text in texts),
        input_tokens_most=len(body) + WRAPPING_TOKENS,
    )


def read_prompt(body: bytes, *, many: bool) -> Prompt:
    """Return what the model reads, of a request whose head was decoded without complaint."""
    ones, _ = read_ones(body, many=many)
    return Prompt(texts=tuple(_text_of(one, "content") for one in ones), apart=True)


def decode_request(body: bytes, path: PathFacts, *, many: bool) -> EmbeddingRequest:
    """Return the request. Raises InvalidRequest, also where the inputs are to be treated differently."""
    ones, model = read_ones(body, many=many)
    first = ones[0]
    for place, one in enumerate(ones):
        if (one.task_type, one.title, one.output_dimensionality) != (
            first.task_type,
            first.title,
            first.output_dimensionality,
        ):
            raise InvalidRequest(
                "all requests must agree in taskType, title and outputDimensionality",
                code="invalid_value",
                param=f"requests[{place}]",
            )
    task = (first.task_type or "").upper()
    fields = OBJECT_DECODER.decode(to_camel(body))
    return EmbeddingRequest(
        model=model_of(model, path),
        inputs=tuple(_text_of(one, f"requests[{place}].content") for place, one in enumerate(ones)),
        dialect=Dialect.GEMINI,
        dimensions=first.output_dimensionality,
        task=_HUB_TASKS.get(task, task.lower()),
        title=first.title or "",
        extras={name: raw for name, raw in fields.items() if name not in _READ and name != "requests"},
    )


def encode_answer(answer: EmbeddingAnswer, *, many: bool) -> bytes:
    """Return the body of an answer."""
    vectors = [_Vector(list(vector)) for vector in answer.vectors]
    usage = write_usage(answer.usage) if answer.usage is not None else None
    if many:
        return msgspec.json.encode(_Answer(embeddings=vectors, usage_metadata=usage))
    return msgspec.json.encode(_Answer(embedding=vectors[0] if vectors else _Vector(), usage_metadata=usage))


def encode_request(request: EmbeddingRequest, upstream: Upstream) -> Encoded:
    """Return the body of a batch. Raises InvalidRequest for an input that was cut into tokens already."""
    unsupported, ignored = sort_extras(request, Dialect.GEMINI)
    task = _TASKS.get(request.task.lower(), request.task.upper())
    if task and task not in _OWN_TASKS:
        unsupported, task = ("task", *unsupported), ""
    shared = {"taskType": task, "title": request.title, "outputDimensionality": request.dimensions}
    common: dict[str, Any] = {"model": _resource(upstream.model)} | {k: v for k, v in shared.items() if v}
    requests = []
    for place, text in enumerate(request.inputs):
        if not isinstance(text, str):
            message = "the model takes texts only, not tokens"
            raise InvalidRequest(message, code="unsupported_content", param=f"input[{place}]")
        requests.append({**common, "content": {"parts": [{"text": text}]}})
    ignored = ("user", *ignored) if request.user else ignored
    return Encoded(msgspec.json.encode({"requests": requests}), unsupported=unsupported, ignored=ignored)


def decode_answer(body: bytes) -> EmbeddingAnswer:
    """Return the vectors. Raises UpstreamBroken where the bytes are no answer."""
    answer = _decode_answer(body)
    vectors = answer.embeddings if answer.embeddings is not None else [answer.embedding or _Vector()]
    return EmbeddingAnswer(
        vectors=tuple(tuple(vector.values) for vector in vectors), usage=read_usage(answer.usage_metadata)
    )


def read_facts(body: bytes) -> Facts:
    """Return the usage, where there is one. Raises UpstreamBroken where the bytes are no answer."""
    return Facts(usage=read_usage(_decode_answer(body).usage_metadata))


def patch(body: bytes, upstream: Upstream, *, once: bool) -> bytes:
    """Return the body with the upstream's model where one is named, and in each request of a batch."""
    resource = msgspec.Raw(msgspec.json.encode(_resource(upstream.model)))
    fields = OBJECT_DECODER.decode(to_camel(body))
    is_changed = once or fields.get("model", resource) != resource
    if "model" in fields:
        fields["model"] = resource
    if "requests" in fields:
        requests = [OBJECT_DECODER.decode(raw) for raw in LIST_DECODER.decode(fields["requests"])]
        is_changed |= any(request.get("model") != resource for request in requests)
        fields["requests"] = msgspec.Raw(msgspec.json.encode([request | {"model": resource} for request in requests]))
    return msgspec.json.encode(fields) if is_changed else body


def _decode_answer(body: bytes) -> _Answer:
    try:
        answer = _answer.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken("the provider's answer is no list of embeddings") from error
    if answer.embedding is None and answer.embeddings is None:
        raise UpstreamBroken("the provider's answer has no embeddings")
    return answer


def _text_of(one: One, param: str) -> str:
    """Return the text of an input, whose parts make one vector together."""
    texts = [part.text for part in one.content.parts or ()]
    if not texts or any(text is None for text in texts):
        raise InvalidRequest("only text can be turned into a vector", code="unsupported_content", param=param)
    return "\n".join(text for text in texts if text is not None)


def _resource(model: str) -> str:
    return "models/" + model.removeprefix("models/")
