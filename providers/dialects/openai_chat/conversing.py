"""A chat request read in full, as what is asked of a model whoever serves it.

Known fields are OpenAI's (specification 2.3.0), and `top_k` and `reasoning` as OpenRouter and many servers take them.
All others stay as they are, for servers of this dialect.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.complaints import decode
from providers.dialects.conversation import Effort, Reasoning, Request
from providers.dialects.openai_chat.messages import WireMessage, read_messages
from providers.dialects.openai_chat.parts import ABSENT
from providers.dialects.openai_chat.tools import (
    WireChoice,
    WireDefinition,
    WireFormat,
    read_choice,
    read_format,
    read_tools,
)

WireEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class _Reasoning(msgspec.Struct):
    effort: WireEffort | None = None
    max_tokens: int | None = None
    enabled: bool | None = None
    exclude: bool | None = None
    summary: str | None = None


class WireCommon(msgspec.Struct, kw_only=True):
    """The fields that chat and plain completions share."""

    model: str
    stream: bool | None = None
    max_tokens: int | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    stream_options: msgspec.Raw = ABSENT
    max_cost_usd: msgspec.Raw = ABSENT


class _Chat(WireCommon, kw_only=True):
    messages: list[WireMessage]
    max_completion_tokens: int | None = None
    tools: list[msgspec.Raw] | None = None
    functions: list[WireDefinition] | None = None
    tool_choice: str | WireChoice | None = None
    function_call: str | WireChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: WireFormat | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning_effort: WireEffort | None = None
    reasoning: _Reasoning | None = None


_chat = msgspec.json.Decoder(_Chat)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_KNOWN = frozenset(_Chat.__struct_fields__)


def decode_request(body: bytes) -> Request:
    """Return the request. Raises InvalidRequest that names the field."""
    wire = decode(_chat, body)
    if not wire.messages:
        raise InvalidRequest("messages must not be empty", code="invalid_value", param="messages")
    tools = read_tools(wire.tools or (), wire.functions or ())
    extras = read_extras(body, _KNOWN)
    try:
        choice, tools = read_choice(_choice_of(wire), tools)
    except KeyError:
        choice, extras = None, {**extras, "tool_choice": _object.decode(body)["tool_choice"].copy()}
    return msgspec.structs.replace(
        read_common(wire),
        messages=read_messages(wire.messages),
        max_output_tokens=wire.max_completion_tokens or wire.max_tokens or None,
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=wire.parallel_tool_calls,
        output_format=read_format(wire.response_format),
        logprobs=wire.logprobs,
        top_logprobs=wire.top_logprobs,
        reasoning=_read_reasoning(wire),
        extras=extras,
    )


def read_common(wire: WireCommon) -> Request:
    """Return a request without its messages."""
    return Request(
        model=wire.model,
        messages=(),
        dialect=Dialect.OPENAI,
        stream=bool(wire.stream),
        max_output_tokens=wire.max_tokens or None,
        stop=(wire.stop,) if isinstance(wire.stop, str) else tuple(wire.stop or ()),
        temperature=wire.temperature,
        top_p=wire.top_p,
        top_k=wire.top_k,
        frequency_penalty=wire.frequency_penalty,
        presence_penalty=wire.presence_penalty,
        seed=wire.seed,
        n=wire.n,
        user=wire.user or "",
        metadata=wire.metadata,
    )


def read_extras(body: bytes, known: frozenset[str]) -> Mapping[str, msgspec.Raw]:
    """Return the fields of a body that are not known, by name."""
    return {name: raw.copy() for name, raw in _object.decode(body).items() if name not in known}


def _choice_of(wire: _Chat) -> str | WireChoice | None:
    choice = wire.tool_choice if wire.tool_choice is not None else wire.function_call
    if isinstance(choice, str) and choice not in ("auto", "none", "required", "any"):
        raise InvalidRequest(f"Invalid value for 'tool_choice': {choice}", code="invalid_value", param="tool_choice")
    return choice


def _read_reasoning(wire: _Chat) -> Reasoning | None:
    asked = wire.reasoning
    if asked is None:
        return Reasoning(effort=_effort(wire.reasoning_effort)) if wire.reasoning_effort else None
    effort = _effort(wire.reasoning_effort or asked.effort)
    if asked.enabled is False:
        effort = "none"
    return Reasoning(
        effort=effort,
        budget_tokens=asked.max_tokens,
        adaptive=bool(asked.enabled) and effort is None and asked.max_tokens is None,
        summary="none" if asked.exclude else asked.summary or "",
    )


def _effort(effort: WireEffort | None) -> Effort | None:
    return "xhigh" if effort == "max" else effort
