"""Requests are written such as the vendor takes them, and what is lost has its name."""

import json
from typing import Any

import msgspec
import pytest
from anthropic.types import MessageCreateParams
from hypothesis import given, settings
from pydantic import TypeAdapter

from providers.dialects.anthropic_messages.asking import encode_count_request, encode_request
from providers.dialects.anthropic_messages.request import decode_request
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.codec import Encoded, Upstream
from providers.dialects.conversation import Message, OutputFormat, Reasoning, Request, Text, Tool
from tests.providers.dialects.anthropic_messages.recorded import ANSWERS, body, cassette
from tests.providers.dialects.anthropic_messages.requests import REQUESTS, meaning

UPSTREAM = Upstream("m", Capabilities())
HI = (Message("user", (Text("hi"),)),)
PARAMS: TypeAdapter[Any] = TypeAdapter(MessageCreateParams)


def _encode(upstream: Upstream = UPSTREAM, **fields: Any) -> tuple[dict[str, Any], Encoded]:
    encoded = encode_request(Request(**({"model": "r", "messages": HI, "dialect": Dialect.OPENAI} | fields)), upstream)
    return json.loads(encoded.body), encoded


@settings(max_examples=40, deadline=None)
@given(REQUESTS)
def test_requests_of_the_dialect_come_back(request: Request) -> None:
    encoded = encode_request(request, UPSTREAM)
    assert (encoded.unsupported, encoded.ignored) == ((), ())
    assert meaning(decode_request(encoded.body)) == meaning(request)


@pytest.mark.parametrize("name", [name for name in ANSWERS if name != "usage_cache.json"])
def test_recorded_requests_come_back_and_are_the_vendor_s(name: str) -> None:
    recorded = cassette(name)["request"]
    encoded = encode_request(decode_request(body(recorded)), Upstream(recorded["model"], Capabilities()))
    PARAMS.validate_json(encoded.body)
    assert meaning(decode_request(encoded.body)) == meaning(decode_request(body(recorded)))
    assert (encoded.unsupported, encoded.ignored) == ((), ())


@settings(max_examples=40, deadline=None)
@given(REQUESTS)
def test_what_is_written_is_what_the_vendor_s_types_say(request: Request) -> None:
    foreign = msgspec.structs.replace(request, extras={})
    PARAMS.validate_json(encode_request(foreign, UPSTREAM).body)


@pytest.mark.parametrize(
    ("own", "cap", "most", "written"),
    [(50, None, 9, 50), (50, 20, 9, 20), (None, None, 9, 9), (None, None, None, 4096), (0, None, 9, 0)],
)
def test_there_is_always_a_limit(own: int | None, cap: int | None, most: int | None, written: int) -> None:
    upstream = Upstream("m", Capabilities(max_output_tokens=most), cap=cap)
    assert _encode(upstream, max_output_tokens=own)[0]["max_tokens"] == written


def test_what_is_lost_has_the_client_s_name_for_it() -> None:
    extras = {"logit_bias": msgspec.Raw(b'{"1": 2}'), "store": msgspec.Raw(b"true")}
    fields, encoded = _encode(
        extras=extras,
        seed=7,
        temperature=2,
        output_format=OutputFormat("json_object"),
        stop=("\n", "END"),
        user="ann@example.org",
        metadata={"a": "b"},
        messages=(Message("user", (Text("hi"),), name="Ann"),),
        reasoning=Reasoning(effort="high"),
        max_output_tokens=100,
    )
    assert encoded.unsupported == (
        *("reasoning_effort", "response_format", "temperature", "seed"),
        *("stop", "logit_bias"),
    )
    assert encoded.ignored == ("messages[0].name", "metadata", "user", "store")
    assert (fields["stop_sequences"], fields["temperature"]) == (["END"], 1)
    assert fields.keys() == {"model", "messages", "thinking", "max_tokens", "temperature", "stop_sequences"}


def test_names_follow_the_dialect() -> None:
    wishes: dict[str, Any] = {"reasoning": Reasoning(effort="low"), "output_format": OutputFormat("json_object")}
    poor = Upstream("m", Capabilities(features=frozenset()))
    assert _encode(poor, **wishes)[1].unsupported == ("reasoning_effort", "response_format")
    own = _encode(poor, dialect=Dialect.ANTHROPIC, stop=("x",), **wishes)[1].unsupported
    assert own == ("thinking", "output_config", "stop_sequences")
    assert _encode(poor, dialect=Dialect.GEMINI, top_p=0.5, **wishes)[1].unsupported[-1] == "generationConfig.topP"


def test_a_form_of_the_answer_is_closed() -> None:
    schema = msgspec.Raw(b'{"type":"object","properties":{}}')
    fields, encoded = _encode(output_format=OutputFormat("json_schema", "n", schema=schema))
    assert fields["output_config"]["format"]["schema"]["additionalProperties"] is False
    assert encoded.unsupported == ()


def test_who_asks_is_told_where_it_is_no_address() -> None:
    assert _encode(user="user-7")[0]["metadata"] == {"user_id": "user-7"}
    for doubtful in ("+49 30 1234", "4930123456", "a@b.c"):
        assert _encode(user=doubtful)[1].ignored == ("user",)


def test_marks_for_a_cache_that_isn_t_there() -> None:
    plain = Upstream("m", Capabilities(features=frozenset(Feature) - {Feature.CACHE_MARKS}))
    fields, encoded = _encode(
        plain, messages=(Message("user", (Text("hi", cache="5m"),)),), tools=(Tool("f", cache="1h"),)
    )
    assert encoded.ignored == ("cache_control",)
    assert b"cache_control" not in encoded.body
    assert fields["tools"][0]["name"] == "f"


def test_clouds_have_the_version_in_the_body() -> None:
    fields, _ = _encode(Upstream("m", Capabilities(), api_version="vertex-2023-10-16"), stream=True)
    assert (fields["anthropic_version"], fields["stream"], "model" in fields) == ("vertex-2023-10-16", True, False)
    fields, _ = _encode(Upstream("m", Capabilities(), api_version="bedrock-2026-10-21"), stream=True, temperature=0.5)
    assert fields.keys() == {"anthropic_version", "messages", "max_tokens"}


def test_own_fields_go_back_as_they_were() -> None:
    extras = {"output_config": msgspec.Raw(b'{"task_budget":9}'), "thinking": msgspec.Raw(b'{"type":"between_tools"}')}
    fields, _ = _encode(dialect=Dialect.ANTHROPIC, extras=extras, reasoning=Reasoning(effort="low"))
    assert fields["output_config"] == {"task_budget": 9, "effort": "low"}
    assert fields["thinking"] == {"type": "between_tools"}


def test_a_count_asks_for_nothing_but_the_prompt() -> None:
    request = decode_request(body(cassette("tools.json")["request"]))
    cloud = Upstream("claude", Capabilities(), cap=5, api_version="vertex-2023-10-16")
    fields = json.loads(encode_count_request(request, cloud).body)
    assert fields.keys() == {"model", "anthropic_version", "messages", "tools", "tool_choice"}
