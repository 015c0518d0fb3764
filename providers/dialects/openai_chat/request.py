"""Reading the head of an OpenAI request and changing only what must change.

The body stays the client's own bytes: unknown fields and number spellings survive. Known fields are checked for
their types, so that a wrong one is refused here with its name (OpenAI's specification 2.3.0, chat completions,
completions and embeddings).
"""

import re
from decimal import Decimal
from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Head, Operation
from providers.dialects.complaints import decode
from providers.dialects.openai_chat.measure import (
    WRAPPING_TOKENS,
    Message,
    count_inputs,
    measure_chat,
    measure_input,
)
from providers.dialects.openai_chat.spelling import respell

_ESCAPED_LETTER = re.compile(rb"\\u006[45cdfCDF]")  # one of "model", as no ordinary encoder spells it
MAX_COST_FIELD = "max_cost_usd"  # the gateway's own; no provider has it
_CAP_FIELDS = ("max_completion_tokens", "max_tokens")
_MAX_COST_USD = 1_000_000
_NOTHING = (b"null", b"0")


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Chat(msgspec.Struct):
    model: str
    messages: list[Message]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    tools: list[dict[str, Any]] | None = None
    max_cost_usd: Decimal | None = None


class _Completion(msgspec.Struct):
    model: str
    prompt: str | list[Any]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    n: int | None = None
    best_of: int | None = None
    temperature: float | None = None
    max_cost_usd: Decimal | None = None


class _Embedding(msgspec.Struct):
    model: str
    input: str | list[Any]
    encoding_format: str | None = None
    dimensions: int | None = None
    max_cost_usd: Decimal | None = None


_chat = msgspec.json.Decoder(_Chat)
_completion = msgspec.json.Decoder(_Completion)
_embedding = msgspec.json.Decoder(_Embedding)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_head(operation: Operation, body: bytes) -> Head:
    """Return what routing needs of a request.

    Raises InvalidRequest that names the field where the body is not JSON, not an object, or has a wrong type.
    """
    return _READERS[operation](body)


def patch(
    body: bytes,
    *,
    model: str | None = None,
    include_usage: bool = False,
    output_cap: int | None = None,
    cap_fields: tuple[str, ...] = _CAP_FIELDS,
    once: bool = False,
    spelling: str = "",
) -> bytes:
    """Return the body with another model, usage asked of the stream, and a cap; every other value keeps its bytes.

    The cap goes into the client's own field where that is one of `cap_fields`, which the upstream knows, else into the
    first of these; no second field may contradict it. With `once` a field that stood twice stands once, as it was read:
    an upstream that takes the first of two can't be led past what was reserved. `max_cost_usd`, which only the gateway
    understands, is left out of a body that is changed. A server with a `spelling` of its own gets its own names.
    """
    if model is None and not include_usage and output_cap is None and not once and not spelling:
        return body
    fields = _object.decode(body)
    fields.pop(MAX_COST_FIELD, None)
    if model is not None:
        fields["model"] = msgspec.Raw(msgspec.json.encode(model))
    if include_usage:
        fields["stream_options"] = _with_usage(fields.get("stream_options"))
    if output_cap is not None:
        _set_cap(fields, output_cap, cap_fields)
    respell(fields, spelling)
    return msgspec.json.encode(fields)


def names_model_twice(body: bytes) -> bool:
    """Tell whether `"model"` may stand in a body more than once, so that two readers could see different ones."""
    return body.count(b'"model"') > 1 or _ESCAPED_LETTER.search(body) is not None


def _with_usage(options: msgspec.Raw | None) -> msgspec.Raw:
    fields = {} if options is None or bytes(options) == b"null" else _object.decode(options)
    fields["include_usage"] = msgspec.Raw(b"true")
    return msgspec.Raw(msgspec.json.encode(fields))


def _set_cap(fields: dict[str, msgspec.Raw], output_cap: int, cap_fields: tuple[str, ...]) -> None:
    field = ""
    for name in _CAP_FIELDS:
        value = fields.pop(name, None)
        if not field and value is not None and name in cap_fields and bytes(value) not in _NOTHING:
            field = name
    fields[field or cap_fields[0]] = msgspec.Raw(b"%d" % output_cap)


def _read_chat(body: bytes) -> Head:
    chat = decode(_chat, body)
    if not chat.messages:
        raise InvalidRequest("messages must not be empty", code="invalid_value", param="messages")
    _require_positive(max_tokens=chat.max_tokens, max_completion_tokens=chat.max_completion_tokens, n=chat.n)
    input_bytes, surplus = measure_chat(chat.messages, chat.tools)
    return Head(
        model=_require_model(chat.model),
        stream=bool(chat.stream),
        wants_stream_usage=_wants_usage(chat.stream_options),
        max_output_tokens=chat.max_completion_tokens or chat.max_tokens or None,
        choices=chat.n or 1,
        input_bytes=input_bytes,
        input_tokens_most=len(body) + surplus,
        max_cost_nanos=_max_cost(chat.max_cost_usd),
    )


def _read_completion(body: bytes) -> Head:
    completion = decode(_completion, body)
    _require_positive(max_tokens=completion.max_tokens, n=completion.n, best_of=completion.best_of)
    return Head(
        model=_require_model(completion.model),
        stream=bool(completion.stream),
        wants_stream_usage=_wants_usage(completion.stream_options),
        max_output_tokens=completion.max_tokens,
        choices=max(completion.n or 1, completion.best_of or 1) * count_inputs(completion.prompt),
        input_bytes=measure_input(completion.prompt),
        input_tokens_most=len(body) + WRAPPING_TOKENS,
        max_cost_nanos=_max_cost(completion.max_cost_usd),
    )


def _read_embedding(body: bytes) -> Head:
    embedding = decode(_embedding, body)
    if not embedding.input:
        raise InvalidRequest("input must not be empty", code="invalid_value", param="input")
    _require_positive(dimensions=embedding.dimensions)
    return Head(
        model=_require_model(embedding.model),
        max_output_tokens=0,
        input_bytes=measure_input(embedding.input),
        input_tokens_most=len(body) + WRAPPING_TOKENS,
        max_cost_nanos=_max_cost(embedding.max_cost_usd),
    )


_READERS = {
    Operation.CHAT: _read_chat,
    Operation.COMPLETION: _read_completion,
    Operation.EMBEDDING: _read_embedding,
}


def _wants_usage(options: _StreamOptions | None) -> bool:
    return options is not None and bool(options.include_usage)


def read_max_cost(usd: Decimal) -> int:
    """Return the most that a call may cost in nano-dollars, rounded down. Raises InvalidRequest."""
    if not usd.is_finite() or not 0 <= usd <= _MAX_COST_USD:
        raise InvalidRequest(
            f"max_cost_usd is an amount in dollars from 0 to {_MAX_COST_USD}",
            code="invalid_value",
            param=MAX_COST_FIELD,
        )
    return int(usd.scaleb(9))


def _max_cost(usd: Decimal | None) -> int | None:
    return None if usd is None else read_max_cost(usd)


def _require_model(model: str) -> str:
    if not model:
        raise InvalidRequest("you must provide a model parameter", code="missing_required_parameter", param="model")
    return model


def _require_positive(**counts: int | None) -> None:
    for name, count in counts.items():
        if count is not None and count < (0 if name == "max_tokens" else 1):
            raise InvalidRequest(f"{name} must be positive, got {count}", code="invalid_value", param=name)
