"""Tools, the choice among them, and the few that have to be declared though nobody wants them called."""

from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect, Feature
from providers.dialects.conversation import HostedTool, Text, Tool, ToolCall, ToolChoice, ToolResult
from tests.providers.dialects.bedrock_converse.requests import assistant, body_of, encode, tool, user, without, write

SCHEMA = msgspec.Raw(b'{"type":"object","properties":{"a":{"type":"number"}}}')
TOOLS = (Tool("f", "does f", SCHEMA), Tool("g"))
NOTHING = {"json": {"type": "object", "properties": {}}}
HISTORY = (user(Text("q")), assistant(ToolCall("a", "f", "{}")), tool(ToolResult("a", (Text("1"),))))


def config(*messages: Any, **fields: Any) -> Any:
    return write(*messages, **fields).get("toolConfig")


def test_tools() -> None:
    assert config(tools=TOOLS) == {
        "tools": [
            {"toolSpec": {"name": "f", "description": "does f", "inputSchema": {"json": msgspec.json.decode(SCHEMA)}}},
            {"toolSpec": {"name": "g", "inputSchema": NOTHING}},
        ]
    }


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        (ToolChoice("auto"), None),
        (ToolChoice("required"), {"any": {}}),
        (ToolChoice("named", ("g",)), {"tool": {"name": "g"}}),
    ],
)
def test_choices(choice: ToolChoice, written: object) -> None:
    assert config(tools=TOOLS, tool_choice=choice).get("toolChoice") == written


def test_one_of_several() -> None:
    found = config(tools=(*TOOLS, Tool("h")), tool_choice=ToolChoice("named", ("f", "h")))
    assert [one["toolSpec"]["name"] for one in found["tools"]] == ["f", "h"]
    assert found["toolChoice"] == {"any": {}}


def test_no_tools_are_as_good_as_none_called() -> None:
    assert config(tools=TOOLS, tool_choice=ToolChoice("none")) is None
    assert config(tool_choice=ToolChoice("none")) is None
    assert config() is None


def test_a_history_keeps_its_tools() -> None:
    encoded = encode(*HISTORY, tools=TOOLS, tool_choice=ToolChoice("none"))
    assert encoded.unsupported == ("tool_choice",)
    found = body_of(encoded)["toolConfig"]
    assert len(found["tools"]) == 2
    assert "toolChoice" not in found


@pytest.mark.parametrize("choice", [None, ToolChoice("none"), ToolChoice("required")])
def test_a_history_whose_tools_nobody_names_any_more(choice: ToolChoice | None) -> None:
    assert config(*HISTORY, tool_choice=choice) == {"tools": [{"toolSpec": {"name": "f", "inputSchema": NOTHING}}]}


def test_marks_for_the_cache_follow_their_tool() -> None:
    found = config(tools=(Tool("f", cache="1h"), Tool("g")))["tools"]
    assert found[1] == {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert len(found) == 3


def test_strictness() -> None:
    assert config(tools=(Tool("f", strict=True),))["tools"][0]["toolSpec"]["strict"] is True
    encoded = encode(tools=(Tool("f", strict=True),), capabilities=without(Feature.JSON_SCHEMA))
    assert encoded.unsupported == ("tools[0].strict",)
    assert "strict" not in config(tools=(Tool("f", strict=False),))["tools"][0]["toolSpec"]


def test_a_model_without_tools() -> None:
    encoded = encode(tools=TOOLS, capabilities=without(Feature.TOOLS))
    assert encoded.unsupported == ("tools",)
    assert "toolConfig" not in body_of(encoded)


def test_calls_one_at_a_time_can_not_be_asked_for() -> None:
    assert encode(tools=TOOLS, parallel_tool_calls=False).unsupported == ("parallel_tool_calls",)
    write(tools=TOOLS, parallel_tool_calls=True)
    write(parallel_tool_calls=False)


def test_tools_that_a_vendor_runs() -> None:
    own = HostedTool(Dialect.CONVERSE, "systemTool", msgspec.Raw(b'{"systemTool":{"name":"nova_grounding"}}'))
    assert config(tools=(own,))["tools"] == [{"systemTool": {"name": "nova_grounding"}}]
    with pytest.raises(InvalidRequest) as caught:
        encode(tools=(TOOLS[0], HostedTool(Dialect.OPENAI, "web_search", msgspec.Raw(b"{}"))))
    assert (caught.value.code, caught.value.param) == ("unsupported_content", "tools[1]")
