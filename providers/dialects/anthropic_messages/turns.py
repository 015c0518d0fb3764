"""Whose turn it is: Anthropic's strict order of messages, out of any order that other dialects allow.

User and assistant take turns, so neighbours of one role become one message. The results of tools are the user's and
stand before all else. What was said at the system's post before the first turn is the `system` field; later words of it
keep their place where the API knows such messages (2026-10-21), else they join the field.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.anthropic_messages.content import Page, refuse, write_parts
from providers.dialects.anthropic_messages.versions import body_version
from providers.dialects.canonical import Dialect, Feature
from providers.dialects.codec import Upstream
from providers.dialects.conversation import Message, Request, Role, Text, ToolCall, ToolResult

_WIRE_ROLES: dict[Role, Role] = {"developer": "system", "tool": "user"}
_PAGES: tuple[Role, ...] = ("system", "user", "assistant")


class Turn(msgspec.Struct):
    """One message on the wire."""

    role: Role
    content: list[Any]


def write_turns(request: Request, upstream: Upstream) -> tuple[list[Any], list[Turn]]:
    """Return the blocks of the `system` field, and the messages.

    A request of nothing but system messages becomes the user's, for there has to be a message. Raises InvalidRequest
    for content that the model can't take, and where nothing is left to say.
    """
    _require_known_calls(request.messages)
    _require_prefill(request, upstream)
    strict = body_version(upstream.api_version).strict
    own = request.dialect is Dialect.ANTHROPIC
    pages = {role: Page(role, upstream.capabilities, own=own, strict=strict) for role in _PAGES}
    system: list[Any] = []
    turns: list[Turn] = []
    for number, message in enumerate(request.messages):
        role = _WIRE_ROLES.get(message.role, message.role)
        content = write_parts(message.parts, pages[role], f"messages[{number}].content")
        if role == "system" and not (strict and turns):
            system += content
        elif content:
            _take_turn(turns, role, content)
    if not turns:
        turns, system = [Turn("user", system)], []
    if turns[-1].role == "assistant" and not own:
        _trim_end(turns[-1].content)
    if not turns[0].content:
        raise InvalidRequest("messages hold nothing to answer", code="invalid_value", param="messages")
    return system, [Turn(turn.role, _results_first(turn.content)) for turn in turns]


def _take_turn(turns: list[Turn], role: Role, content: list[Any]) -> None:
    if turns and turns[-1].role == role:
        turns[-1].content += content
    else:
        turns.append(Turn(role, content))


def _trim_end(content: list[Any]) -> None:
    """White space at the end of a message that the model goes on with is refused by the vendor."""
    if content and isinstance(content[-1], dict) and content[-1]["type"] == "text":
        content[-1]["text"] = content[-1]["text"].rstrip()


def _results_first(content: list[Any]) -> list[Any]:
    return content if len(content) == 1 else sorted(content, key=lambda block: not _is_result(block))


def _is_result(block: Any) -> bool:
    return isinstance(block, dict) and block["type"] == "tool_result"


def _require_known_calls(messages: Sequence[Message]) -> None:
    """The vendor refuses the result of a call that was never made."""
    known: set[str] = set()
    for number, message in enumerate(messages):
        for position, part in enumerate(message.parts):
            if isinstance(part, ToolCall):
                known.add(part.id)
            elif isinstance(part, ToolResult) and part.call_id not in known:
                at = f"messages[{number}].content[{position}]"
                text = f"{at}: no tool call before it has the id {part.call_id!r}"
                raise InvalidRequest(text, code="invalid_tool_result", param=at)


def _require_prefill(request: Request, upstream: Upstream) -> None:
    last = request.messages[-1] if request.messages else None
    if last is None or last.role != "assistant" or upstream.capabilities.has(Feature.PREFILL):
        return
    if any(isinstance(part, Text) for part in last.parts):
        at = f"messages[{len(request.messages) - 1}]"
        raise refuse("the model can't go on with an assistant's message; the last one has to be the user's", at)
