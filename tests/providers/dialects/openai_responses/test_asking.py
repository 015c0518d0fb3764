"""A request is read field by field; what the hub has no place for stays, and what is wrong is named."""

import json
from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.conversation import (
    HostedTool,
    Message,
    OutputFormat,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolChoice,
)
from providers.dialects.openai_responses.asking import decode_request


def _read(**fields: Any) -> Request:
    return decode_request(json.dumps({"model": "m", "input": "hi", **fields}).encode())


def test_a_text_is_the_user_s() -> None:
    request = _read(instructions="Be brief.")
    assert request.messages == (Message("system", (Text("Be brief."),)), Message("user", (Text("hi"),)))
    assert (request.model, request.dialect, request.stream) == ("m", Dialect.RESPONSES, False)


def test_tools_are_functions_or_the_vendor_s_own() -> None:
    schema = {"type": "object"}
    function = {"type": "function", "name": "f", "parameters": schema, "strict": True, "description": None}
    function_read, search = _read(tools=[function, {"type": "web_search"}]).tools
    assert function_read == Tool("f", parameters=msgspec.Raw(b'{"type": "object"}'), strict=True)
    assert isinstance(search, HostedTool)
    assert (search.kind, search.dialect) == ("web_search", Dialect.RESPONSES)


@pytest.mark.parametrize(
    ("wire", "choice"),
    [
        ("auto", ToolChoice("auto")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "f"}, ToolChoice("named", ("f",))),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]},
            ToolChoice("named", ("f",)),
        ),
    ],
)
def test_choices_that_the_hub_has(wire: Any, choice: ToolChoice) -> None:
    request = _read(tool_choice=wire)
    assert request.tool_choice == choice
    assert "tool_choice" not in request.extras


@pytest.mark.parametrize(
    "wire",
    [
        {"type": "web_search"},
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "mcp", "server_label": "x"}]},
    ],
)
def test_choices_that_only_the_dialect_has_are_kept(wire: Any) -> None:
    request = _read(tool_choice=wire)
    assert request.tool_choice is None
    assert json.loads(bytes(request.extras["tool_choice"])) == wire


def test_formats_and_thought() -> None:
    text = {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}, "verbosity": "low"}
    request = _read(text=text, reasoning={"effort": "max", "summary": "auto", "mode": "pro"})
    assert request.output_format == OutputFormat("json_schema", "n", schema=msgspec.Raw(b'{"type": "object"}'))
    assert request.reasoning == Reasoning(effort="xhigh", summary="auto")
    assert request.extras == {"verbosity": msgspec.Raw(b'"low"'), "reasoning": msgspec.Raw(b'{"mode":"pro"}')}


def test_logprobs_are_asked_for_by_include() -> None:
    request = _read(include=["message.output_text.logprobs"], top_logprobs=3)
    assert (request.logprobs, request.top_logprobs) == (True, 3)


def test_unknown_fields_stay_and_resolved_ones_go() -> None:
    request = _read(odd=1.0, store=False, previous_response_id="resp_0", max_cost_usd=1, conversation=None)
    assert request.extras == {"odd": msgspec.Raw(b"1.0"), "store": msgspec.Raw(b"false")}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": "hot"}, "temperature"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"text": {"format": {"type": "yaml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.schema"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [7]}, "tools[0]"),
        ({"tool_choice": "never"}, "tool_choice"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
        ({"input": [{"role": "user", "content": 3}]}, "input[0].content"),
        ({"background": True}, "background"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _read(**fields)
    assert caught.value.param == param
