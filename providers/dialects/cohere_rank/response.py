"""Ranked documents: `{"id", "results": [{"index", "relevance_score", "document"?}], "meta": {"billed_units"}}`.

Jina says `"model"` and `"usage": {"total_tokens"}` in place of `meta`, and repeats a document as `{"text"}`. Cohere's
second version no longer repeats documents, so the gateway puts in those that were asked for.
"""

from typing import Any

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Usage
from providers.dialects.codec import Asked, Facts
from providers.dialects.cohere_rank.request import count_searches, decode_request
from providers.dialects.ranking import Ranked, RankingAnswer


class _Result(msgspec.Struct):
    index: int
    relevance_score: float


class _Billed(msgspec.Struct):
    search_units: float | None = None
    total_tokens: float | None = None
    input_tokens: float | None = None


class _Meta(msgspec.Struct):
    billed_units: _Billed | None = None


class _Tokens(msgspec.Struct):
    total_tokens: int | None = None
    prompt_tokens: int | None = None


class _Answer(msgspec.Struct):
    results: list[_Result]
    id: str | None = None
    model: str | None = None
    meta: _Meta | None = None
    usage: _Tokens | None = None


_answer = msgspec.json.Decoder(_Answer)


def decode_answer(body: bytes) -> RankingAnswer:
    """Return the ranked documents. Raises UpstreamBroken where the bytes are none."""
    answer = _read(body)
    return RankingAnswer(
        ranked=tuple(Ranked(result.index, result.relevance_score) for result in answer.results),
        id=answer.id or "",
        model=answer.model or "",
        usage=_usage_of(answer),
    )


def read_facts(body: bytes) -> Facts:
    """Return what accounting needs. Raises UpstreamBroken where the bytes are no answer."""
    return Facts(usage=_usage_of(_read(body)))


def encode_answer(answer: RankingAnswer, asked: Asked) -> bytes:
    """Return the body; what was billed is said in both vendors' places."""
    request = decode_request(asked.body)
    results: list[dict[str, Any]] = []
    for ranked in answer.ranked:
        result: dict[str, Any] = {"index": ranked.index, "relevance_score": ranked.score}
        if request.with_documents and 0 <= ranked.index < len(request.documents):
            result["document"] = {"text": request.documents[ranked.index]}
        results.append(result)
    usage = answer.usage or Usage(searches=count_searches(len(request.documents)))
    fields: dict[str, Any] = {
        "id": answer.id or asked.answer_id,
        "model": answer.model or asked.model,
        "results": results,
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": usage.searches}},
    }
    if usage.input_tokens:
        fields["usage"] = {"prompt_tokens": usage.input_tokens, "total_tokens": usage.total_tokens}
    return msgspec.json.encode(fields)


def _read(body: bytes) -> _Answer:
    try:
        return _answer.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken("the provider's answer holds no ranked documents") from error


def _usage_of(answer: _Answer) -> Usage | None:
    """Return what was billed; None where the provider doesn't say, because only the request tells the documents."""
    billed = (answer.meta.billed_units if answer.meta else None) or _Billed()
    wire = answer.usage or _Tokens()
    tokens = wire.total_tokens or wire.prompt_tokens or billed.total_tokens or billed.input_tokens
    searches = billed.search_units
    if tokens is None and searches is None:
        return None
    return Usage(input_tokens=_count(tokens), searches=_count(searches))


def _count(value: float | None) -> int:
    return int(value) if value is not None and 0 < value < 1e15 else 0
