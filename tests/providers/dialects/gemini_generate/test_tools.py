import json

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.conversation import HostedTool, Request, Tool, ToolChoice
from providers.dialects.gemini_generate.tools import is_strict, read_choice, read_tools, write_choice, write_tools
from providers.dialects.gemini_generate.wire import CallingConfig, ToolConfig
from tests.providers.dialects.gemini_generate.requests import raw


def _request(*tools: Tool | HostedTool, choice: ToolChoice | None = None) -> Request:
    return Request("m", (), Dialect.OPENAI, tools=tools, tool_choice=choice)


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        (None, None),
        (ToolChoice("auto"), CallingConfig("AUTO")),
        (ToolChoice("none"), CallingConfig("NONE")),
        (ToolChoice("required"), CallingConfig("ANY")),
        (ToolChoice("named", ("f",)), CallingConfig("ANY", ["f"])),
        (ToolChoice("auto", ("f",)), CallingConfig("VALIDATED", ["f"])),
    ],
)
def test_a_choice_is_written_and_read(choice: ToolChoice | None, config: CallingConfig | None) -> None:
    assert write_choice(_request(Tool("f"), choice=choice)) == config
    assert read_choice(ToolConfig(config)) == choice


def test_calls_that_must_keep_to_their_schema_are_validated() -> None:
    config = write_choice(_request(Tool("f", strict=True)))
    assert config == CallingConfig("VALIDATED")
    assert is_strict(ToolConfig(config))
    assert is_strict(None) is None


def test_without_functions_there_is_nothing_to_choose() -> None:
    assert write_choice(_request(choice=ToolChoice("auto"))) is None


def test_functions_stand_together_and_google_s_own_tools_apart() -> None:
    tools = write_tools(_request(Tool("f"), HostedTool(Dialect.GEMINI, "googleSearch", raw({})), Tool("g")))
    assert tools is not None
    assert [list(tool) for tool in tools] == [["functionDeclarations"], ["googleSearch"]]
    assert [declaration.name for declaration in tools[0]["functionDeclarations"]] == ["f", "g"]


def test_another_vendor_s_tool_is_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        write_tools(_request(Tool("f"), HostedTool(Dialect.ANTHROPIC, "bash", raw({}))))
    assert (caught.value.code, caught.value.param) == ("unsupported_content", "tools[1]")


def test_either_kind_of_schema_is_read() -> None:
    declarations = raw(
        [{"name": "f", "parameters": {"type": "OBJECT"}}, {"name": "g", "parametersJsonSchema": {"type": "object"}}]
    )
    tools = read_tools([{"functionDeclarations": declarations, "codeExecution": raw({})}], strict=None)
    parameters = [json.loads(bytes(tool.parameters or b"")) for tool in tools if isinstance(tool, Tool)]
    assert parameters == [{"type": "object"}, {"type": "object"}]
    assert tools[2] == HostedTool(Dialect.GEMINI, "codeExecution", raw({}))
