"""generateContent's request: its head, the little that changes on its way to Gemini, and its translation both ways.

The model and whether to stream stand in the path. The body passes on as the client's own bytes wherever it can.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect, Feature, Head, Prompt
from providers.dialects.codec import Encoded, PathFacts, Upstream
from providers.dialects.conversation import Request
from providers.dialects.gemini_generate.casing import decode_camel, decode_spelled, to_camel
from providers.dialects.gemini_generate.config import is_known_type, read_format, write_config
from providers.dialects.gemini_generate.contents import write_contents
from providers.dialects.gemini_generate.history import read_messages
from providers.dialects.gemini_generate.measure import measure
from providers.dialects.gemini_generate.measure import read_prompt as read_prompt_of
from providers.dialects.gemini_generate.reasoning import read_reasoning
from providers.dialects.gemini_generate.tools import is_strict, read_choice, read_tools, write_choice, write_tools
from providers.dialects.gemini_generate.wire import BODY_DECODER, OBJECT_DECODER, Body, Config, is_given
from providers.dialects.hints import sort_extras
from providers.dialects.openai_chat.request import MAX_COST_FIELD, read_max_cost
from providers.dialects.wording import spell

_RESERVED_FOR = (b"maxOutputTokens", b"max_output_tokens", b"candidateCount", b"candidate_count")
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")  # as no ordinary encoder spells one
_MODEL = re.compile(rb'"model"\s*:')
_CONFIG, _TOOL_CONFIG, _CALLING = "generationConfig", "toolConfig", "functionCallingConfig"
_READ = frozenset(
    ("contents", "systemInstruction", _CONFIG, "tools", _TOOL_CONFIG, "model", "generateContentRequest", MAX_COST_FIELD)
)
_CONFIG_FIELDS = frozenset(Config.__struct_encode_fields__)
_ONLY_TEXT = (b'["TEXT"]', b'["text"]')


def decode_head(body: bytes, path: PathFacts) -> Head:
    """Return what routing needs of a request. Raises InvalidRequest that names the field."""
    return head_of(decode_camel(BODY_DECODER, body), path, body_bytes=len(body))


def read_prompt(body: bytes) -> Prompt:
    """Return what the model reads, of a request whose head was decoded without complaint."""
    return read_prompt_of(decode_camel(BODY_DECODER, body))


def decode_request(body: bytes, path: PathFacts) -> Request:
    """Return the request. Raises InvalidRequest that names the field."""
    camel = to_camel(body)
    return request_of(decode_spelled(BODY_DECODER, body, camel), camel, path)


def patch(body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
    """Return the body with the upstream's cap, and without what only the gateway reads; else the same bytes.

    A model in the body would contradict the one in the path, so it goes. With `once`, and where it could be so, no
    field that was reserved for stands twice: a server that takes the first of two can't be led past it.
    """
    once = once or _may_say_twice(body)
    cap = upstream.cap if upstream.cap != head.max_output_tokens else None
    if cap is None and head.max_cost_nanos is None and not once and not _MODEL.search(body):
        return body
    fields = OBJECT_DECODER.decode(to_camel(body))
    fields.pop(MAX_COST_FIELD, None)
    fields.pop("model", None)
    if once or cap is not None:
        config = _members(fields.get(_CONFIG))
        if cap is not None:
            config["maxOutputTokens"] = msgspec.Raw(b"%d" % cap)
        if config:
            fields[_CONFIG] = msgspec.Raw(msgspec.json.encode(config))
    return msgspec.json.encode(fields)


def encode_request(request: Request, upstream: Upstream) -> Encoded:
    """Return the body, and what of the request can't be said. Raises InvalidRequest for content no model could take."""
    fields, unsupported = write_fields(request, upstream)
    changing, harmless = sort_extras(request, Dialect.GEMINI)
    return Encoded(
        body=msgspec.json.encode(fields),
        unsupported=tuple(dict.fromkeys(spell(name, request.dialect) for name in (*unsupported, *changing))),
        ignored=tuple(dict.fromkeys((*_unsaid(request), *harmless))),
    )


def write_fields(request: Request, upstream: Upstream) -> tuple[dict[str, Any], list[str]]:
    """Return the body's members, and the hub's names of those fields that can't be said."""
    contents, system = write_contents(request, upstream)
    config, unsupported = write_config(request, upstream)
    if request.parallel_tool_calls is False and request.tools:
        unsupported.append("parallel_tool_calls")
    fields: dict[str, Any] = {"contents": contents}
    if system is not None:
        fields["systemInstruction"] = system
    if request.tools and upstream.capabilities.has(Feature.TOOLS):
        fields["tools"] = write_tools(request)
        calling = write_choice(request)
        if calling is not None:
            fields[_TOOL_CONFIG] = {_CALLING: calling}
    elif request.tools:
        unsupported.append("tools")
    if config != Config():
        fields[_CONFIG] = config
    if request.dialect is Dialect.GEMINI:
        _add_extras(fields, request)
    return fields, unsupported


