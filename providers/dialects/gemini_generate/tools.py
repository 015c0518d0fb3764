"""Functions that may be called, tools that Google runs itself, and whether any of them is to be called."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.complaints import decode
from providers.dialects.conversation import HostedTool, Request, Tool, ToolChoice
from providers.dialects.gemini_generate.schemas import to_json_schema
from providers.dialects.gemini_generate.wire import (
    ABSENT,
    DECLARATIONS_DECODER,
    CallingConfig,
    Declaration,
    ToolConfig,
    is_given,
)

_DECLARATIONS = "functionDeclarations"


def read_tools(wire: Iterable[Mapping[str, msgspec.Raw]], *, strict: bool | None) -> tuple[Tool | HostedTool, ...]:
    """Return the tools; `strict` tells that calls are held to their schemas. Raises InvalidRequest."""
    tools: list[Tool | HostedTool] = []
    for members in wire:
        for kind, raw in members.items():
            if kind != _DECLARATIONS:
                tools.append(HostedTool(Dialect.GEMINI, kind, raw))
            elif is_given(raw):
                declarations = decode(DECLARATIONS_DECODER, bytes(raw))
                tools += [_read_declaration(declaration, strict) for declaration in declarations]
    return tuple(tools)


def read_choice(wire: ToolConfig | None) -> ToolChoice | None:
    """Return whether functions are to be called; None where nothing is said."""
    calling = wire.function_calling_config if wire is not None else None
    if calling is None or not calling.mode:
        return None
    names = tuple(calling.allowed_function_names or ())
    match calling.mode.upper():
        case "NONE":
            return ToolChoice("none")
        case "ANY":
            return ToolChoice("named", names) if names else ToolChoice("required")
        case _:
            return ToolChoice("auto", names)


def is_strict(wire: ToolConfig | None) -> bool | None:
    """Return True where calls are held to their schemas without being forced; None where nothing is said of it."""
    calling = wire.function_calling_config if wire is not None else None
    return True if calling is not None and (calling.mode or "").upper() == "VALIDATED" else None


def write_tools(request: Request) -> list[dict[str, Any]] | None:
    """Return `tools`, all functions in one. Raises InvalidRequest for a tool that another vendor runs."""
    declarations = [_write_declaration(tool) for tool in request.tools if isinstance(tool, Tool)]
    tools: list[dict[str, Any]] = [{_DECLARATIONS: declarations}] if declarations else []
    for place, tool in enumerate(request.tools):
        if isinstance(tool, HostedTool):
            if tool.dialect is not Dialect.GEMINI:
                message = f"the model has no tool {tool.kind}; another vendor runs it"
                raise InvalidRequest(message, code="unsupported_content", param=f"tools[{place}]")
            tools.append({tool.kind: tool.raw})
    return tools or None


def write_choice(request: Request) -> CallingConfig | None:
    """Return `functionCallingConfig`; None where the vendor's default says the same, or there is nothing to call.

    VALIDATED is the mode that holds calls to their schemas without forcing one (google-genai 3.4's types).
    """
    functions = [tool for tool in request.tools if isinstance(tool, Tool)]
    choice = request.tool_choice or ToolChoice("auto")
    if choice.mode in ("required", "named"):
        return CallingConfig(mode="ANY", allowed_function_names=list(choice.names) or None)
    if not functions:
        return None
    if choice.mode == "none":
        return CallingConfig(mode="NONE")
    if choice.names or any(tool.strict for tool in functions):
        return CallingConfig(mode="VALIDATED", allowed_function_names=list(choice.names) or None)
    return CallingConfig(mode="AUTO") if request.tool_choice is not None else None


def _read_declaration(wire: Declaration, strict: bool | None) -> Tool:
    parameters = None
    if is_given(wire.parameters_json_schema):
        parameters = wire.parameters_json_schema
    elif is_given(wire.parameters):
        parameters = to_json_schema(wire.parameters)
    return Tool(name=wire.name, description=wire.description or "", parameters=parameters, strict=strict)


def _write_declaration(tool: Tool) -> Declaration:
    return Declaration(
        name=tool.name,
        description=tool.description or None,
        parameters_json_schema=ABSENT if tool.parameters is None else tool.parameters,
    )
