"""Embeddings in the one form that every dialect translates to and from."""

from collections.abc import Mapping

import msgspec

from providers.dialects.canonical import Dialect, Usage


class EmbeddingRequest(msgspec.Struct, frozen=True):
    """Inputs to turn into vectors: each a text, or tokens that were counted already.

    `task` is what the vectors are for, in the vendors' words (query, document, …); empty where nobody says. `base64`
    tells that the client wants its floats packed.
    """

    model: str
    inputs: tuple[str | tuple[int, ...], ...]
    dialect: Dialect
    dimensions: int | None = None
    task: str = ""
    title: str = ""
    base64: bool = False
    user: str = ""
    extras: Mapping[str, msgspec.Raw] = {}


class EmbeddingAnswer(msgspec.Struct, frozen=True):
    """A vector for each input, in their order."""

    vectors: tuple[tuple[float, ...], ...]
    model: str = ""
    usage: Usage | None = None
