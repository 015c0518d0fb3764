"""Tools, choices and forms of answers, both ways."""

import json
from typing import Any

import msgspec
import pytest

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import HostedTool, OutputFormat, Tool, ToolChoice
from providers.dialects.openai_chat.tools import (
    WireChoice,
    read_choice,
    read_format,
    read_tools,
    write_choice,
    write_format,
    write_tool,
)


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value, separators=(",", ":")).encode())


def test_a_tool_comes_back_as_it_was() -> None:
    tool = Tool("f", "what", _raw({"type": "object"}), strict=True, cache="1h")
    wire = msgspec.Raw(msgspec.json.encode(write_tool(tool, marked=True)))
    assert read_tools([wire], ()) == (tool,)
    assert "cache_control" not in write_tool(tool, marked=False)


def test_a_tool_of_another_kind_stays_as_it_is() -> None:
    wire = _raw({"type": "custom", "custom": {"name": "g"}})
    assert read_tools([wire], ()) == (HostedTool(Dialect.OPENAI, "custom", wire),)


def test_nothing_and_null_are_no_parameters() -> None:
    wires = [_raw({"type": "function", "function": {"name": "f", **more}}) for more in ({}, {"parameters": None})]
    assert read_tools(wires, ()) == (Tool("f"), Tool("f"))


TOOLS = (Tool("a"), Tool("b"))


@pytest.mark.parametrize(
    ("wire", "choice", "left"),
    [
        (None, None, TOOLS),
        ("auto", ToolChoice("auto"), TOOLS),
        ("any", ToolChoice("required"), TOOLS),
        ({"type": "function", "function": {"name": "a"}}, ToolChoice("named", ("a",)), TOOLS),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "b"}}]},
            },
            ToolChoice("required"),
            TOOLS[1:],
        ),
    ],
)
def test_reading_a_choice(wire: Any, choice: ToolChoice | None, left: tuple[Tool, ...]) -> None:
    given = msgspec.convert(wire, WireChoice) if isinstance(wire, dict) else wire
    assert read_choice(given, TOOLS) == (choice, left)


def test_writing_a_choice() -> None:
    assert write_choice(ToolChoice("none")) == "none"
    assert write_choice(ToolChoice("named", ("a",))) == {"type": "function", "function": {"name": "a"}}
    assert write_choice(ToolChoice("named", ("a", "b"))) == "required"


def test_a_form_needs_a_name() -> None:
    form = OutputFormat("json_schema", schema=_raw({"type": "object"}), description="d", strict=False)
    schema = write_format(form)["json_schema"]
    assert (schema["name"], schema["description"], schema["strict"]) == ("answer", "d", False)
    assert read_format(None) is None
