"""Requests are read whole, and a wrong field is named as the client spells it."""

from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.anthropic_messages.request import decode_request
from providers.dialects.canonical import Dialect
from providers.dialects.conversation import OutputFormat, Reasoning, Text, ToolChoice, ToolResult
from tests.providers.dialects.anthropic_messages.recorded import body, cassette

CHAT = {"model": "m", "max_tokens": 7, "messages": [{"role": "user", "content": "hi"}]}


def test_a_plain_chat() -> None:
    request = decode_request(body(cassette("chat.json")["request"]))
    assert [(message.role, message.parts) for message in request.messages] == [
        ("system", (Text("Answer in one word."),)),
        ("user", (Text("The capital of France?"),)),
    ]
    assert (request.dialect, request.max_output_tokens, request.stop, request.user) == (
        *(Dialect.ANTHROPIC, 256),
        *(("END",), "user-7"),
    )


def test_results_of_tools_stand_in_messages_of_their_own() -> None:
    request = decode_request(body(cassette("tools.json")["request"]))
    assert [message.role for message in request.messages] == ["user", "assistant", "tool", "user"]
    (result,) = request.messages[2].parts
    assert isinstance(result, ToolResult)
    assert (result.failed, len(result.parts)) == (True, 2)
    assert (request.tool_choice, request.parallel_tool_calls) == (ToolChoice("required"), False)


def test_reasoning_and_form_are_read() -> None:
    request = decode_request(body(cassette("reasoning.json")["request"]))
    assert request.reasoning == Reasoning(effort="high", budget_tokens=2048, summary="auto")
    wish = {"type": "json_schema", "schema": {"type": "object"}}
    for fields in ({"output_config": {"format": wish}}, {"output_format": wish}):
        found = decode_request(body(CHAT | fields)).output_format
        assert found == OutputFormat("json_schema", schema=msgspec.Raw(b'{"type": "object"}'))


def test_fields_that_only_this_dialect_has_are_kept_as_they_are() -> None:
    odd = {"container": "c", "thinking": {"type": "between_tools"}, "max_cost_usd": 1}
    request = decode_request(body(CHAT | odd | {"output_config": {"effort": "low", "task_budget": 9}}))
    assert {name: bytes(raw) for name, raw in request.extras.items()} == {
        "container": b'"c"',
        "thinking": b'{"type": "between_tools"}',
        "output_config": b'{"task_budget":9}',
    }


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"messages": [{"role": "robot", "content": "x"}]}, "invalid_value", "messages[0].role"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "missing_required_parameter",
            "messages[0].content[0].text",
        ),
        ({"messages": [{"role": "user", "content": 7}]}, "invalid_type", "messages[0].content"),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "tool_result", "tool_use_id": "t"}]}]},
            "invalid_tool_result",
            "messages[0].content",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_use", "id": "t", "name": "n", "input": {}}]}]},
            "invalid_value",
            "messages[0].content",
        ),
        ({"system": [{"type": "text", "text": 1}]}, "invalid_type", "system[0].text"),
        ({"thinking": {"type": "enabled", "budget_tokens": "x"}}, "invalid_type", "thinking.budget_tokens"),
        ({"output_config": {"effort": "huge"}}, "invalid_type", "output_config.effort"),
        ({"output_config": {"format": {"type": "yaml"}}}, "invalid_value", "output_config.format"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], code: str, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode_request(body(CHAT | fields))
    assert (caught.value.code, caught.value.param) == (code, param)
