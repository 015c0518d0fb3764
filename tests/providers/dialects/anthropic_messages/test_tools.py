"""Tools and their choice go both ways, and what can't be said is named."""

from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.anthropic_messages.tools import WireChoice, read_choice, read_tools, write_tools
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.conversation import HostedTool, Message, Request, Tool, ToolCall, ToolChoice
from tests.providers.dialects.anthropic_messages.recorded import body, cassette

ALL = Capabilities()
TOOL = Tool("f", "does f", msgspec.Raw(b'{"type":"object"}'))


def _without(*features: Feature) -> Capabilities:
    return Capabilities(features=frozenset(Feature) - set(features))


def _request(*tools: Any, dialect: Dialect = Dialect.OPENAI, **fields: Any) -> Request:
    return Request(model="m", messages=fields.pop("messages", ()), dialect=dialect, tools=tools, **fields)


def test_tools_of_a_request_are_read() -> None:
    own, clock, hosted = read_tools([msgspec.Raw(body(tool)) for tool in cassette("tools.json")["request"]["tools"]])
    assert isinstance(own, Tool)
    assert (own.name, own.description, own.cache) == ("weather", "The weather of a place.", "5m")
    assert isinstance(clock, Tool)
    assert isinstance(hosted, HostedTool)
    assert hosted.kind == "web_search_20250305"


@pytest.mark.parametrize(
    ("tool", "param"),
    [({"name": 1}, "tools[0].name"), ({}, "tools[0].name"), ({"type": 7}, "tools[0].type"), (1, "tools[0]")],
)
def test_a_wrong_tool_is_named(tool: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_tools([msgspec.Raw(body(tool))])
    assert caught.value.param == param


def test_choices_are_read() -> None:
    assert read_choice(None) == (None, None)
    assert read_choice(WireChoice("any", disable_parallel_tool_use=True)) == (ToolChoice("required"), False)
    assert read_choice(WireChoice("tool", "f")) == (ToolChoice("named", ("f",)), None)
    for wrong in (WireChoice("tool"), WireChoice("some")):
        with pytest.raises(InvalidRequest):
            read_choice(wrong)


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("required"), False, {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice("named", ("f",)), None, {"type": "tool", "name": "f"}),
        (ToolChoice("none"), False, {"type": "none"}),
    ],
)
def test_choices_are_written(choice: ToolChoice | None, parallel: bool | None, expected: Any) -> None:
    fields, lost = write_tools(_request(TOOL, tool_choice=choice, parallel_tool_calls=parallel), ALL)
    assert (fields.get("tool_choice"), lost) == (expected, ())


def test_one_of_several_tools_is_told_by_leaving_out_the_others() -> None:
    names = ToolChoice("named", ("f", "g"))
    fields, lost = write_tools(_request(TOOL, Tool("g"), Tool("h"), tool_choice=names), ALL)
    assert ([tool["name"] for tool in fields["tools"]], fields["tool_choice"], lost) == (
        ["f", "g"],
        {"type": "any"},
        (),
    )


def test_what_can_t_be_said_is_named() -> None:
    strict = Tool("f", strict=True, cache="1h")
    request = _request(Tool("e"), strict, parallel_tool_calls=False)
    fields, lost = write_tools(request, _without(Feature.JSON_SCHEMA, Feature.PARALLEL_TOOLS, Feature.CACHE_MARKS))
    assert lost == ("tools[1].strict", "parallel_tool_calls")
    assert [set(tool) for tool in fields["tools"]] == [{"name", "input_schema"}] * 2
    assert write_tools(request, _without(Feature.TOOLS)) == ({}, ("tools",))
    full, _ = write_tools(request, ALL)
    assert full["tools"][1]["strict"] is True
    assert full["tools"][1]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


def test_a_tool_that_another_vendor_runs_is_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        write_tools(_request(TOOL, HostedTool(Dialect.RESPONSES, "file_search", msgspec.Raw(b"{}"))), ALL)
    assert (caught.value.code, caught.value.param) == ("unsupported_content", "tools[1]")


def test_a_history_with_calls_gets_the_tools_that_were_called() -> None:
    history = (Message("assistant", (ToolCall("1", "f", "{}"), ToolCall("2", "f", "{}"))),)
    fields, lost = write_tools(_request(messages=history), ALL)
    assert ([tool["name"] for tool in fields["tools"]], fields["tool_choice"], lost) == (["f"], {"type": "none"}, ())
    assert write_tools(_request(messages=history, dialect=Dialect.ANTHROPIC), ALL) == ({}, ())
