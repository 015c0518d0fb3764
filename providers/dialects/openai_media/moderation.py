"""Requests to judge texts and pictures: `moderations`."""

from decimal import Decimal
from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Head, Prompt
from providers.dialects.complaints import decode
from providers.dialects.openai_chat.measure import PICTURE_TOKENS_MOST, WRAPPING_TOKENS, measure_text
from providers.dialects.openai_media.checks import read_most, require


class _Moderation(msgspec.Struct):
    model: str
    input: str | list[str | dict[str, Any]]
    max_cost_usd: Decimal | None = None


_moderation = msgspec.json.Decoder(_Moderation)


def decode_head(body: bytes) -> Head:
    """Return what routing needs. Raises InvalidRequest that names the field."""
    asked = decode(_moderation, body)
    if not asked.input:
        raise InvalidRequest("input must not be empty", code="invalid_value", param="input")
    texts, pictures = _take_apart(asked.input)
    return Head(
        model=require("model", asked.model),
        max_output_tokens=0,
        input_bytes=sum(measure_text(text) for text in texts),
        input_tokens_most=len(body) + WRAPPING_TOKENS + pictures * PICTURE_TOKENS_MOST,
        max_cost_nanos=read_most(asked.max_cost_usd),
    )


def read_prompt(body: bytes) -> Prompt:
    """Return what the model reads of a request whose head was decoded without complaint."""
    texts, pictures = _take_apart(_moderation.decode(body).input)
    return Prompt(texts=tuple(texts), pictures=pictures, apart=True)


def _take_apart(given: str | list[str | dict[str, Any]]) -> tuple[list[str], int]:
    """Return the texts, and how many pictures there are."""
    if isinstance(given, str):
        return [given], 0
    texts = [item if isinstance(item, str) else str(item.get("text") or "") for item in given]
    return texts, sum(isinstance(item, dict) and item.get("type") == "image_url" for item in given)
