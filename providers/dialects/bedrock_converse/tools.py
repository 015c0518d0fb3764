"""Writing the tools that a model may call: `toolConfig`, with its choice.

Converse has no word for calling none: without tools there is nothing to call. But it insists on tools where the history
calls any (the ValidationException says so), so they stay then, and the wish is reported.
"""

from typing import Any

import msgspec

from providers.dialects.bedrock_converse.content import ContentWriter
from providers.dialects.bedrock_converse.losses import Losses, refuse
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.conversation import HostedTool, Request, Tool

_ANYTHING = msgspec.Raw(b'{"type":"object","properties":{}}')


def write_tools(
    request: Request, writer: ContentWriter, capabilities: Capabilities, losses: Losses
) -> dict[str, Any] | None:
    """Return `toolConfig`, None for no tools. Raises InvalidRequest for a tool that another vendor runs.

    The messages have to be written before: what they call has to be declared.
    """
    if request.parallel_tool_calls is False and request.tools:
        losses.miss("parallel_tool_calls")
    if request.tools and not capabilities.has(Feature.TOOLS):
        losses.miss("tools")
        return None
    choice = request.tool_choice
    if choice is not None and choice.mode == "none":
        if not writer.called_tools:
            return None
        if request.tools:
            losses.miss("tool_choice")
    tools = _write_all(request, writer, capabilities, losses)
    if not tools:
        tools = [_write_spec(name, "", None) for name in writer.called_tools]
    if not tools:
        return None
    chosen = _write_choice(request)
    return {"tools": tools} if chosen is None else {"tools": tools, "toolChoice": chosen}


def forces_tools(request: Request) -> bool:
    """Tell whether the model has no choice but to call a tool."""
    return bool(request.tools) and request.tool_choice is not None and request.tool_choice.mode in ("required", "named")


def _write_all(request: Request, writer: ContentWriter, capabilities: Capabilities, losses: Losses) -> list[Any]:
    choice = request.tool_choice
    # Of several that may be called Converse can name none; the others go.
    only = choice.names if choice is not None and choice.mode == "named" and len(choice.names) > 1 else ()
    tools: list[Any] = []
    for number, tool in enumerate(request.tools):
        if isinstance(tool, HostedTool):
            tools.append(_write_hosted(tool, f"tools[{number}]"))
        elif not only or tool.name in only:
            tools.append(_write_tool(tool, number, capabilities, losses))
            tools += writer.mark(tool.cache)
    return tools


def _write_hosted(tool: HostedTool, param: str) -> msgspec.Raw:
    if tool.dialect is not Dialect.CONVERSE:
        raise refuse(f"only {tool.dialect.value} runs tools of the kind '{tool.kind}'", param)
    return tool.raw


def _write_tool(tool: Tool, number: int, capabilities: Capabilities, losses: Losses) -> dict[str, Any]:
    written = _write_spec(tool.name, tool.description, tool.parameters)
    if tool.strict and capabilities.has(Feature.JSON_SCHEMA):
        written["toolSpec"]["strict"] = True
    elif tool.strict:
        losses.miss(f"tools[{number}].strict")
    return written


def _write_spec(name: str, description: str, parameters: msgspec.Raw | None) -> dict[str, Any]:
    spec: dict[str, Any] = {"name": name, "inputSchema": {"json": _ANYTHING if parameters is None else parameters}}
    if description.strip():
        spec["description"] = description
    return {"toolSpec": spec}


def _write_choice(request: Request) -> dict[str, Any] | None:
    choice = request.tool_choice
    if choice is None or not forces_tools(request):
        return None
    return {"tool": {"name": choice.names[0]}} if len(choice.names) == 1 else {"any": {}}
