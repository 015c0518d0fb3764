"""A request of another dialect is written as far as the API can say it, and the rest is reported."""

import json
from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.codec import Upstream
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
from providers.dialects.openai_responses.outgoing import encode_request
from tests.providers.dialects.openai_responses.requests import UPSTREAM

HELLO = (Message("user", (Text("hi"),)),)
ALL = frozenset(Feature)


def _request(dialect: Dialect = Dialect.OPENAI, **fields: Any) -> Request:
    return Request(**({"model": "route", "messages": HELLO, "dialect": dialect} | fields))


def _body(request: Request, upstream: Upstream = UPSTREAM) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(encode_request(request, upstream).body)
    return body


def _without(*features: Feature) -> Upstream:
    return Upstream(model="m", capabilities=Capabilities(features=ALL - set(features)))


def test_a_plain_question() -> None:
    assert _body(_request(stream=True)) == {
        "model": "m",
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
        "stream": True,
        "store": False,
    }


def test_the_cap_that_was_reserved_stands_for_the_client_s() -> None:
    capped = Upstream(model="m", capabilities=Capabilities(), cap=5)
    assert _body(_request(max_output_tokens=9))["max_output_tokens"] == 9
    assert _body(_request(max_output_tokens=9), capped)["max_output_tokens"] == 5
    assert _body(_request(), capped)["max_output_tokens"] == 5


def test_the_first_system_message_is_the_instructions() -> None:
    messages = (Message("system", (Text("one"),)), Message("system", (Text("two"),)), *HELLO)
    body = _body(_request(messages=messages))
    assert body["instructions"] == "one"
    assert [item["role"] for item in body["input"]] == ["system", "user"]


def test_a_chat_s_tools_are_not_strict_unless_it_says_so() -> None:
    tools = (Tool("f"), Tool("g", "does g", msgspec.Raw(b'{"type":"object"}'), strict=True))
    f, g = _body(_request(tools=tools, tool_choice=ToolChoice("named", ("f",))))["tools"]
    assert f == {
        "type": "function",
        "name": "f",
        "parameters": {"type": "object", "properties": {}},
        "strict": False,
    }
    assert (g["strict"], g["description"]) == (True, "does g")
    [own] = _body(_request(Dialect.RESPONSES, tools=(Tool("f"),)))["tools"]
    assert own["strict"] is None


def test_several_named_tools_are_allowed_ones() -> None:
    body = _body(_request(tools=(Tool("f"),), tool_choice=ToolChoice("named", ("f", "g"))))
    assert body["tool_choice"]["mode"] == "required"
    assert [tool["name"] for tool in body["tool_choice"]["tools"]] == ["f", "g"]


@pytest.mark.parametrize(
    ("dialect", "names"),
    [
        (Dialect.OPENAI, ("frequency_penalty", "top_k", "seed", "stop", "n")),
        (
            Dialect.GEMINI,
            tuple(
                f"generationConfig.{name}"
                for name in ("frequencyPenalty", "topK", "seed", "stopSequences", "candidateCount")
            ),
        ),
    ],
)
def test_what_the_api_has_not_is_named_as_the_client_names_it(dialect: Dialect, names: tuple[str, ...]) -> None:
    request = _request(dialect, frequency_penalty=0.5, top_k=3, seed=4, stop=("x",), n=2)
    encoded = encode_request(request, UPSTREAM)
    assert encoded.unsupported == names
    assert json.loads(encoded.body).keys() == {"model", "input", "store"}


@pytest.mark.parametrize(
    ("feature", "fields", "missed"),
    [
        (Feature.SAMPLING, {"temperature": 0.5, "top_p": 0.5}, ("temperature", "top_p")),
        (Feature.LOGPROBS, {"logprobs": True, "top_logprobs": 2}, ("top_logprobs", "logprobs")),
        (Feature.TOOLS, {"tools": (Tool("f"),)}, ("tools",)),
        (Feature.PARALLEL_TOOLS, {"tools": (Tool("f"),), "parallel_tool_calls": False}, ("parallel_tool_calls",)),
        (Feature.JSON_OBJECT, {"output_format": OutputFormat("json_object")}, ("response_format",)),
        (Feature.REASONING, {"reasoning": Reasoning(effort="high")}, ("reasoning_effort",)),
        (Feature.REASONING, {"reasoning": Reasoning(budget_tokens=0)}, ()),
    ],
)
def test_what_the_model_has_not_is_left_out(feature: Feature, fields: dict[str, Any], missed: tuple[str, ...]) -> None:
    request = _request(**fields)
    assert encode_request(request, UPSTREAM).unsupported == ()
    encoded = encode_request(request, _without(feature))
    assert encoded.unsupported == missed
    assert not json.loads(encoded.body).keys() & {
        "temperature",
        "top_p",
        "top_logprobs",
        "include",
        "reasoning",
        "text",
    }


@pytest.mark.parametrize(
    ("asked", "wire"),
    [
        (Reasoning(budget_tokens=5000), {"effort": "medium"}),
        (Reasoning(budget_tokens=0), {"effort": "none"}),
        (Reasoning(effort="low", summary="detailed"), {"effort": "low", "summary": "detailed"}),
        (Reasoning(adaptive=True), None),
        (Reasoning(summary="none"), None),
    ],
)
def test_thought(asked: Reasoning, wire: dict[str, str] | None) -> None:
    assert _body(_request(Dialect.ANTHROPIC, reasoning=asked)).get("reasoning") == wire


def test_extras_of_a_chat_that_mean_the_same_are_kept() -> None:
    extras = {
        "store": msgspec.Raw(b"true"),
        "verbosity": msgspec.Raw(b'"low"'),
        "logit_bias": msgspec.Raw(b'{"1":2}'),
        "prediction": msgspec.Raw(b'{"type":"content"}'),
    }
    encoded = encode_request(_request(extras=extras, user="u", metadata={"a": "b"}), UPSTREAM)
    body = json.loads(encoded.body)
    assert (body["store"], body["text"], body["user"], body["metadata"]) == (
        True,
        {"verbosity": "low"},
        "u",
        {"a": "b"},
    )
    assert (encoded.unsupported, encoded.ignored) == (("logit_bias",), ("prediction",))


def test_another_vendor_s_hosted_tool_is_refused() -> None:
    tool = HostedTool(Dialect.ANTHROPIC, "web_search_20250305", msgspec.Raw(b"{}"))
    with pytest.raises(InvalidRequest) as caught:
        encode_request(_request(tools=(tool,)), UPSTREAM)
    assert (caught.value.code, caught.value.param) == ("unsupported_content", "tools[0]")


def test_marks_for_another_vendor_s_cache_are_named() -> None:
    marked = (Message("user", (Text("Hello.", cache="5m"),)),)
    assert encode_request(_request(Dialect.ANTHROPIC, messages=marked), UPSTREAM).ignored == ("cache_control",)
    assert encode_request(_request(Dialect.RESPONSES, messages=marked), UPSTREAM).ignored == ()
