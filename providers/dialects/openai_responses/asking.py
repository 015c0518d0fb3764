"""A Responses request as the hub's request.

`previous_response_id` is not read here: whoever keeps the earlier turns puts them before the input first (`keeping`).
"""

from typing import Literal

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.complaints import decode
from providers.dialects.conversation import (
    Effort,
    HostedTool,
    Message,
    OutputFormat,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolChoice,
)
from providers.dialects.openai_chat.request import MAX_COST_FIELD
from providers.dialects.openai_responses.history import History
from providers.dialects.openai_responses.wire import KIND, OBJECT, decode_at, raw_of, refuse

LOGPROBS = "message.output_text.logprobs"
_ABSENT = msgspec.Raw(b"")
_EFFORTS: dict[str, Effort] = {
    "none": "none",
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "xhigh",
}


class _Format(msgspec.Struct):
    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    description: str | None = None
    schema: msgspec.Raw = _ABSENT
    strict: bool | None = None


class _TextAsked(msgspec.Struct):
    format: _Format | None = None
    verbosity: str | None = None


class _ReasoningAsked(msgspec.Struct):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: str | None = None
    generate_summary: str | None = None


class _Asked(msgspec.Struct):
    model: str
    input: str | list[msgspec.Raw] | None = None
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: int | None = None
    tools: list[msgspec.Raw] | None = None
    tool_choice: msgspec.Raw = _ABSENT
    parallel_tool_calls: bool | None = None
    text: _TextAsked | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    top_logprobs: int | None = None
    include: list[str] | None = None
    reasoning: _ReasoningAsked | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    background: bool | None = None


class _Function(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: msgspec.Raw = _ABSENT
    strict: bool | None = None


class _Named(msgspec.Struct):
    type: str = ""
    name: str = ""


class _Choice(msgspec.Struct):
    type: str
    name: str = ""
    mode: str = ""
    tools: list[_Named] | None = None


_asked = msgspec.json.Decoder(_Asked)
_function = msgspec.json.Decoder(_Function)
_choice = msgspec.json.Decoder(str | _Choice)
# Known here, or the gateway's own, or resolved before.
_TAKEN = frozenset((*_Asked.__struct_fields__, MAX_COST_FIELD, "previous_response_id")) - {"include"}


def decode_request(body: bytes) -> Request:
    """Return the request. Raises InvalidRequest that names the field."""
    wire = decode(_asked, body)
    if wire.background:
        message = "The gateway runs no responses in the background."
        raise refuse(message, param="background", code="unsupported_parameter")
    fields = OBJECT.decode(body)
    extras = {name: raw for name, raw in fields.items() if name not in _TAKEN and bytes(raw) != b"null"}
    extras |= _parts_unknown_to_the_hub(wire, fields)
    choice = _read_choice(wire.tool_choice)
    if choice is None and not _is_null(wire.tool_choice):
        extras["tool_choice"] = wire.tool_choice
    return Request(
        model=wire.model,
        messages=_read_input(wire),
        dialect=Dialect.RESPONSES,
        stream=bool(wire.stream),
        max_output_tokens=wire.max_output_tokens,
        tools=tuple(_read_tool(raw, f"tools[{index}]") for index, raw in enumerate(wire.tools or ())),
        tool_choice=choice,
        parallel_tool_calls=wire.parallel_tool_calls,
        output_format=_read_format(wire.text),
        temperature=wire.temperature,
        top_p=wire.top_p,
        frequency_penalty=wire.frequency_penalty,
        presence_penalty=wire.presence_penalty,
        logprobs=True if LOGPROBS in (wire.include or ()) else None,
        top_logprobs=wire.top_logprobs,
        reasoning=_read_reasoning(wire.reasoning),
        user=wire.user or "",
        metadata=wire.metadata,
        extras=extras,
    )


def _parts_unknown_to_the_hub(wire: _Asked, fields: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """Return what stands inside of known fields and has no place in the hub."""
    found: dict[str, msgspec.Raw] = {}
    if wire.text is not None and wire.text.verbosity is not None:
        found["verbosity"] = raw_of(wire.text.verbosity)
    if wire.reasoning is not None:
        known = ("effort", "summary", "generate_summary")
        rest = {name: raw for name, raw in OBJECT.decode(fields["reasoning"]).items() if name not in known}
        if rest:
            found["reasoning"] = raw_of(rest)
    return found


def _read_input(wire: _Asked) -> tuple[Message, ...]:
    history = History()
    if wire.instructions:
        history.say("system", [Text(wire.instructions)])
    if isinstance(wire.input, str):
        history.say("user", [Text(wire.input)])
    else:
        for index, raw in enumerate(wire.input or ()):
            history.add(raw, f"input[{index}]")
    return history.messages


def _read_tool(raw: msgspec.Raw, at: str) -> Tool | HostedTool:
    kind = decode_at(KIND, raw, at).type or ""
    if kind != "function":
        return HostedTool(Dialect.RESPONSES, kind, raw)
    function = decode_at(_function, raw, at)
    parameters = None if _is_null(function.parameters) else function.parameters
    return Tool(function.name, function.description or "", parameters, strict=function.strict)


def _read_choice(raw: msgspec.Raw) -> ToolChoice | None:
    """Return the choice; None where nothing was chosen, or what only this dialect knows."""
    if _is_null(raw):
        return None
    choice = decode_at(_choice, raw, "tool_choice")
    if isinstance(choice, str):
        if choice not in ("auto", "none", "required"):
            raise refuse(f"Invalid value '{choice}': use auto, none or required", param="tool_choice")
        return ToolChoice(choice)  # type: ignore[arg-type]  # it is one of the three
    if choice.type == "function":
        return ToolChoice("named", (choice.name,))
    if choice.type == "allowed_tools" and choice.mode == "required":
        return _read_allowed(choice.tools or [])
    return None


def _read_allowed(tools: list[_Named]) -> ToolChoice | None:
    names = tuple(tool.name for tool in tools if tool.type == "function")
    return ToolChoice("named", names) if names and len(names) == len(tools) else None


def _read_format(asked: _TextAsked | None) -> OutputFormat | None:
    if asked is None or asked.format is None:
        return None
    wire = asked.format
    schema = None if _is_null(wire.schema) else wire.schema
    if wire.type == "json_schema" and schema is None:
        raise refuse("A json_schema format needs a schema.", param="text.format.schema")
    return OutputFormat(wire.type, wire.name or "", wire.description or "", schema, wire.strict)


def _read_reasoning(asked: _ReasoningAsked | None) -> Reasoning | None:
    if asked is None:
        return None
    effort = None if asked.effort is None else _EFFORTS[asked.effort]
    summary = asked.summary or asked.generate_summary or ""
    return Reasoning(effort=effort, summary=summary) if effort or summary else None


def _is_null(raw: msgspec.Raw) -> bool:
    return bytes(raw) in (b"", b"null")
