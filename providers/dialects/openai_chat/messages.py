"""The messages of a chat request, read into turns.

A tool's answers that follow one another become one turn. The older `function` messages answer the latest call of that
name (OpenAI's specification 2.3.0).
"""

from typing import Literal

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.conversation import (
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from providers.dialects.openai_chat.parts import ABSENT, CacheControl, is_said, read_content, read_mark
from providers.dialects.openai_chat.thoughts import (
    Block,
    Detail,
    ExtraContent,
    read_thoughts,
    signatures_of_calls,
)


class WireFunction(msgspec.Struct):
    """The function that a call names; arguments are a JSON text."""

    name: str = ""
    arguments: str | None = ""


class WireToolCall(msgspec.Struct):
    """One of a message's `tool_calls`."""

    id: str | None = ""
    type: str | None = "function"
    function: WireFunction | None = None
    extra_content: ExtraContent | None = None


class WireMessage(msgspec.Struct):
    """A message of a chat, with what gateways and servers add to OpenAI's."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[msgspec.Raw] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[msgspec.Raw] | None = None
    function_call: WireFunction | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Detail] | None = None
    thinking_blocks: list[Block] | None = None
    audio: msgspec.Raw = ABSENT
    cache_control: CacheControl | None = None


_tool_call = msgspec.json.Decoder(WireToolCall)


def read_messages(wires: list[WireMessage]) -> tuple[Message, ...]:
    """Return the turns. Raises InvalidRequest that names what is wrong, as `messages[2].content[0].text`."""
    turns: list[Message] = []
    legacy_ids: dict[str, str] = {}
    for index, wire in enumerate(wires):
        if wire.role not in ("tool", "function") and (words := _words_of(wire)):  # the usual message
            turns.append(Message(_plain_role(wire), (Text(words),), wire.name or ""))
            continue
        path = f"messages[{index}]"
        if wire.role in ("tool", "function"):
            _add_result(turns, _read_result(wire, legacy_ids, path))
        elif wire.role == "assistant":
            turns.append(Message("assistant", _read_assistant(wire, legacy_ids, path), name=wire.name or ""))
        else:
            turns.append(Message(_plain_role(wire), _read_content(wire, path), name=wire.name or ""))
    return tuple(turns)


def read_calls(raws: list[msgspec.Raw], details: list[Detail]) -> list[ToolCall | Opaque]:
    """Return the tool calls of a message, an Opaque where one calls no function. Raises msgspec.ValidationError."""
    wires = [_tool_call.decode(raw) for raw in raws]
    signatures = signatures_of_calls(details, {wire.id for wire in wires if wire.id})
    return [_read_call(wire, raw, signatures) for wire, raw in zip(wires, raws, strict=True)]


def without_calls(details: list[Detail], calls: list[ToolCall | Opaque]) -> list[Detail]:
    """Return the details that are thoughts, not signatures of tool calls."""
    ids = {call.id for call in calls if isinstance(call, ToolCall)}
    return [detail for detail in details if not detail.id or detail.id not in ids]


def _words_of(wire: WireMessage) -> str:
    """Return the text of a message that has nothing else to be read; empty for any other."""
    content = wire.content
    if not isinstance(content, str) or wire.cache_control is not None:
        return ""
    if wire.role == "assistant" and (
        wire.tool_calls
        or wire.refusal
        or wire.reasoning_content
        or wire.reasoning
        or wire.reasoning_details
        or wire.thinking_blocks
        or wire.function_call is not None
        or wire.audio is not ABSENT
    ):
        return ""
    return content


def _plain_role(wire: WireMessage) -> Role:
    assert wire.role != "function"
    return wire.role


def _read_content(wire: WireMessage, path: str) -> tuple[Part, ...]:
    parts = read_content(wire.content, f"{path}.content")
    mark = read_mark(wire.cache_control)
    if mark and parts and isinstance(parts[-1], Text):  # LiteLLM marks whole messages too
        return (*parts[:-1], msgspec.structs.replace(parts[-1], cache=mark))
    return parts


def _read_assistant(wire: WireMessage, legacy_ids: dict[str, str], path: str) -> tuple[Part, ...]:
    details = wire.reasoning_details or []
    try:
        calls = read_calls(wire.tool_calls or [], details)
    except msgspec.ValidationError as error:
        raise InvalidRequest(
            f"Invalid value for '{path}.tool_calls': {error}", code="invalid_type", param=f"{path}.tool_calls"
        ) from error
    text = wire.reasoning_content or wire.reasoning or ""
    parts: list[Part] = [*read_thoughts(text, without_calls(details, calls), wire.thinking_blocks or ())]
    parts += _read_content(wire, path)
    if wire.refusal:
        parts.append(Refusal(wire.refusal))
    if is_said(wire.audio):
        parts.append(Opaque(Dialect.OPENAI, "audio", wire.audio.copy()))
    if wire.function_call is not None:
        calls.append(_read_legacy_call(wire.function_call, legacy_ids))
    return (*parts, *calls)


def _read_legacy_call(wire: WireFunction, legacy_ids: dict[str, str]) -> ToolCall:
    legacy_ids[wire.name] = f"call_{len(legacy_ids)}_{wire.name}"
    return ToolCall(legacy_ids[wire.name], wire.name, wire.arguments or "")


def _read_call(wire: WireToolCall, raw: msgspec.Raw, signatures: dict[str, tuple[str, Dialect]]) -> ToolCall | Opaque:
    if wire.function is None:
        return Opaque(Dialect.OPENAI, f"{wire.type}_tool_call", raw.copy())
    call = ToolCall(wire.id or "", wire.function.name, wire.function.arguments or "")
    google = wire.extra_content.google if wire.extra_content else None
    if google is not None and google.thought_signature:
        return msgspec.structs.replace(call, signature=google.thought_signature, dialect=Dialect.GEMINI)
    if call.id in signatures:
        signature, dialect = signatures[call.id]
        return msgspec.structs.replace(call, signature=signature, dialect=dialect)
    return call


def _read_result(wire: WireMessage, legacy_ids: dict[str, str], path: str) -> ToolResult:
    call_id = wire.tool_call_id or (legacy_ids.get(wire.name or "", "") if wire.role == "function" else "")
    if not call_id:
        param = f"{path}.tool_call_id" if wire.role == "tool" else f"{path}.name"
        raise InvalidRequest(f"{param} must name a tool call", code="missing_required_parameter", param=param)
    mark = read_mark(wire.cache_control)
    parts = tuple(_as_result_part(part, f"{path}.content") for part in read_content(wire.content, f"{path}.content"))
    return ToolResult(call_id, parts, name=wire.name or "", cache=mark)


def _as_result_part(part: Part, path: str) -> Text | Image | Document | Opaque:
    if isinstance(part, Text | Image | Document | Opaque):
        return part
    raise InvalidRequest("a tool's answer is made of text, pictures and files", code="unsupported_content", param=path)


def _add_result(turns: list[Message], result: ToolResult) -> None:
    if turns and turns[-1].role == "tool":
        turns[-1] = Message("tool", (*turns[-1].parts, result))
    else:
        turns.append(Message("tool", (result,)))
