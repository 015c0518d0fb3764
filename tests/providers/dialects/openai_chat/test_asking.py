"""A request is written so that reading it again gives the same, and what can't be written is named."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

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
from providers.dialects.openai_chat.asking import encode_request
from providers.dialects.openai_chat.conversing import decode_request
from tests.providers.dialects.openai_chat import cassettes
from tests.providers.dialects.openai_chat.requests import requests

ALL = Upstream(model="m", capabilities=Capabilities())
NONE = Upstream(model="m", capabilities=Capabilities(features=frozenset()))


def _ask(dialect: Dialect = Dialect.ANTHROPIC, **fields: Any) -> Request:
    return Request(model="r", messages=(Message("user", (Text("hi"),)),), dialect=dialect, **fields)


def _write(request: Request, upstream: Upstream = ALL) -> dict[str, Any]:
    fields = json.loads(encode_request(request, upstream).body)
    assert isinstance(fields, dict)
    return fields


@given(requests())
def test_a_request_comes_back_as_it_was(request_: Request) -> None:
    encoded = encode_request(request_, ALL)
    assert (encoded.unsupported, encoded.ignored) == ((), ())
    assert decode_request(encoded.body) == request_


@pytest.mark.parametrize("name", ["chat.json", "tools.json"])
def test_recorded_requests_are_written_as_they_were(name: str) -> None:
    body = cassettes.read_request(name)
    given_ = json.loads(body)
    written = _write(decode_request(body), Upstream(model=given_["model"], capabilities=Capabilities()))
    last = given_["messages"][-1]
    if last["role"] == "tool":  # one text is written as a string
        last["content"] = last["content"][0]["text"]
    for field in ("stop",):
        assert written.get(field) == given_.get(field)
    assert written == given_


def test_what_the_model_can_not_do_is_left_out_and_named() -> None:
    request = _ask(
        Dialect.OPENAI,
        temperature=0.3,
        top_p=0.4,
        seed=1,
        n=2,
        stop=("x",),
        logprobs=True,
        presence_penalty=0.1,
        frequency_penalty=0.1,
        tools=(Tool("f"),),
        output_format=OutputFormat("json_object"),
        reasoning=Reasoning("high"),
    )
    encoded = encode_request(request, NONE)
    assert json.loads(encoded.body) == {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    assert set(encoded.unsupported) == {
        *("temperature", "top_p", "seed", "n", "stop", "logprobs", "presence_penalty", "frequency_penalty"),
        *("tools", "response_format", "reasoning_effort"),
    }


def test_what_stands_there_by_default_is_not_named() -> None:
    request = _ask(temperature=1.0, top_p=1, n=1, presence_penalty=0, reasoning=Reasoning(budget_tokens=0))
    assert encode_request(request, NONE).unsupported == ()


def test_fields_are_named_as_the_client_calls_them() -> None:
    request = _ask(top_k=5, stop=("x",), reasoning=Reasoning(budget_tokens=4000))
    assert set(encode_request(request, NONE).unsupported) == {"top_k", "stop_sequences", "thinking"}


@pytest.mark.parametrize(
    ("reasoning", "effort"),
    [
        (Reasoning("high"), "high"),
        (Reasoning(budget_tokens=1024), "low"),
        (Reasoning(budget_tokens=30_000), "xhigh"),
        (Reasoning(budget_tokens=0), None),
        (Reasoning(adaptive=True), None),
    ],
)
def test_a_budget_of_thinking_becomes_an_effort(reasoning: Reasoning, effort: str | None) -> None:
    assert _write(_ask(reasoning=reasoning)).get("reasoning_effort") == effort


def test_the_cap_stands_in_the_field_that_the_server_knows() -> None:
    upstream = Upstream(model="m", capabilities=Capabilities(), cap=5, cap_fields=("max_tokens",))
    assert _write(_ask(max_output_tokens=9), upstream)["max_tokens"] == 5
    assert _write(_ask(max_output_tokens=9))["max_completion_tokens"] == 9
    assert not {"max_tokens", "max_completion_tokens"} & _write(_ask()).keys()


def test_usage_is_asked_of_a_stream_only() -> None:
    upstream = Upstream(model="m", capabilities=Capabilities(), ask_usage=True)
    assert _write(_ask(stream=True), upstream)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in _write(_ask(), upstream)


def test_extras_of_another_dialect_are_sorted() -> None:
    extras = {"container": msgspec.Raw(b'"c"'), "service_tier": msgspec.Raw(b'"auto"')}
    encoded = encode_request(_ask(extras=extras, metadata={"a": "b"}), ALL)
    assert (encoded.unsupported, set(encoded.ignored)) == (("container",), {"service_tier", "metadata"})
    assert not {"container", "service_tier", "metadata"} & json.loads(encoded.body).keys()


def test_what_only_a_plain_completion_has_does_not_reach_a_chat() -> None:
    extras = {"suffix": msgspec.Raw(b'"s"'), "echo": msgspec.Raw(b"false")}
    encoded = encode_request(_ask(Dialect.OPENAI, extras=extras), ALL)
    assert encoded.unsupported == ("suffix",)
    assert not {"suffix", "echo"} & json.loads(encoded.body).keys()


def test_one_of_several_tools_is_asked_for_by_leaving_out_the_others() -> None:
    offered = (Tool("a"), Tool("b"), Tool("c"))
    written = _write(_ask(tools=offered, tool_choice=ToolChoice("named", ("a", "c"))))
    assert [tool["function"]["name"] for tool in written["tools"]] == ["a", "c"]
    assert written["tool_choice"] == "required"


def test_a_tool_that_another_vendor_runs_is_refused() -> None:
    tool = HostedTool(Dialect.ANTHROPIC, "web_search_20250305", msgspec.Raw(b"{}"))
    with pytest.raises(InvalidRequest) as caught:
        encode_request(_ask(tools=(tool,)), ALL)
    assert (caught.value.code, caught.value.param) == ("unsupported_content", "tools[0]")


def test_mistral_gets_its_own_spelling() -> None:
    upstream = Upstream(
        model="m", capabilities=Capabilities(), cap_fields=("max_tokens",), ask_usage=True, spelling="mistral"
    )
    request = _ask(
        Dialect.OPENAI,
        seed=3,
        user="u",
        stream=True,
        max_output_tokens=4,
        tools=(Tool("f"),),
        tool_choice=ToolChoice("required"),
        extras={"logit_bias": msgspec.Raw(b'{"1":2}'), "safe_prompt": msgspec.Raw(b"true")},
    )
    encoded = encode_request(request, upstream)
    written = json.loads(encoded.body)
    assert (written["random_seed"], written["tool_choice"], written["max_tokens"]) == (3, "any", 4)
    assert written["safe_prompt"] is True
    assert not {"seed", "user", "logit_bias", "stream_options"} & written.keys()
    assert (encoded.unsupported, encoded.ignored) == (("logit_bias",), ("user",))


def test_cache_marks_are_written_where_the_server_knows_them() -> None:
    message = Message("system", (Text("a", cache="1h"), Text("b")))
    request = Request(model="r", messages=(message,), dialect=Dialect.ANTHROPIC)
    marked = _write(request)["messages"][0]["content"]
    assert marked[0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    without = Upstream(model="m", capabilities=Capabilities(features=frozenset({Feature.SYSTEM})))
    encoded = encode_request(request, without)
    assert json.loads(encoded.body)["messages"][0]["content"] == "a\n\nb"
    assert encoded.ignored == ("cache_control",)
