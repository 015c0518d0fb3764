"""A request comes out as it went in; its bytes change only where they must."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.codec import PathFacts, Upstream
from providers.dialects.conversation import Message, Request, Text, Tool, ToolResult
from providers.dialects.gemini_generate.codec import CHAT_BACK, CHAT_FRONT, CHAT_THROUGH
from tests.providers.dialects.gemini_generate import cassettes
from tests.providers.dialects.gemini_generate.requests import MODEL, PATH, UPSTREAM, raw, requests

ASK = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


def _bytes(**fields: Any) -> bytes:
    return json.dumps(ASK | fields).encode()


def _plain(request: Request) -> Request:
    """Return the request with its JSON as values, and results' names as the history has them."""

    def value(given: Any) -> Any:
        return json.loads(bytes(given)) if isinstance(given, msgspec.Raw) else given

    messages = tuple(
        msgspec.structs.replace(
            message,
            parts=tuple(
                msgspec.structs.replace(part, **{name: value(getattr(part, name)) for name in part.__struct_fields__})
                for part in message.parts
            ),
        )
        for message in request.messages
    )
    tools = tuple(
        msgspec.structs.replace(tool, **{name: value(getattr(tool, name)) for name in tool.__struct_fields__})
        for tool in request.tools
    )
    form = request.output_format
    return msgspec.structs.replace(
        request,
        messages=messages,
        tools=tools,
        output_format=form and msgspec.structs.replace(form, schema=value(form.schema)),
        extras={name: value(extra) for name, extra in request.extras.items()},
    )


def _joined(request: Request) -> Request:
    """Return the request with neighbouring turns of one role as one, as it travels."""
    messages: list[Message] = []
    for message in request.messages:
        if messages and messages[-1].role == message.role:
            messages[-1] = Message(message.role, (*messages[-1].parts, *message.parts))
        else:
            messages.append(message)
    return msgspec.structs.replace(request, messages=tuple(messages))


@given(requests())
def test_a_request_survives_the_wire(request: Request) -> None:
    encoded = CHAT_BACK.encode_request(request, UPSTREAM)
    assert (encoded.unsupported, encoded.ignored) == ((), ())
    CHAT_FRONT.decode_head(encoded.body, PATH)
    CHAT_FRONT.read_prompt(encoded.body)
    assert _plain(CHAT_FRONT.decode_request(encoded.body, PATH)) == _plain(_joined(request))


@pytest.mark.parametrize("name", cassettes.EXCHANGES)
def test_what_clients_send_is_read_and_written_again(name: str) -> None:
    request = CHAT_FRONT.decode_request(cassettes.request(name), PATH)
    again = CHAT_FRONT.decode_request(CHAT_BACK.encode_request(request, UPSTREAM).body, PATH)
    assert _plain(again) == _plain(request)


def test_the_head_has_what_routing_needs() -> None:
    body = _bytes(generation_config={"max_output_tokens": 7, "candidateCount": 2}, max_cost_usd=0.5)
    head = CHAT_FRONT.decode_head(body, PathFacts(model="models/m", stream=True))
    assert (head.model, head.stream, head.max_output_tokens, head.choices) == ("m", True, 7, 2)
    assert (head.max_cost_nanos, head.wants_stream_usage) == (500_000_000, True)


def test_a_model_in_the_body_serves_where_the_path_has_none() -> None:
    assert CHAT_FRONT.decode_head(_bytes(model="models/x"), PathFacts()).model == "x"
    assert CHAT_FRONT.decode_head(_bytes(model="models/x"), PathFacts(model="y")).model == "y"
    with pytest.raises(InvalidRequest):
        CHAT_FRONT.decode_head(_bytes(), PathFacts())


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"", "invalid_json", None),
        (b"{", "invalid_json", None),
        (b"[]", "invalid_json", None),
        (b"{}", "missing_required_parameter", "contents"),
        (b'{"contents": []}', "missing_required_parameter", "contents"),
        (b'{"contents": [{"parts": [{"text": 3}]}]}', "invalid_type", "contents[0].parts[0].text"),
        (_bytes(generationConfig={"maxOutputTokens": "x"}), "invalid_type", "generationConfig.maxOutputTokens"),
        (_bytes(generation_config={"top_p": "x"}), "invalid_type", "generation_config.top_p"),
        (_bytes(generationConfig={"maxOutputTokens": -1}), "invalid_value", "generationConfig.maxOutputTokens"),
        (_bytes(max_cost_usd="much"), "invalid_type", "max_cost_usd"),
        (_bytes(generationConfig={}, generation_config={}), "invalid_value", "generation_config"),
    ],
)
def test_a_bad_body_is_refused_by_name(body: bytes, code: str, param: str | None) -> None:
    with pytest.raises(InvalidRequest) as caught:
        CHAT_FRONT.decode_head(body, PATH)
    assert (caught.value.code, caught.value.param) == (code, param)


