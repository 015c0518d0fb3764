"""A request for a message, read into the hub's words.

Known fields: anthropic-python 2.11, `types/message_create_params.py`. `output_format` is what clients of the earlier
beta call `output_config.format`.
"""

from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.anthropic_messages.blocks import Content, read_blocks, read_words
from providers.dialects.anthropic_messages.reasoning import WireEffort, WireThinking, read_reasoning
from providers.dialects.anthropic_messages.tools import WireChoice, read_choice, read_tools
from providers.dialects.canonical import Dialect
from providers.dialects.complaints import decode
from providers.dialects.conversation import Message, OutputFormat, Part, Request, Role, ToolCall, ToolResult
from providers.dialects.openai_chat.request import MAX_COST_FIELD

_NULL = msgspec.Raw(b"null")


class _Message(msgspec.Struct):
    role: str
    content: Content = None


class _Metadata(msgspec.Struct):
    user_id: str | None = None


class _Format(msgspec.Struct):
    type: str
    schema: msgspec.Raw = _NULL


class _OutputConfig(msgspec.Struct):
    effort: WireEffort | None = None
    format: _Format | None = None


class _Request(msgspec.Struct, kw_only=True):
    model: str
    messages: list[_Message]
    max_tokens: int | None = None
    system: Content = None
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    tools: list[msgspec.Raw] | None = None
    tool_choice: WireChoice | None = None
    thinking: WireThinking | None = None
    output_config: _OutputConfig | None = None
    output_format: _Format | None = None
    metadata: _Metadata | None = None


_request = msgspec.json.Decoder(_Request)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_KNOWN = frozenset((*_Request.__struct_fields__, MAX_COST_FIELD))
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
_THOUGHTS = ("enabled", "disabled", "adaptive")


def decode_request(body: bytes) -> Request:
    """Return the request. Raises InvalidRequest that names the field."""
    wire = decode(_request, body)
    config = wire.output_config or _OutputConfig()
    choice, parallel = read_choice(wire.tool_choice)
    return Request(
        model=wire.model,
        messages=_read_messages(wire),
        dialect=Dialect.ANTHROPIC,
        stream=bool(wire.stream),
        max_output_tokens=wire.max_tokens,
        tools=read_tools(wire.tools or []),
        tool_choice=choice,
        parallel_tool_calls=parallel,
        output_format=_read_format(config.format or wire.output_format),
        stop=tuple(wire.stop_sequences or ()),
        temperature=wire.temperature,
        top_p=wire.top_p,
        top_k=wire.top_k,
        reasoning=read_reasoning(wire.thinking, config.effort),
        user=(wire.metadata.user_id or "") if wire.metadata else "",
        extras=_read_extras(body, wire),
    )


def _read_messages(wire: _Request) -> tuple[Message, ...]:
    messages: list[Message] = []
    if system := read_blocks(wire.system, "system"):
        messages.append(Message("system", tuple(system)))
    for number, message in enumerate(wire.messages):
        role = _ROLES.get(message.role)
        if role is None:
            at = f"messages[{number}]"
            text = f"{at}.role: {message.role!r} is not one of {', '.join(_ROLES)}"
            raise InvalidRequest(text, code="invalid_value", param=f"{at}.role")
        words = read_words(message.content)
        if words is not None:
            messages.append(Message(role, (words,)))
            continue
        at = f"messages[{number}].content"
        messages += _read_turn(role, read_blocks(message.content, at), at)
    return tuple(messages)


def _read_turn(role: Role, parts: list[Part], at: str) -> list[Message]:
    """A user's turn may begin with the results of tools, which the hub has in messages of their own."""
    results = tuple(part for part in parts if isinstance(part, ToolResult))
    others = tuple(part for part in parts if not isinstance(part, ToolResult))
    if results and role != "user":
        raise InvalidRequest(f"{at}: only the user gives tool results", code="invalid_tool_result", param=at)
    if role != "assistant" and any(isinstance(part, ToolCall) for part in others):
        raise InvalidRequest(f"{at}: only the assistant calls tools", code="invalid_value", param=at)
    turn = [Message("tool", results)] if results else []
    if others or not results:
        turn.append(Message(role, others))
    return turn


def _read_format(wire: _Format | None) -> OutputFormat | None:
    if wire is None:
        return None
    if wire.type != "json_schema" or bytes(wire.schema) == b"null":
        message = f"output_config.format: {wire.type!r} is not json_schema, or has no schema"
        raise InvalidRequest(message, code="invalid_value", param="output_config.format")
    return OutputFormat("json_schema", schema=msgspec.Raw(bytes(wire.schema)))


def _read_extras(body: bytes, wire: _Request) -> dict[str, msgspec.Raw]:
    fields = _object.decode(body)
    extras = {name: raw for name, raw in fields.items() if name not in _KNOWN}
    if wire.thinking is not None and wire.thinking.type not in _THOUGHTS:
        extras["thinking"] = fields["thinking"]
    if wire.output_config is not None:
        more = _without(fields["output_config"], _OutputConfig.__struct_fields__)
        if more:
            extras["output_config"] = msgspec.Raw(msgspec.json.encode(more))
    return extras


def _without(raw: msgspec.Raw, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in _object.decode(raw).items() if name not in names}
