"""Tools and the choice between them, both ways.

Anthropic forbids parallel calls within the choice; a tool that the vendor runs itself is told by its `type`
(anthropic-python 2.11, `types/tool_union_param.py` and `types/tool_choice_*_param.py`).
"""

from typing import Any, Literal

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.anthropic_messages.blocks import CacheControl, mark_of
from providers.dialects.anthropic_messages.schemas import tool_schema
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.complaints import explain
from providers.dialects.conversation import CacheMark, HostedTool, Request, Tool, ToolCall, ToolChoice

_Mode = Literal["auto", "none", "required", "named"]
_MODES: dict[str, _Mode] = {"auto": "auto", "none": "none", "any": "required", "tool": "named"}
_TYPES = {mode: name for name, mode in _MODES.items()}
_NULL = msgspec.Raw(b"null")


class WireChoice(msgspec.Struct):
    """The `tool_choice` field."""

    type: str
    name: str = ""
    disable_parallel_tool_use: bool | None = None


class _Type(msgspec.Struct):
    type: str | None = None


class _Tool(msgspec.Struct):
    name: str
    description: str | None = None
    input_schema: msgspec.Raw = _NULL
    strict: bool | None = None
    cache_control: CacheControl | None = None


_type = msgspec.json.Decoder(_Type)
_tool = msgspec.json.Decoder(_Tool)


def read_tools(tools: list[msgspec.Raw]) -> tuple[Tool | HostedTool, ...]:
    """Return the tools of a request. Raises InvalidRequest that names the field."""
    return tuple(_read_tool(raw, f"tools[{position}]") for position, raw in enumerate(tools))


def read_choice(choice: WireChoice | None) -> tuple[ToolChoice | None, bool | None]:
    """Return which tools are to be called, and whether several at once may; None for what isn't said."""
    if choice is None:
        return None, None
    parallel = None if choice.disable_parallel_tool_use is None else not choice.disable_parallel_tool_use
    if choice.type not in _MODES or (choice.type == "tool" and not choice.name):
        message = f"tool_choice: {choice.type!r} is no choice, or names no tool"
        raise InvalidRequest(message, code="invalid_value", param="tool_choice")
    return ToolChoice(_MODES[choice.type], (choice.name,) if choice.type == "tool" else ()), parallel


def write_tools(request: Request, capabilities: Capabilities) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the fields that speak of tools, and the names of what could not be said.

    Raises InvalidRequest for a tool that another vendor runs.
    """
    marks = capabilities.has(Feature.CACHE_MARKS)
    if not capabilities.has(Feature.TOOLS):
        return {}, ("tools",) if request.tools else ()
    if not request.tools:
        return _write_called(request), ()
    strict = capabilities.has(Feature.JSON_SCHEMA)
    lost = tuple(
        f"tools[{position}].strict"
        for position, tool in enumerate(request.tools)
        if isinstance(tool, Tool) and tool.strict and not strict
    )
    tools = [
        _write_tool(tool, f"tools[{position}]", strict=strict, marks=marks)
        for position, tool in enumerate(request.tools)
        if _is_allowed(tool, request.tool_choice)
    ]
    choice, choice_lost = _write_choice(request, capabilities)
    return {"tools": tools} | ({"tool_choice": choice} if choice else {}), (*lost, *choice_lost)


def write_mark(mark: CacheMark) -> dict[str, str]:
    """Return the object that marks a block for the vendor's cache; five minutes need no saying."""
    return {"type": "ephemeral", "ttl": mark} if mark == "1h" else {"type": "ephemeral"}


def _read_tool(raw: msgspec.Raw, at: str) -> Tool | HostedTool:
    try:
        kind = _type.decode(raw).type
        if kind not in (None, "custom"):
            return HostedTool(Dialect.ANTHROPIC, kind or "", msgspec.Raw(bytes(raw)))
        wire = _tool.decode(raw)
    except msgspec.ValidationError as error:
        complaint = explain(error)
        param = f"{at}.{complaint.param}" if complaint.param else at
        raise InvalidRequest(f"{param}: {complaint.message}", code=complaint.code, param=param) from error
    return Tool(
        name=wire.name,
        description=wire.description or "",
        parameters=None if bytes(wire.input_schema) == b"null" else msgspec.Raw(bytes(wire.input_schema)),
        strict=wire.strict,
        cache=mark_of(wire.cache_control),
    )


def _write_called(request: Request) -> dict[str, Any]:
    """A history with tool calls needs their tools, which other vendors' clients need not repeat."""
    if request.dialect is Dialect.ANTHROPIC:
        return {}
    parts = (part for message in request.messages for part in message.parts)
    names = dict.fromkeys(part.name for part in parts if isinstance(part, ToolCall))
    if not names:
        return {}
    return {
        "tools": [{"name": name, "input_schema": tool_schema(None)} for name in names],
        "tool_choice": {"type": "none"},
    }


def _is_allowed(tool: Tool | HostedTool, choice: ToolChoice | None) -> bool:
    """Of several names to choose among there is no choice to write, so only their tools are."""
    return choice is None or len(choice.names) < 2 or (isinstance(tool, Tool) and tool.name in choice.names)


def _write_tool(tool: Tool | HostedTool, at: str, *, strict: bool, marks: bool) -> Any:
    if isinstance(tool, HostedTool):
        if tool.dialect is Dialect.ANTHROPIC:
            return tool.raw
        message = f"{at}: the model's vendor doesn't run the tool {tool.kind!r}"
        raise InvalidRequest(message, code="unsupported_content", param=at)
    written: dict[str, Any] = {"name": tool.name}
    if tool.description:
        written["description"] = tool.description
    written["input_schema"] = tool_schema(tool.parameters)
    if strict and tool.strict:
        written["strict"] = True
    if marks and tool.cache:
        written["cache_control"] = write_mark(tool.cache)
    return written


def _write_choice(request: Request, capabilities: Capabilities) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    choice = request.tool_choice
    written: dict[str, Any] | None = None
    if choice is not None:
        several = choice.mode == "named" and len(choice.names) != 1
        written = {"type": "any" if several else _TYPES[choice.mode]}
        if choice.mode == "named" and not several:
            written["name"] = choice.names[0]
    if request.parallel_tool_calls is not False or (choice is not None and choice.mode == "none"):
        return written, ()
    if not capabilities.has(Feature.PARALLEL_TOOLS):
        return written, ("parallel_tool_calls",)
    return (written or {"type": "auto"}) | {"disable_parallel_tool_use": True}, ()