def test_nothing_to_change_leaves_the_bytes_alone() -> None:
    body = b' { "contents" : [{"role":"model","parts":{"text":"x"}}], "odd" : 1.0e3 } '
    head = CHAT_FRONT.decode_head(body, PATH)
    assert CHAT_THROUGH.patch(body, UPSTREAM, head=head, once=False) is body


def test_a_patch_sets_the_cap_and_keeps_every_other_value() -> None:
    body = (
        b'{"contents":[ {"parts":[]} ],"generation_config":{"max_output_tokens":9,"topP":1.0e0},"model":"a","big":1e99}'
    )
    head = CHAT_FRONT.decode_head(body, PATH)
    patched = CHAT_THROUGH.patch(body, Upstream(MODEL, Capabilities(), cap=5), head=head, once=False)
    assert json.loads(patched)["generationConfig"] == {"maxOutputTokens": 5, "topP": 1.0}
    assert b'"topP":1.0e0' in patched
    assert b'"big":1e99' in patched
    assert b'"model"' not in patched


def test_what_stood_twice_stands_once() -> None:
    body = b'{"contents":[{"parts":[]}],"generationConfig":{"maxOutputTokens":9,"maxOutputTokens":2},"contents":[{}]}'
    head = CHAT_FRONT.decode_head(body, PATH)
    patched = CHAT_THROUGH.patch(body, UPSTREAM, head=head, once=False)
    assert patched == b'{"contents":[{}],"generationConfig":{"maxOutputTokens":2}}'


def test_a_name_in_escapes_is_the_same_name() -> None:
    body = b'{"contents":[{}],"generationConfig":{"maxOutputTokens":9,"max\\u004futputTokens":2}}'
    head = CHAT_FRONT.decode_head(body, PATH)
    assert head.max_output_tokens == 2
    patched = CHAT_THROUGH.patch(body, UPSTREAM, head=head, once=False)
    assert patched == b'{"contents":[{}],"generationConfig":{"maxOutputTokens":2}}'


def test_the_gateway_s_own_field_does_not_go_on() -> None:
    body = _bytes(max_cost_usd=1)
    patched = CHAT_THROUGH.patch(body, UPSTREAM, head=CHAT_FRONT.decode_head(body, PATH), once=False)
    assert "max_cost_usd" not in json.loads(patched)


def test_what_cannot_be_said_is_named_as_the_client_names_it() -> None:
    request = Request(
        model="m",
        messages=(Message("user", (Text("x", cache="5m"),)),),
        dialect=Dialect.OPENAI,
        tools=(Tool("f"),),
        parallel_tool_calls=False,
        stop=tuple("abcdef"),
        seed=2**40,
        user="u",
        extras={"logit_bias": raw({"1": 2}), "store": raw(True)},
    )
    encoded = CHAT_BACK.encode_request(request, UPSTREAM)
    assert encoded.unsupported == ("stop", "seed", "parallel_tool_calls", "logit_bias")
    assert encoded.ignored == ("user", "cache_control", "store")
    assert json.loads(encoded.body)["generationConfig"] == {"stopSequences": list("abcde")}


def test_tools_are_left_out_where_the_model_has_none() -> None:
    request = Request("m", (Message("user", (Text("x"),)),), Dialect.OPENAI, tools=(Tool("f"),))
    upstream = Upstream(MODEL, Capabilities(features=frozenset(Feature) - {Feature.TOOLS}))
    encoded = CHAT_BACK.encode_request(request, upstream)
    assert encoded.unsupported == ("tools",)
    assert "tools" not in json.loads(encoded.body)


def test_a_result_finds_its_call() -> None:
    request = CHAT_FRONT.decode_request(cassettes.request("tools.json"), PATH)
    results = [part for part in request.messages[-1].parts if isinstance(part, ToolResult)]
    assert [(result.call_id, result.failed) for result in results] == [("call_1", False), ("call_2", True)]