def head_of(wire: Body, path: PathFacts, *, body_bytes: int) -> Head:
    """Return what routing needs of a decoded request. Raises InvalidRequest."""
    if not wire.contents:
        raise InvalidRequest("contents is not specified", code="missing_required_parameter", param="contents")
    config = wire.generation_config or Config()
    for name, count in (("maxOutputTokens", config.max_output_tokens), ("candidateCount", config.candidate_count)):
        if count is not None and count < 0:
            raise InvalidRequest(
                f"{name} must be positive, got {count}", code="invalid_value", param=f"{_CONFIG}.{name}"
            )
    input_bytes, surplus = measure(wire)
    return Head(
        model=model_of(wire.model, path),
        stream=path.stream,
        wants_stream_usage=path.stream,
        max_output_tokens=config.max_output_tokens or None,
        choices=config.candidate_count or 1,
        input_bytes=input_bytes,
        input_tokens_most=body_bytes + surplus,
        max_cost_nanos=_max_cost(wire.max_cost_usd),
    )


def request_of(wire: Body, camel: bytes, path: PathFacts) -> Request:
    """Return the request of a decoded body; `camel` is the JSON it was decoded from. Raises InvalidRequest."""
    config = wire.generation_config or Config()
    return Request(
        model=model_of(wire.model, path),
        messages=read_messages(wire, camel),
        dialect=Dialect.GEMINI,
        stream=path.stream,
        max_output_tokens=config.max_output_tokens or None,
        tools=read_tools(wire.tools or (), strict=is_strict(wire.tool_config)),
        tool_choice=read_choice(wire.tool_config),
        output_format=read_format(config),
        stop=tuple(config.stop_sequences or ()),
        temperature=config.temperature,
        top_p=config.top_p,
        top_k=None if config.top_k is None else int(config.top_k),
        frequency_penalty=config.frequency_penalty,
        presence_penalty=config.presence_penalty,
        seed=config.seed,
        n=config.candidate_count or None,
        logprobs=config.response_logprobs,
        top_logprobs=config.logprobs,
        reasoning=read_reasoning(config.thinking_config),
        extras=_read_extras(OBJECT_DECODER.decode(camel), config),
    )


def model_of(in_body: str | None, path: PathFacts) -> str:
    """Return the model's name without its collection. Raises InvalidRequest where neither place has one."""
    model = (path.model or in_body or "").removeprefix("models/")
    if not model:
        raise InvalidRequest("you must provide a model", code="missing_required_parameter", param="model")
    return model


def _read_extras(fields: dict[str, msgspec.Raw], config: Config) -> dict[str, msgspec.Raw]:
    """Return the members that have no place in the hub; those of the two inner objects by their path."""
    extras = {name: raw for name, raw in fields.items() if name not in _READ}
    for name, raw in _members(fields.get(_CONFIG)).items():
        is_own = name not in _CONFIG_FIELDS or (not is_known_type(config) and name.startswith("response"))
        if is_own and not (name == "responseModalities" and b"".join(bytes(raw).split()) in _ONLY_TEXT):
            extras[f"{_CONFIG}.{name}"] = raw
    for name, raw in _members(fields.get(_TOOL_CONFIG)).items():
        if name != _CALLING:
            extras[f"{_TOOL_CONFIG}.{name}"] = raw
    return {name: msgspec.Raw(bytes(raw)) for name, raw in extras.items()}


def _add_extras(fields: dict[str, Any], request: Request) -> None:
    """Write the dialect's own members back to where they stood."""
    for name, raw in request.extras.items():
        outer, _, inner = name.partition(".")
        if not inner:
            fields.setdefault(name, raw)
            continue
        members = OBJECT_DECODER.decode(msgspec.json.encode(fields.get(outer, {})))
        fields[outer] = {**members, inner: raw}


def _unsaid(request: Request) -> list[str]:
    """Return the fields that are given and that don't change the answer, but have no place here."""
    unsaid = [spell(name, request.dialect) for name in ("user", "metadata") if getattr(request, name)]
    marked = (part for message in request.messages for part in message.parts)
    if any(getattr(item, "cache", "") for item in (*marked, *request.tools)):
        unsaid.append("cache_control")
    return unsaid


def _may_say_twice(body: bytes) -> bool:
    names = (b'"generationConfig"', b'"generation_config"', *_RESERVED_FOR)
    return any(body.count(name) > 1 for name in names) or _ESCAPED_LETTER.search(body) is not None


def _members(raw: msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    return OBJECT_DECODER.decode(raw) if raw is not None and is_given(raw) else {}


def _max_cost(usd: Any) -> int | None:
    if usd is None:
        return None
    try:
        return read_max_cost(Decimal(str(usd)))
    except InvalidOperation as error:
        message = f"{MAX_COST_FIELD} is an amount in dollars"
        raise InvalidRequest(message, code="invalid_type", param=MAX_COST_FIELD) from error
