"""What passes through is not touched: bodies, answers and streams, byte for byte, both ways."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.services.declared import CREDENTIAL
from tests.services.gateway import Gateway
from tests.services.upstreams import MockUpstream, ScriptedUpstream

pytestmark = pytest.mark.e2e
CHAT = "/v1/chat/completions"
# Spellings that a decoder and an encoder between client and upstream would not give back.
ODD_VALUES = (
    b'"temperature": 1.0, "seed":12345678901234567890123, "odd":1e-7, "big":1e300, "text":"\\u00e9\\/", '
    b'"nested" : {"b":1,  "a":[1.50, -0, null, {}]}, "messages": [ {"role":"user","content":"Hi","x":1} ]'
)


def sse(*events: bytes) -> bytes:
    return b"".join(b"data: " + event + b"\n\n" for event in events)


def chunk(text: str, finish: str | None = None, **extra: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return json.dumps({"id": "c1", "object": "chat.completion.chunk", "choices": [choice], **extra}).encode()


STREAM = {"model": "scripted", "stream": True, "messages": [{"role": "user", "content": "x"}]}
STREAM_WITH_USAGE = STREAM | {"stream_options": {"include_usage": True}}
USAGE = b'{"id":"c1","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,"odd":1.50}}'


def test_a_body_whose_model_agrees_is_not_touched(gateway: Gateway, remote: MockUpstream) -> None:
    body = b'{ "model" :\t"agreed",\n' + ODD_VALUES + b" }\n"
    answer = gateway.post(CHAT, body, x_request_id="untouched")
    assert answer.status_code == 200, answer.text
    assert remote.wait_for("untouched")["raw"] == body


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/embeddings"])
def test_so_are_those_of_the_other_operations(gateway: Gateway, remote: MockUpstream, path: str) -> None:
    field = b"prompt" if path == "/v1/completions" else b"input"
    body = b'{ "model":"agreed" , "' + field + b'" : "\\u0041",  "unknown": [1.0] }'
    answer = gateway.post(path, body, x_request_id=f"untouched{path}")
    assert answer.status_code == 200, answer.text
    entry = remote.wait_for(f"untouched{path}")
    assert (entry["path"], entry["raw"]) == (path, body)


def test_another_model_changes_only_that(gateway: Gateway, remote: MockUpstream) -> None:
    body = b'{"model":"remote", ' + ODD_VALUES + b"}"
    assert gateway.post(CHAT, body, x_request_id="renamed").status_code == 200
    raw = remote.wait_for("renamed")["raw"]
    assert json.loads(raw) == json.loads(body) | {"model": "mock-small"}
    for value in (b"1.0", b"12345678901234567890123", b"1e300", b'"\\u00e9\\/"', b'{"b":1,  "a":[1.50, -0, null, {}]}'):
        assert value in raw


def test_a_model_named_twice_is_the_one_that_was_authorised(gateway: Gateway, remote: MockUpstream) -> None:
    sly = b'{"model":"mock-large","messages":[{"role":"user","content":"Hi"}],"mod\\u0065l":"remote"}'
    assert gateway.post(CHAT, sly, key="narrow", x_request_id="sly").status_code == 200
    raw = remote.wait_for("sly")["raw"]
    assert json.loads(raw)["model"] == "mock-small"
    assert b"mock-large" not in raw


def test_the_virtual_key_is_swapped_for_the_providers_credential(gateway: Gateway, remote: MockUpstream) -> None:
    answer = gateway.chat(model="remote", request_id="swapped")
    assert answer.status_code == 200
    entry = remote.wait_for("swapped")
    assert entry["headers"]["authorization"] == f"Bearer {CREDENTIAL}"
    assert gateway.keys["main"] not in json.dumps({**entry, "raw": entry["raw"].decode()})


@pytest.mark.parametrize("header", ["api-key", "x-api-key", "x-goog-api-key"])
def test_whichever_header_carries_the_key(gateway: Gateway, remote: MockUpstream, header: str) -> None:
    body = {"model": "remote", "messages": [{"role": "user", "content": "Hi"}]}
    answer = gateway.http.post(CHAT, json=body, headers={header: gateway.keys["main"], "x-request-id": header})
    assert answer.status_code == 200
    headers = remote.wait_for(header)["headers"]
    assert headers["authorization"] == f"Bearer {CREDENTIAL}"
    assert header not in headers


def test_an_answer_passes_byte_for_byte(gateway: Gateway, scripted: ScriptedUpstream) -> None:
    said = (
        b'{ "object":"chat.completion",  "future": {"x": 1.50, "y":"\\u00e9"},\n"choices":[{"index":0,"finish_reason":'
        b'"stop","message":{"role":"assistant","content":"ok","audio":null}}], "usage":{"prompt_tokens":1,'
        b'"completion_tokens":1,"total_tokens":2, "extra":[1e400]} }\n'
    )
    scripted.answering(lambda peer: peer.answer(said))
    answer = gateway.chat(model="scripted")
    assert answer.content == said
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "cut",
    [lambda whole: [whole], lambda whole: [whole[at : at + 7] for at in range(0, len(whole), 7)]],
    ids=["whole", "in pieces"],
)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_a_stream_passes_byte_for_byte(
    gateway: Gateway, scripted: ScriptedUpstream, line_end: bytes, cut: Callable[[bytes], list[bytes]]
) -> None:
    said = (
        b": a comment\n\n"
        b"event: message\nid: 7\nretry: 10\n"
        + sse(chunk("é\U0001f600", future={"x": 1.5}), b'{"choices":  [{"index":0,"delta":{"content":"b"}}], "z":1.50}')
        + b"data:"
        + chunk("", "stop")
        + b"\n\n"
        + sse(b"[DONE]")
    ).replace(b"\n", line_end)
    scripted.answering(lambda peer: peer.stream(*cut(said)))
    answer = gateway.post(CHAT, STREAM)
    assert answer.content == said
    assert answer.headers["content-type"] == "text/event-stream"


def test_usage_that_only_the_gateway_asked_for_is_kept_from_the_client(
    gateway: Gateway, scripted: ScriptedUpstream
) -> None:
    before, after = sse(chunk("a"), chunk("", "stop")), sse(b"[DONE]")
    scripted.answering(lambda peer: peer.stream(before + sse(USAGE) + after))
    answer = gateway.post(CHAT, STREAM, x_request_id="kept-usage")
    assert answer.content == before + after
    assert json.loads(scripted.peers[0].body)["stream_options"] == {"include_usage": True}
    [record] = gateway.records("kept-usage")
    assert (record["input_tokens"], record["output_tokens"], record["tokens_estimated"]) == (10, 2, 0)


def test_usage_that_the_client_asked_for_only_gains_the_cost(gateway: Gateway, scripted: ScriptedUpstream) -> None:
    before, after = sse(chunk("a"), chunk("", "stop")), sse(b"[DONE]")
    scripted.answering(lambda peer: peer.stream(before + sse(USAGE) + after))
    answer = gateway.post(CHAT, STREAM_WITH_USAGE)
    assert answer.content.startswith(before)
    assert answer.content.endswith(after)
    middle = answer.content[len(before) : -len(after)]
    expected = json.loads(USAGE)
    expected["usage"]["cost"] = 0.000014  # 10 tokens at $1 and 2 at $2 a million
    assert json.loads(middle.removeprefix(b"data: ")) == expected
    assert b'"odd":1.50' in middle


def test_a_stream_without_done_gets_one_where_the_answer_was_complete(
    gateway: Gateway, scripted: ScriptedUpstream
) -> None:
    said = sse(chunk("a"), chunk("", "stop"))
    scripted.answering(lambda peer: peer.stream(said))
    assert gateway.post(CHAT, STREAM).content == said + b"data: [DONE]\n\n"


def test_a_providers_error_passes_byte_for_byte(gateway: Gateway, scripted: ScriptedUpstream) -> None:
    said = b'{"error": {"message":"too long", "type":"x","param":"messages","code":"context_length_exceeded","n":1.50}}'
    scripted.answering(lambda peer: peer.answer(said, status=b"400 Bad Request"))
    answer = gateway.chat(model="scripted")
    assert (answer.status_code, answer.content) == (400, said)
