"""The list of models in Anthropic's form (its API reference, "List Models", November 2026; anthropic-python 2.11)."""

from collections.abc import Sequence
from datetime import datetime

import msgspec


class _Model(msgspec.Struct):
    id: str
    display_name: str
    created_at: str
    type: str = "model"
    lifecycle: str = "active"


class _Page(msgspec.Struct):
    data: list[_Model]
    first_id: str | None
    last_id: str | None
    has_more: bool = False


def encode_models(models: Sequence[tuple[str, datetime]]) -> bytes:
    """Return all models, by name and the moment they were made, as one page."""
    data = [_describe(name, created_at) for name, created_at in models]
    return msgspec.json.encode(_Page(data, data[0].id if data else None, data[-1].id if data else None))


def encode_model(name: str, created_at: datetime) -> bytes:
    """Return one model."""
    return msgspec.json.encode(_describe(name, created_at))


def _describe(name: str, created_at: datetime) -> _Model:
    return _Model(name, name, created_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
