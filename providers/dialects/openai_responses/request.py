"""Reading the head of a Responses request, and changing only what must change where the upstream speaks it too.

The body stays the client's own bytes (OpenAI's reference of `POST /responses`, November 2026). What this gateway wrote
into `encrypted_content` (`signatures`) no vendor can read: reasoning that another one signed is taken out, a summary
becomes a message.
"""

from decimal import Decimal
from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Head
from providers.dialects.complaints import decode
from providers.dialects.openai_chat.request import MAX_COST_FIELD, read_max_cost
from providers.dialects.openai_responses.history import summary_of
from providers.dialects.openai_responses.measure import measure_items
from providers.dialects.openai_responses.signatures import unwrap
from providers.dialects.openai_responses.wire import BROKEN, KIND, OBJECT, REASONING, raw_of, refuse

_items = msgspec.json.Decoder(list[msgspec.Raw])


class _Head(msgspec.Struct):
    model: str
    input: str | list[dict[str, Any]] | None = None
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    tools: list[dict[str, Any]] | None = None
    background: bool | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    conversation: Any = None
    prompt: Any = None
    max_cost_usd: Decimal | None = None


_head = msgspec.json.Decoder(_Head)


def decode_head(body: bytes) -> Head:
    """Return what routing needs of a request. Raises InvalidRequest that names the field."""
    wire = decode(_head, body)
    _check(wire)
    input_bytes, surplus = measure_items(wire.input, wire.tools, wire.instructions or "")
    return Head(
        model=wire.model,
        stream=bool(wire.stream),
        wants_stream_usage=True,  # the last event always has it
        max_output_tokens=wire.max_output_tokens,
        input_bytes=input_bytes,
        input_tokens_most=len(body) + surplus,
        max_cost_nanos=None if wire.max_cost_usd is None else read_max_cost(wire.max_cost_usd),
    )


def patch(body: bytes, *, model: str | None, output_cap: int | None, once: bool, costed: bool = False) -> bytes:
    """Return the body with another model and cap; every other value keeps its bytes.

    With `once` a field that stood twice stands once, as it was read. `costed` tells that the body holds `max_cost_usd`,
    which only the gateway understands.
    """
    restated = _restate_input(body) if b'"encrypted_content"' in body else None
    if model is None and output_cap is None and not (once or costed or restated):
        return body
    fields = OBJECT.decode(body)
    fields.pop(MAX_COST_FIELD, None)
    if model is not None:
        fields["model"] = raw_of(model)
    if output_cap is not None:
        fields["max_output_tokens"] = raw_of(output_cap)
    if restated is not None:
        fields["input"] = restated
    return msgspec.json.encode(fields)


def _check(wire: _Head) -> None:
    if not wire.model:
        raise InvalidRequest("you must provide a model parameter", code="missing_required_parameter", param="model")
    if not (wire.input or wire.previous_response_id or wire.prompt or wire.conversation):
        raise InvalidRequest("you must provide an input parameter", code="missing_required_parameter", param="input")
    if wire.max_output_tokens is not None and wire.max_output_tokens < 1:
        raise refuse(f"max_output_tokens must be positive, got {wire.max_output_tokens}", param="max_output_tokens")
    if wire.background:
        raise refuse(
            "The gateway runs no responses in the background.", param="background", code="unsupported_parameter"
        )


def _restate_input(body: bytes) -> msgspec.Raw | None:
    """Return the input as a vendor can read it; None where it can already."""
    raw = OBJECT.decode(body).get("input")
    if raw is None or bytes(raw)[:1] != b"[":
        return None
    items = _items.decode(raw)
    restated = [_restate(item) for item in items]
    if all(new is old for new, old in zip(restated, items, strict=True)):
        return None
    return raw_of([item for item in restated if item is not None])


def _restate(item: msgspec.Raw) -> msgspec.Raw | None:
    """Return an item without what this gateway sealed; None where nothing is left of it."""
    try:
        kind = KIND.decode(item).type
        if kind == "reasoning":
            return None if unwrap(REASONING.decode(item).encrypted_content or "") else item
        summary = summary_of(item) if kind == "compaction" else ""
    except BROKEN:
        return item  # it is the provider's to refuse
    return raw_of({"type": "message", "role": "user", "content": summary}) if summary else item
