"""Tools, which of them may be called, and the form of the answer: read and written.

OpenAI's specification 2.3.0. `functions` and `function_call` are the older names of `tools` and `tool_choice`.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import HostedTool, OutputFormat, Tool, ToolChoice
from providers.dialects.openai_chat.parts import ABSENT, CacheControl, Fields, decode_at, is_said, read_mark, write_mark

AnyTool = Tool | HostedTool


class WireDefinition(msgspec.Struct):
    """What a function is."""

    name: str
    description: str | None = None
    parameters: msgspec.Raw = ABSENT
    strict: bool | None = None


class _Tool(msgspec.Struct):
    function: WireDefinition
    cache_control: CacheControl | None = None


class _Kind(msgspec.Struct):
    type: str = "function"


class _Name(msgspec.Struct):
    name: str


class _NamedTool(msgspec.Struct):
    function: _Name | None = None


class _Allowed(msgspec.Struct):
    mode: Literal["auto", "required"]
    tools: list[_NamedTool]


class WireChoice(msgspec.Struct):
    """A `tool_choice` that is more than a word."""

    type: str = "function"
    function: _Name | None = None
    allowed_tools: _Allowed | None = None
    name: str = ""  # of the older function_call


class _Schema(msgspec.Struct):
    name: str = ""
    description: str | None = None
    schema: msgspec.Raw = ABSENT
    strict: bool | None = None


class WireFormat(msgspec.Struct):
    """A `response_format`."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: _Schema | None = None


_kind = msgspec.json.Decoder(_Kind)
_tool = msgspec.json.Decoder(_Tool)
_WORDS: dict[str, Literal["auto", "none", "required"]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
    "any": "required",
}


def read_tools(raws: Sequence[msgspec.Raw], functions: Sequence[WireDefinition]) -> tuple[AnyTool, ...]:
    """Return the tools. Raises InvalidRequest that names what is wrong."""
    tools = [_read_tool(raw, f"tools[{index}]") for index, raw in enumerate(raws)]
    return (*tools, *(_read_definition(definition) for definition in functions))


def read_choice(
    wire: str | WireChoice | None, tools: tuple[AnyTool, ...]
) -> tuple[ToolChoice | None, tuple[AnyTool, ...]]:
    """Return the choice, and the tools that it leaves. Raises KeyError for a choice that only this dialect has."""
    if wire is None:
        return None, tools
    if isinstance(wire, str):
        return ToolChoice(_WORDS[wire]), tools
    name = wire.function.name if wire.function else wire.name
    if name:
        return ToolChoice("named", (name,)), tools
    if wire.allowed_tools is None:
        raise KeyError(wire.type)
    names = {tool.function.name for tool in wire.allowed_tools.tools if tool.function}
    left = tuple(tool for tool in tools if isinstance(tool, HostedTool) or tool.name in names)
    return ToolChoice(wire.allowed_tools.mode), left


def read_format(wire: WireFormat | None) -> OutputFormat | None:
    """Return the form that the answer has to have."""
    if wire is None:
        return None
    schema = wire.json_schema
    if schema is None:
        return OutputFormat(wire.type)
    return OutputFormat(
        wire.type,
        name=schema.name,
        description=schema.description or "",
        schema=_copy(schema.schema),
        strict=schema.strict,
    )


def write_tool(tool: Tool, *, marked: bool) -> Fields:
    """Return a tool as this dialect writes it, with its cache mark where the server knows these."""
    definition: Fields = {"name": tool.name}
    if tool.description:
        definition["description"] = tool.description
    if tool.parameters is not None:
        definition["parameters"] = tool.parameters
    if tool.strict is not None:
        definition["strict"] = tool.strict
    return write_mark({"type": "function", "function": definition}, tool.cache if marked else "")


def write_choice(choice: ToolChoice) -> str | Fields:
    """Return the choice; where several are named, the others have to be left out of the tools."""
    if choice.mode != "named":
        return choice.mode
    if len(choice.names) == 1:
        return {"type": "function", "function": {"name": choice.names[0]}}
    return "required"


def write_format(form: OutputFormat) -> Fields:
    """Return the form of the answer."""
    if form.kind != "json_schema":
        return {"type": form.kind}
    schema: dict[str, Any] = {"name": form.name or "answer", "schema": form.schema}
    if form.description:
        schema["description"] = form.description
    if form.strict is not None:
        schema["strict"] = form.strict
    return {"type": "json_schema", "json_schema": schema}


def _read_tool(raw: msgspec.Raw, path: str) -> AnyTool:
    kind = decode_at(_kind, raw, path).type
    if kind != "function":
        return HostedTool(Dialect.OPENAI, kind, raw.copy())
    wire = decode_at(_tool, raw, path)
    return msgspec.structs.replace(_read_definition(wire.function), cache=read_mark(wire.cache_control))


def _read_definition(wire: WireDefinition) -> Tool:
    return Tool(wire.name, description=wire.description or "", parameters=_copy(wire.parameters), strict=wire.strict)


def _copy(raw: msgspec.Raw) -> msgspec.Raw | None:
    return raw.copy() if is_said(raw) else None
