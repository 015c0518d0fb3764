"""Vectors under Bedrock's InvokeModel: Amazon's Titan, one text a call, and Cohere's Embed, several.

Bodies are those of Bedrock's user guide (Titan Embeddings Text, Titan Multimodal Embeddings, Cohere Embed v3 and v4;
November 2026). The model stands in the path; only its family tells which body it reads.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.canonical import Dialect, Usage
from providers.dialects.codec import Encoded, Upstream
from providers.dialects.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.dialects.hints import sort_extras

_COHERE_TASKS = ("search_query", "search_document", "classification", "clustering")
_TASKS: Mapping[str, str] = MappingProxyType(
    {
        **{name: name for name in _COHERE_TASKS},
        "query": "search_query",
        "retrieval_query": "search_query",
        "document": "search_document",
        "retrieval_document": "search_document",
    }
)
_USUAL_TASK = "search_document"  # Cohere wants to be told one


class _Body(msgspec.Struct):
    embedding: tuple[float, ...] | None = None
    inputTextTokenCount: int | None = None  # noqa: N815 - the wire's own name
    embeddings: tuple[tuple[float, ...], ...] | dict[str, tuple[tuple[float, ...], ...]] | None = None


_body = msgspec.json.Decoder(_Body)


def encode_request(request: EmbeddingRequest, upstream: Upstream) -> Encoded:
    """Return the body. Raises InvalidRequest for tokens, and for several inputs where the model takes one a call."""
    unsupported, ignored = (list(names) for names in sort_extras(request, Dialect.TITAN))
    texts = [_require_text(given) for given in request.inputs]
    if "cohere" in upstream.model:
        fields = _write_cohere(request, texts, upstream.model, unsupported)
    else:
        fields = _write_titan(request, texts, upstream.model, unsupported)
    if request.title:
        unsupported.append("title")
    if request.user:
        ignored.append("user")
    own = request.extras if request.dialect is Dialect.TITAN else {}
    return Encoded(msgspec.json.encode({**own, **fields}), tuple(unsupported), tuple(ignored))


def decode_answer(body: bytes) -> EmbeddingAnswer:
    """Return the vectors. Raises UpstreamBroken where the bytes hold none.

    Cohere's body has no usage; Bedrock tells it in a header only.
    """
    try:
        wire = _body.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken(f"the provider's answer is none: {error}") from error
    found = wire.embeddings.get("float") if isinstance(wire.embeddings, dict) else wire.embeddings
    vectors = (wire.embedding,) if wire.embedding is not None else found
    if not vectors:
        raise UpstreamBroken("the provider's answer holds no vectors")
    tokens = wire.inputTextTokenCount
    return EmbeddingAnswer(vectors, usage=None if tokens is None else Usage(input_tokens=max(0, tokens)))


def _require_text(given: str | tuple[int, ...]) -> str:
    if isinstance(given, str):
        return given
    raise InvalidRequest("the model takes texts, not tokens", code="unsupported_content", param="input")


def _write_titan(request: EmbeddingRequest, texts: list[str], model: str, unsupported: list[str]) -> dict[str, Any]:
    if len(texts) != 1:
        message = f"the model takes one input a call, not {len(texts)}"
        raise InvalidRequest(message, code="unsupported_content", param="input")
    fields: dict[str, Any] = {"inputText": texts[0]}
    if request.task:
        unsupported.append(_task_field(request))
    if request.dimensions is None:
        return fields
    if "embed-image" in model:
        fields["embeddingConfig"] = {"outputEmbeddingLength": request.dimensions}
    elif "embed-text-v1" in model or "embed-g1" in model:
        unsupported.append("dimensions")
    else:
        fields["dimensions"] = request.dimensions
    return fields


def _write_cohere(request: EmbeddingRequest, texts: list[str], model: str, unsupported: list[str]) -> dict[str, Any]:
    task = _TASKS.get(request.task.lower())
    if request.task and task is None:
        unsupported.append(_task_field(request))
    fields: dict[str, Any] = {"texts": texts, "input_type": task or _USUAL_TASK, "embedding_types": ["float"]}
    if request.dimensions is not None and "embed-v4" in model:
        fields["output_dimension"] = request.dimensions
    elif request.dimensions is not None:
        unsupported.append("dimensions")
    return fields


def _task_field(request: EmbeddingRequest) -> str:
    return "taskType" if request.dialect is Dialect.GEMINI else "input_type"
