"""A chat request is read in full, and a wrong field is refused by its path."""

import json
from typing import Any

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Image, OutputFormat, Reasoning, Source, Text, ToolChoice
from providers.dialects.openai_chat.conversing import decode_request
from tests.providers.dialects.openai_chat import cassettes

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def _body(**fields: Any) -> bytes:
    return json.dumps(CHAT | fields).encode()


def _said(part: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [part]}]}


def test_a_recorded_request() -> None:
    request = decode_request(cassettes.read_request("chat.json"))
    assert [message.role for message in request.messages] == ["developer", "user"]
    picture = Image(Source(data="iVBORw0KGgo=", media_type="image/png"), detail="low")
    assert request.messages[1].parts == (Text("What is this?"), picture)
    assert (request.max_output_tokens, request.temperature, request.seed, request.user) == (50, 0.5, 7, "u1")
    assert (request.stop, request.dialect, request.extras) == (("END",), Dialect.OPENAI, {})


def test_the_newer_limit_goes_before_the_older() -> None:
    assert decode_request(_body(max_tokens=7, max_completion_tokens=9)).max_output_tokens == 9
    assert decode_request(_body(max_tokens=0)).max_output_tokens is None


@pytest.mark.parametrize(
    ("fields", "reasoning"),
    [
        ({}, None),
        ({"reasoning_effort": "low"}, Reasoning("low")),
        ({"reasoning_effort": "max"}, Reasoning("xhigh")),
        ({"reasoning": {"effort": "high", "exclude": True}}, Reasoning("high", summary="none")),
        ({"reasoning": {"max_tokens": 2000}}, Reasoning(budget_tokens=2000)),
        ({"reasoning": {"enabled": True}}, Reasoning(adaptive=True)),
        ({"reasoning": {"enabled": False}}, Reasoning("none")),
    ],
)
def test_how_much_to_think(fields: dict[str, Any], reasoning: Reasoning | None) -> None:
    assert decode_request(_body(**fields)).reasoning == reasoning


def test_unknown_fields_stay_to_the_byte_and_the_gateway_s_own_do_not() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"a"}],"odd":1.0e3,"max_cost_usd":1,"stream_options":{}}'
    assert {name: bytes(raw) for name, raw in decode_request(body).extras.items()} == {"odd": b"1.0e3"}


def test_older_functions_are_tools() -> None:
    function = {"name": "f", "parameters": {"type": "object"}}
    request = decode_request(_body(functions=[function], function_call={"name": "f"}))
    assert [getattr(tool, "name", "") for tool in request.tools] == ["f"]
    assert request.tool_choice == ToolChoice("named", ("f",))


def test_a_choice_that_only_this_dialect_has_is_kept_beside() -> None:
    choice = {"type": "custom", "custom": {"name": "f"}}
    request = decode_request(_body(tool_choice=choice))
    assert request.tool_choice is None
    assert json.loads(bytes(request.extras["tool_choice"])) == choice


def test_the_form_of_the_answer() -> None:
    assert decode_request(_body(response_format={"type": "json_object"})).output_format == OutputFormat("json_object")


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"temperature": "hot"}, "invalid_type", "temperature"),
        ({"messages": []}, "invalid_value", "messages"),
        ({"messages": [{"role": "robot"}]}, "invalid_type", "messages[0].role"),
        (_said({"type": "text"}), "missing_required_parameter", "messages[0].content[0].text"),
        (_said({"type": "text", "text": 5}), "invalid_type", "messages[0].content[0].text"),
        (
            _said({"type": "image_url", "image_url": {"url": 5}}),
            "invalid_type",
            "messages[0].content[0].image_url.url",
        ),
        (_said(7), "invalid_type", "messages[0].content[0]"),
        (
            {"messages": [{"role": "tool", "content": "x"}]},
            "missing_required_parameter",
            "messages[0].tool_call_id",
        ),
        ({"tools": [{"type": "function"}]}, "missing_required_parameter", "tools[0].function"),
        ({"tool_choice": "sometimes"}, "invalid_value", "tool_choice"),
        ({"response_format": {"type": "poem"}}, "invalid_type", "response_format.type"),
        ({"stop": 5}, "invalid_type", "stop"),
        ({"reasoning_effort": "lots"}, "invalid_type", "reasoning_effort"),
    ],
)
def test_a_wrong_field_is_refused_by_name(fields: dict[str, Any], code: str, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode_request(_body(**fields))
    assert (caught.value.code, caught.value.param) == (code, param)
