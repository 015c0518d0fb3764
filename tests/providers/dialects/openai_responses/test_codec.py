"""The dialect as a whole: round trips, recorded exchanges, and OpenAI's own types as judges."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Dialect, Usage
from providers.dialects.codec import PathFacts, Upstream
from providers.dialects.conversation import (
    Answer,
    Choice,
    Ended,
    Event,
    Failed,
    Finish,
    Message,
    Request,
    Text,
    Thinking,
    ToolCall,
)
from providers.dialects.openai_responses.codec import CHAT_BACK, CHAT_FRONT, CHAT_THROUGH, ERRORS
from tests.providers.dialects.openai_responses import cassettes
from tests.providers.dialects.openai_responses.answers import ASKED, answers, tell
from tests.providers.dialects.openai_responses.official import check_response, check_stream
from tests.providers.dialects.openai_responses.requests import UPSTREAM, requests
from tests.providers.dialects.streams import assemble, decode_all, every_split

PATH = PathFacts()
thorough = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _plain(value: Any) -> Any:
    return json.loads(msgspec.json.encode(value))


@given(requests)
@thorough
def test_a_request_comes_back_as_it_was_written(request_: Request) -> None:
    encoded = CHAT_BACK.encode_request(request_, UPSTREAM)
    assert (encoded.unsupported, encoded.ignored) == ((), ())
    assert _plain(CHAT_FRONT.decode_request(encoded.body, PATH)) == _plain(request_)


@given(answers)
@thorough
def test_an_answer_comes_back_as_it_was_written(answer: Answer) -> None:
    body = CHAT_FRONT.encode_answer(answer, ASKED)
    check_response(json.loads(body))
    decoded = CHAT_BACK.decode_answer(body)
    assert _plain(decoded.choices) == _plain(answer.choices)
    assert decoded.usage == answer.usage


@given(answers)
@thorough
def test_a_stream_tells_the_same_answer(answer: Answer) -> None:
    encoder = CHAT_FRONT.encoder(ASKED, lambda usage: b"0.5")
    data = b"".join(encoder.encode([event]) for event in tell(answer))
    told = check_stream(data)
    assembled = assemble(decode_all(CHAT_BACK.decoder(), [data]))
    assert _plain(assembled.choices) == _plain(answer.choices)
    assert assembled.usage == answer.usage
    whole = CHAT_BACK.decode_answer(json.dumps(told[-1]["response"]).encode())
    assert _plain(whole.choices) == _plain(answer.choices)


@pytest.mark.parametrize("name", cassettes.WHOLE_STREAMS)
def test_a_recorded_stream_tells_the_recorded_answer(name: str) -> None:
    streamed = assemble(decode_all(CHAT_BACK.decoder(), [cassettes.stream_of(name)]))
    whole = CHAT_BACK.decode_answer(cassettes.response_of(name))
    assert _plain(streamed.choices) == _plain(whole.choices)
    assert (streamed.id, streamed.model, streamed.usage) == (whole.id, whole.model, whole.usage)


@pytest.mark.parametrize("name", cassettes.STREAMS)
def test_however_it_is_cut_a_stream_tells_the_same(name: str) -> None:
    data = cassettes.stream_of(name)
    expected: list[Any] | None = None
    for pieces in every_split(data):
        events = [_comparable(event) for event in decode_all(CHAT_BACK.decoder(), pieces)]
        expected = expected or events
        assert events == expected


def _comparable(event: Event) -> Any:
    return (event.error.message, event.error.code) if isinstance(event, Failed) else event


@pytest.mark.parametrize("name", cassettes.WHOLE_STREAMS)
def test_recorded_answers_translate_into_ones_that_openai_s_types_take(name: str) -> None:
    answer = CHAT_BACK.decode_answer(cassettes.response_of(name))
    response = check_response(json.loads(CHAT_FRONT.encode_answer(answer, ASKED)))
    assert response.id == "resp_1"
    encoder = CHAT_FRONT.encoder(ASKED, lambda usage: None)
    check_stream(encoder.encode(decode_all(CHAT_BACK.decoder(), [cassettes.stream_of(name)])))


@pytest.mark.parametrize("name", cassettes.WHOLE_STREAMS)
def test_recorded_requests_are_read_and_written(name: str) -> None:
    body = cassettes.request_of(name)
    head = CHAT_FRONT.decode_head(body, PATH)
    assert head.model == "gpt-5.2"
    assert CHAT_FRONT.read_prompt(body).texts
    request = CHAT_FRONT.decode_request(body, PATH)
    again = CHAT_FRONT.decode_request(CHAT_BACK.encode_request(request, UPSTREAM).body, PATH)
    assert _plain(again) == _plain(msgspec.structs.replace(request, model="m"))


def test_usage_of_a_recorded_answer() -> None:
    facts = CHAT_THROUGH.read_facts(cassettes.response_of("usage"))
    assert facts.usage == Usage(input_tokens=1200, cached_input_tokens=1024, cache_write_tokens=100, output_tokens=50)
    assert facts.finish_reason == "stop"


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "unsupported_parameter", None),
        (401, "invalid_api_key", None),
        (404, "model_not_found", None),
        (429, "insufficient_quota", None),
        (500, "server_error", None),
    ],
)
def test_recorded_errors(status: int, code: str, retryable: bool | None) -> None:
    report = CHAT_BACK.read_error(status, lambda name: None, cassettes.response_of(f"error_{status}"))
    assert report is not None
    assert (report.code, report.retryable, report.own_envelope) == (code, retryable, True)


def test_where_nothing_must_change_the_bytes_are_the_client_s() -> None:
    body = cassettes.request_of("reasoning")
    head = CHAT_FRONT.decode_head(body, PATH)
    same = Upstream(model=head.model, capabilities=UPSTREAM.capabilities)
    assert CHAT_THROUGH.patch(body, same, head=head, once=False) is body
    other = Upstream(model="other", capabilities=UPSTREAM.capabilities, cap=7)
    changed = json.loads(CHAT_THROUGH.patch(body, other, head=head, once=False))
    assert changed == {**json.loads(body), "model": "other", "max_output_tokens": 7}


def test_a_cut_answer_is_never_whole() -> None:
    body = cassettes.response_of("chat")
    for cut in range(0, len(body), 50):
        with pytest.raises(UpstreamBroken):
            CHAT_BACK.decode_answer(body[:cut])
    data = cassettes.stream_of("chat")
    for cut in range(0, len(data) - 2, 97):
        events = decode_all(CHAT_BACK.decoder(), [data[:cut]])
        assert isinstance(events[-1], Failed)
        assert not [event for event in events if isinstance(event, Ended)]


def test_errors_go_out_in_openai_s_envelope() -> None:
    error = UpstreamBroken("cut", code="upstream_cut")
    said = json.loads(ERRORS.encode_error(error, request_id="req_1"))["error"]
    assert (ERRORS.status_of(error), said["code"], said["request_id"]) == (502, "upstream_cut", "req_1")
    assert said.keys() >= {"message", "type", "param", "code"}


def test_a_signature_comes_back_to_its_vendor_only() -> None:
    thought = Thinking("hm", signature="s1", dialect=Dialect.ANTHROPIC)
    call = ToolCall("call_1", "f", "{}", signature="s2", dialect=Dialect.GEMINI)
    answer = Answer((Choice((thought, Text("so"), call), Finish.TOOL_CALLS),))
    output = json.loads(CHAT_FRONT.encode_answer(answer, ASKED))["output"]
    body = json.dumps({"model": "m", "input": [{"role": "user", "content": "go on"}, *output]}).encode()
    request = CHAT_FRONT.decode_request(body, PATH)
    assert request.messages[1] == Message("assistant", (thought, Text("so"), call))
    items = json.loads(CHAT_BACK.encode_request(request, UPSTREAM).body)["input"]
    assert [item["type"] for item in items] == ["message", "message", "function_call"]
    head = CHAT_FRONT.decode_head(body, PATH)
    passed = json.loads(CHAT_THROUGH.patch(body, UPSTREAM, head=head, once=False))["input"]
    assert [item.get("type") for item in passed] == [None, "message", "function_call"]
