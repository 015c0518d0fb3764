"""Putting documents into the order of their relevance, in the one form that every dialect translates to and from."""

from collections.abc import Mapping

import msgspec

from providers.dialects.canonical import Dialect, Usage


class RankingRequest(msgspec.Struct, frozen=True):
    """A query and what is to be ranked by it. `with_documents` tells that the answer shall repeat the texts."""

    model: str
    query: str
    documents: tuple[str, ...]
    dialect: Dialect
    top_n: int | None = None
    with_documents: bool = False
    extras: Mapping[str, msgspec.Raw] = {}


class Ranked(msgspec.Struct, frozen=True):
    """One document by its place in the request, with its score from 0 to 1."""

    index: int
    score: float


class RankingAnswer(msgspec.Struct, frozen=True):
    """The documents, most relevant first."""

    ranked: tuple[Ranked, ...]
    id: str = ""
    model: str = ""
    usage: Usage | None = None
