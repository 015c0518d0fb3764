"""The list of models, and one of it, as `models.list` and `models.get` tell them (REST reference, November 2026)."""

from collections.abc import Iterable

import msgspec

_METHODS = ("generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents")


class _Model(msgspec.Struct, rename="camel", omit_defaults=True):
    name: str
    base_model_id: str
    version: str
    display_name: str
    supported_generation_methods: tuple[str, ...] = msgspec.field(default_factory=tuple)
    output_token_limit: int | None = None


class _Models(msgspec.Struct):
    models: list[_Model]


def encode_models(models: Iterable[tuple[str, int | None]]) -> bytes:
    """Return the list of models, each by its name and the most tokens it may generate."""
    return msgspec.json.encode(_Models([_model(name, most) for name, most in models]))


def encode_model(name: str, max_output_tokens: int | None) -> bytes:
    """Return one model."""
    return msgspec.json.encode(_model(name, max_output_tokens))


def _model(name: str, max_output_tokens: int | None) -> _Model:
    return _Model(
        name=f"models/{name}",
        base_model_id=name,
        version="001",
        display_name=name,
        supported_generation_methods=_METHODS,
        output_token_limit=max_output_tokens,
    )
