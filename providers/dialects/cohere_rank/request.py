"""Requests to rank documents: `{"model", "query", "documents": [text or {"text"}], "top_n", "return_documents"}`.

Cohere bills by the search: a query with up to 100 documents, and a document that is longer than 500 tokens together
with its query counts as several (Cohere, pricing of Rerank, November 2026).
"""

from decimal import Decimal

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect, Head, Prompt
from providers.dialects.codec import Encoded, Upstream
from providers.dialects.complaints import decode
from providers.dialects.hints import sort_extras
from providers.dialects.openai_chat.measure import WRAPPING_TOKENS, measure_text
from providers.dialects.openai_chat.request import read_max_cost
from providers.dialects.ranking import RankingRequest

DOCUMENTS_A_SEARCH = 100
CHUNK_TOKENS = 500


class _Document(msgspec.Struct):
    text: str


class _Ranking(msgspec.Struct):
    model: str
    query: str
    documents: list[str | _Document]
    top_n: int | None = None
    return_documents: bool | None = None
    max_cost_usd: Decimal | None = None


_ranking = msgspec.json.Decoder(_Ranking)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_head(body: bytes) -> Head:
    """Return what routing needs. Raises InvalidRequest that names the field."""
    asked = _decode(body)
    texts = [asked.query, *_texts(asked)]
    return Head(
        model=asked.model,
        max_output_tokens=0,
        input_bytes=sum(measure_text(text) for text in texts),
        input_tokens_most=len(body) + WRAPPING_TOKENS + len(asked.documents) * measure_text(asked.query),
        max_cost_nanos=None if asked.max_cost_usd is None else read_max_cost(asked.max_cost_usd),
        searches=_searches_most(asked),
    )


def read_prompt(body: bytes) -> Prompt:
    """Return what the model reads of a request whose head was decoded without complaint.

    The query stands before each document: tokens are counted for the pair (Jina, reranker, November 2026).
    """
    asked = _ranking.decode(body)
    texts = tuple(f"{asked.query} {text}" for text in _texts(asked))
    return Prompt(texts=texts, apart=True)


def decode_request(body: bytes) -> RankingRequest:
    """Return the request. Raises InvalidRequest that names the field."""
    asked = _decode(body)
    extras = {name: raw for name, raw in _object.decode(body).items() if name not in _Ranking.__struct_fields__}
    return RankingRequest(
        model=asked.model,
        query=asked.query,
        documents=tuple(_texts(asked)),
        dialect=Dialect.COHERE,
        top_n=asked.top_n,
        with_documents=bool(asked.return_documents),
        extras=extras,
    )


def encode_request(request: RankingRequest, upstream: Upstream) -> Encoded:
    """Return the body."""
    unsupported, ignored = sort_extras(request, Dialect.COHERE)
    fields: dict[str, object] = {
        "model": upstream.model,
        "query": request.query,
        "documents": request.documents,
    }
    if request.top_n is not None:
        fields["top_n"] = request.top_n
    if request.with_documents:
        fields["return_documents"] = True
    if request.dialect is Dialect.COHERE:
        fields |= request.extras
    return Encoded(msgspec.json.encode(fields), unsupported, ignored)


def count_searches(documents: int) -> int:
    """Return the searches of a query with so many short documents."""
    return max(1, -(-documents // DOCUMENTS_A_SEARCH))


def _decode(body: bytes) -> _Ranking:
    asked = decode(_ranking, body)
    if not asked.model:
        raise InvalidRequest("you must provide a model parameter", code="missing_required_parameter", param="model")
    if not asked.documents:
        raise InvalidRequest("documents must not be empty", code="invalid_value", param="documents")
    if asked.top_n is not None and asked.top_n < 1:
        raise InvalidRequest(f"top_n must be positive, got {asked.top_n}", code="invalid_value", param="top_n")
    return asked


def _searches_most(asked: _Ranking) -> int:
    """Return the most searches a vendor bills: chunks of a document, each with the query, count as documents."""
    # A token stands for a byte at least, and a query takes no more than half of the room.
    room = max(CHUNK_TOKENS // 2, CHUNK_TOKENS - measure_text(asked.query))
    chunks = sum(max(1, -(-measure_text(text) // room)) for text in _texts(asked))
    return count_searches(chunks)


def _texts(asked: _Ranking) -> list[str]:
    return [document if isinstance(document, str) else document.text for document in asked.documents]
