"""What routing needs of a request, checked strictly: a field of a wrong type is refused here with its name."""

from decimal import Decimal
from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.anthropic_messages.measure import Blocks, Message, measure
from providers.dialects.canonical import Head
from providers.dialects.complaints import decode
from providers.dialects.openai_chat.request import read_max_cost


class _Prompt(msgspec.Struct, kw_only=True):
    model: str
    messages: list[Message]
    system: Blocks = None
    tools: list[dict[str, Any]] | None = None
    max_cost_usd: Decimal | None = None


class _Chat(_Prompt, kw_only=True):
    max_tokens: int
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


_chat = msgspec.json.Decoder(_Chat)
_prompt = msgspec.json.Decoder(_Prompt)


def decode_head(body: bytes) -> Head:
    """Return what routing needs of a request for a message.

    `max_tokens` is required and may be 0, which only fills the vendor's cache (anthropic-python 2.11,
    `types/message_create_params.py`). Raises InvalidRequest that names the field.
    """
    chat = decode(_chat, body)
    if chat.max_tokens < 0:
        message = f"max_tokens must not be negative, got {chat.max_tokens}"
        raise InvalidRequest(message, code="invalid_value", param="max_tokens")
    return _head(chat, body, stream=bool(chat.stream), max_output_tokens=chat.max_tokens)


def decode_count_head(body: bytes) -> Head:
    """Return what routing needs of a request for a token count, which generates nothing. Raises InvalidRequest."""
    return _head(decode(_prompt, body), body, stream=False, max_output_tokens=0)


def _head(prompt: _Prompt, body: bytes, *, stream: bool, max_output_tokens: int) -> Head:
    if not prompt.model:
        raise InvalidRequest("you must provide a model parameter", code="missing_required_parameter", param="model")
    if not prompt.messages:
        raise InvalidRequest("messages must not be empty", code="invalid_value", param="messages")
    input_bytes, surplus = measure(prompt.messages, prompt.system, prompt.tools)
    return Head(
        model=prompt.model,
        stream=stream,
        wants_stream_usage=stream,
        max_output_tokens=max_output_tokens,
        input_bytes=input_bytes,
        input_tokens_most=len(body) + surplus,
        max_cost_nanos=None if prompt.max_cost_usd is None else read_max_cost(prompt.max_cost_usd),
    )
