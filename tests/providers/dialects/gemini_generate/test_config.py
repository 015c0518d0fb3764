import json
from typing import Any

import pytest

from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.codec import PathFacts, Upstream
from providers.dialects.conversation import Message, OutputFormat, Reasoning, Request, Text, Tool
from providers.dialects.gemini_generate.codec import CHAT_BACK, CHAT_FRONT
from tests.providers.dialects.gemini_generate.requests import raw

SCHEMA = {"type": "object", "$defs": {}}


def _write(
    *, without: tuple[Feature, ...] = (), cap: int | None = None, model: str = "gemini-2.5-flash", **fields: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    upstream = Upstream(model, Capabilities(features=frozenset(Feature) - set(without)), cap=cap)
    request = Request("m", (Message("user", (Text("x"),)),), Dialect.OPENAI, **fields)
    encoded = CHAT_BACK.encode_request(request, upstream)
    return json.loads(encoded.body).get("generationConfig", {}), encoded.unsupported


@pytest.mark.parametrize(
    ("fields", "without", "unsupported"),
    [
        ({"temperature": 1.0, "top_k": 3}, Feature.SAMPLING, ("temperature", "top_k")),
        ({"frequency_penalty": 1.0}, Feature.PENALTIES, ("frequency_penalty",)),
        ({"seed": 1}, Feature.SEED, ("seed",)),
        ({"stop": ("a",)}, Feature.STOP, ("stop",)),
        ({"n": 2}, Feature.CHOICES, ("n",)),
        ({"n": 1}, Feature.CHOICES, ()),
        ({"logprobs": True, "top_logprobs": 2}, Feature.LOGPROBS, ("logprobs",)),
        ({"reasoning": Reasoning(effort="low")}, Feature.REASONING, ("reasoning_effort",)),
        ({"reasoning": Reasoning(effort="none")}, Feature.REASONING, ()),
        ({"output_format": OutputFormat("json_object")}, Feature.JSON_OBJECT, ("response_format",)),
        ({"output_format": OutputFormat("json_schema", schema=raw({}))}, Feature.JSON_SCHEMA, ("response_format",)),
        ({"output_format": OutputFormat("text")}, Feature.JSON_SCHEMA, ()),
    ],
)
def test_what_the_model_has_not_is_left_out_and_named(
    fields: dict[str, Any], without: Feature, unsupported: tuple[str, ...]
) -> None:
    assert _write(without=(without,), **fields) == ({}, unsupported)
    assert _write(**fields)[1] == ()


def test_the_reserved_cap_goes_before_the_client_s() -> None:
    assert _write(max_output_tokens=9, cap=5)[0] == {"maxOutputTokens": 5}
    assert _write(max_output_tokens=9)[0] == {"maxOutputTokens": 9}


def test_a_json_schema_stays_as_it_is() -> None:
    written, _ = _write(output_format=OutputFormat("json_schema", name="n", schema=raw(SCHEMA)))
    assert written == {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}


def test_json_and_functions_go_together_from_the_third_generation_on() -> None:
    both = {"output_format": OutputFormat("json_object"), "tools": (Tool("f"),)}
    assert _write(**both) == ({}, ("response_format",))
    assert _write(model="gemini-3-pro", **both) == ({"responseMimeType": "application/json"}, ())


@pytest.mark.parametrize(
    ("config", "form"),
    [
        ({"responseMimeType": "application/json"}, OutputFormat("json_object")),
        ({"responseMimeType": "text/plain"}, None),
        (
            {"responseMimeType": "application/json", "_responseJsonSchema": {}},
            OutputFormat("json_schema", schema=raw({})),
        ),
        (
            {"response_mime_type": "application/json", "response_schema": {"type": "STRING"}},
            OutputFormat("json_schema", schema=raw({"type": "string"})),
        ),
    ],
)
def test_the_form_of_an_answer_is_read(config: dict[str, Any], form: OutputFormat | None) -> None:
    body = json.dumps({"contents": [{}], "generationConfig": config}).encode()
    assert CHAT_FRONT.decode_request(body, PathFacts(model="m")).output_format == form


def test_a_form_that_only_gemini_has_is_kept() -> None:
    config = {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["a"]}, "seed": 1}
    body = json.dumps({"contents": [{"parts": [{"text": "x"}]}], "generationConfig": config}).encode()
    request = CHAT_FRONT.decode_request(body, PathFacts(model="m"))
    assert request.output_format is None
    again = CHAT_BACK.encode_request(request, Upstream("m", Capabilities())).body
    assert json.loads(again)["generationConfig"] == config
