"""A request as it goes out: botocore's validator takes every one, and what is lost is named."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.bedrock_converse.request import encode_request
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.codec import Upstream
from providers.dialects.conversation import OutputFormat, Request, Text, Tool
from tests.providers.dialects.bedrock_converse.botocore_model import complaints
from tests.providers.dialects.bedrock_converse.frames import cassette
from tests.providers.dialects.bedrock_converse.requests import (
    CLAUDE,
    LLAMA,
    MODELS,
    NOVA,
    REQUESTS,
    body_of,
    encode,
    user,
    without,
    write,
)

SCHEMA = msgspec.Raw(b'{"type":"object"}')


@given(REQUESTS, st.sampled_from(MODELS), st.none() | st.integers(1, 9000))
def test_every_request_is_one_to_botocore(request: Request, model: str, cap: int | None) -> None:
    body = body_of(encode_request(request, Upstream(model, Capabilities(), cap=cap)))
    assert complaints(body, model) == ""
    turns = body["messages"]
    assert [turn["role"] for turn in turns] == [("user", "assistant")[at % 2] for at in range(len(turns))]
    for turn in turns:
        assert turn["content"]
        for block in turn["content"]:
            assert len(block) == 1
            assert block.get("text", "x").strip()
    assert body.get("inferenceConfig", {}).get("maxTokens") == (cap or request.max_output_tokens)


@pytest.mark.parametrize("name", ["chat.json", "tools.json", "reasoning.json", "citations.json"])
def test_recorded_requests_are_ones_to_botocore(name: str) -> None:
    assert complaints(cassette(name)["request"]) == ""


def test_the_least() -> None:
    assert write() == {"messages": [{"role": "user", "content": [{"text": "hello"}]}]}


def test_inference() -> None:
    written = write(max_output_tokens=9, temperature=0.5, top_p=0.9, stop=("END", ""), model=LLAMA)
    assert written["inferenceConfig"] == {"maxTokens": 9, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]}


def test_the_gateways_cap_goes_before_the_clients() -> None:
    assert write(max_output_tokens=9, cap=7)["inferenceConfig"] == {"maxTokens": 7}


@pytest.mark.parametrize(
    ("model", "fields"),
    [(CLAUDE, {"top_k": 5}), (NOVA, {"inferenceConfig": {"topK": 5}})],
)
def test_top_k_where_a_family_has_it(model: str, fields: dict[str, Any]) -> None:
    assert write(model=model, top_k=5)["additionalModelRequestFields"] == fields


def test_top_k_where_none_has_it() -> None:
    encoded = encode(model=LLAMA, top_k=5)
    assert encoded.unsupported == ("top_k",)
    assert "additionalModelRequestFields" not in body_of(encoded)


def test_a_temperature_beyond_the_scale() -> None:
    encoded = encode(temperature=1.5)
    assert body_of(encoded)["inferenceConfig"] == {"temperature": 1.0}
    assert encoded.unsupported == ("temperature",)


def test_claude_takes_no_top_p_that_says_nothing() -> None:
    assert write(temperature=0.5, top_p=1)["inferenceConfig"] == {"temperature": 0.5}
    assert write(temperature=0.5, top_p=1, model=LLAMA)["inferenceConfig"] == {"temperature": 0.5, "topP": 1}


def test_claude_tells_which_sequence_ended_it() -> None:
    assert write(stop=("END",))["additionalModelResponseFieldPaths"] == ["/stop_sequence"]
    assert "additionalModelResponseFieldPaths" not in write(stop=("END",), model=LLAMA)


def test_claude_takes_no_sequences_of_mere_space() -> None:
    encoded = encode(stop=("\n\n", "END"))
    assert body_of(encoded)["inferenceConfig"]["stopSequences"] == ["END"]
    assert encoded.unsupported == ("stop",)
    assert write(stop=("\n\n",), model=LLAMA)["inferenceConfig"]["stopSequences"] == ["\n\n"]


@pytest.mark.parametrize(
    ("feature", "fields"),
    [
        (Feature.SAMPLING, {"temperature": 0.5}),
        (Feature.SAMPLING, {"top_p": 0.5}),
        (Feature.SAMPLING, {"top_k": 5}),
        (Feature.STOP, {"stop": ("a",)}),
    ],
)
def test_what_a_model_lacks_is_left_out_and_named(feature: Feature, fields: dict[str, Any]) -> None:
    encoded = encode(capabilities=without(feature), **fields)
    assert encoded.unsupported == tuple(fields)
    assert body_of(encoded).keys() - {"additionalModelResponseFieldPaths"} == {"messages"}


@pytest.mark.parametrize(
    "fields",
    [
        {"frequency_penalty": 0.1},
        {"presence_penalty": -0.1},
        {"seed": 0},
        {"n": 2},
        {"logprobs": True},
        {"top_logprobs": 3},
    ],
)
def test_what_converse_lacks_is_named(fields: dict[str, Any]) -> None:
    assert encode(**fields).unsupported == tuple(fields)


def test_what_says_nothing_is_not_named() -> None:
    write(n=1, frequency_penalty=0.0, presence_penalty=0, logprobs=False, output_format=OutputFormat("text"))


def test_what_does_not_matter_is_named_apart() -> None:
    encoded = encode(user="me", metadata={"a": "b"}, extras={"store": msgspec.Raw(b"true"), "logit_bias": SCHEMA})
    assert (encoded.unsupported, encoded.ignored) == (("logit_bias",), ("user", "metadata", "store"))


def test_the_clients_names_are_used() -> None:
    assert encode(seed=1, n=2, dialect=Dialect.GEMINI).unsupported == (
        "generationConfig.seed",
        "generationConfig.candidateCount",
    )
    assert encode(user="me", dialect=Dialect.ANTHROPIC).ignored == ("metadata.user_id",)


def test_a_schema_for_the_answer() -> None:
    wanted = OutputFormat("json_schema", "thing", schema=SCHEMA, strict=True)
    structure = {"jsonSchema": {"schema": '{"type":"object"}', "name": "thing"}}
    assert write(output_format=wanted)["outputConfig"] == {
        "textFormat": {"type": "json_schema", "structure": structure}
    }


@pytest.mark.parametrize(
    "wanted", [OutputFormat("json_object"), OutputFormat("json_schema"), OutputFormat("json_schema", schema=SCHEMA)]
)
def test_a_form_that_can_not_be_asked_for(wanted: OutputFormat) -> None:
    encoded = encode(output_format=wanted, capabilities=without(Feature.JSON_SCHEMA))
    assert encoded.unsupported == ("response_format",)
    assert "outputConfig" not in body_of(encoded)


def test_converses_own_fields_are_written_back() -> None:
    extras = {"guardrailConfig": msgspec.Raw(b'{"guardrailIdentifier": "x"}')}
    encoded = encode(dialect=Dialect.CONVERSE, extras=extras)
    assert b'"guardrailConfig":{"guardrailIdentifier": "x"}' in encoded.body


def test_all_of_it_together_is_one_to_botocore() -> None:
    written = write(
        user(Text("a", cache="1h")),
        tools=(Tool("t", "d", SCHEMA, strict=True, cache="5m"),),
        stop=("END",),
        temperature=0.1,
        output_format=OutputFormat("json_schema", "thing", "of that", SCHEMA),
    )
    assert complaints(written) == ""
    assert written["messages"][0]["content"] == [{"text": "a"}, {"cachePoint": {"type": "default", "ttl": "1h"}}]
