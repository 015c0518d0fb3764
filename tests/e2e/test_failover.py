"""Two targets, the first one broken in every way there is: the second answers, and the record says why."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.services.gateway import Gateway
from tests.services.upstreams import MockUpstream, Peer, ScriptedUpstream
from tests.services.waiting import eventually

pytestmark = pytest.mark.e2e
CHAT = "/v1/chat/completions"
ERROR = b'{"error":{"message":"no","type":"x","param":null,"code":"%b"}}'
WHOLE = b'{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"ok"}}]}'


def error(status: bytes, *, headers: bytes = b"") -> Callable[[Peer], None]:
    body = ERROR % b"down"
    length = b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body)
    head = b"HTTP/1.1 " + status + b"\r\ncontent-type: application/json\r\n" + headers + length
    return lambda peer: peer.send(head + body)


def silence(peer: Peer) -> None:
    peer.gone_within(10)


def trickle(peer: Peer) -> None:
    """Start an answer and never go on."""
    peer.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{")
    peer.gone_within(10)


BROKEN: dict[str, tuple[Callable[[Peer], None], str, str]] = {
    "500": (error(b"500 Internal Server Error"), "refused", "down"),
    "503": (error(b"503 Service Unavailable"), "refused", "upstream_overloaded"),
    "429": (error(b"429 Too Many Requests", headers=b"retry-after: 30\r\n"), "refused", "rate_limit_exceeded"),
    "401": (error(b"401 Unauthorized"), "refused", "upstream_authentication_failed"),
    "silence": (silence, "failed", "upstream_timeout"),
    "trickle": (trickle, "failed", "upstream_timeout"),
    "reset": (Peer.reset, "failed", "upstream_cut"),
    "closed": (lambda peer: None, "failed", "upstream_cut"),
    "html": (
        lambda peer: peer.answer(b"<html>502</html>", content_type=b"text/html"),
        "failed",
        "upstream_invalid_response",
    ),
    "truncated JSON": (lambda peer: peer.answer(WHOLE[:40]), "failed", "upstream_invalid_response"),
    "cut body": (
        lambda peer: peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + WHOLE),
        "failed",
        "upstream_cut",
    ),
    "empty": (lambda peer: peer.answer(b""), "failed", "upstream_invalid_response"),
    "204": (lambda peer: peer.send(b"HTTP/1.1 204 No Content\r\n\r\n"), "failed", "upstream_invalid_response"),
    "text": (lambda peer: peer.answer(b"hello", content_type=b"text/plain"), "failed", "upstream_invalid_response"),
    "other JSON": (lambda peer: peer.answer(b'{"ok":true}'), "failed", "upstream_invalid_response"),
    "huge headers": (
        lambda peer: peer.send(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 200_000 + b"\r\ncontent-length: 2\r\n\r\n{}"),
        "failed",
        "upstream_cut",
    ),
    "not HTTP": (lambda peer: peer.send(b"SSH-2.0-OpenSSH_9.9\r\n"), "failed", "upstream_cut"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", BROKEN)
def test_the_second_target_answers(gateway: Gateway, scripted: ScriptedUpstream, fault: str, stream: bool) -> None:
    handler, ending, code = BROKEN[fault]
    if stream and fault in ("trickle", "cut body"):  # its head alone says that it is no stream
        code = "upstream_invalid_response"
    scripted.answering(handler)
    answer = gateway.chat(model="failover", stream=stream)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-gateway-attempts"] == "2"
    assert answer.headers["x-gateway-target"] == "remote/mock-small"
    assert "You" in answer.text
    first, second = gateway.usage(answer.headers["x-request-id"])["attempts"]
    assert (first["target"], first["ending"], first["error_code"]) == ("scripted/scripted", ending, code)
    assert (second["target"], second["ending"], second["error_code"]) == ("remote/mock-small", "completed", None)
    assert code in second["because"]


def test_a_refused_connection(gateway: Gateway) -> None:
    answer = gateway.chat(model="refused")
    assert (answer.status_code, answer.headers["x-gateway-attempts"]) == (200, "2")
    first, _ = gateway.usage(answer.headers["x-request-id"])["attempts"]
    assert (first["ending"], first["error_code"], first["cost_usd"]) == ("failed", "upstream_unreachable", "0")


def test_a_stream_that_breaks_before_its_first_event_goes_elsewhere(
    gateway: Gateway, scripted: ScriptedUpstream
) -> None:
    for said in (b"", b": comment only", b"data: {not json}\n\n", b'data: {"error":{"message":"busy"}}\n\n'):
        scripted.answering(lambda peer, said=said: peer.stream(said))  # type: ignore[misc]  # it is a Handler
        answer = gateway.chat(model="failover", stream=True)
        assert (answer.status_code, answer.headers["x-gateway-attempts"]) == (200, "2"), said
        assert answer.text.endswith("data: [DONE]\n\n")


def test_a_caller_s_own_mistake_is_not_tried_elsewhere(gateway: Gateway, scripted: ScriptedUpstream) -> None:
    scripted.answering(error(b"422 Unprocessable Entity"))
    answer = gateway.chat(model="failover")
    assert (answer.status_code, answer.headers["x-gateway-attempts"]) == (422, "1")
    assert answer.content == ERROR % b"down"


def test_three_groups(gateway: Gateway, scripted: ScriptedUpstream) -> None:
    scripted.answering(error(b"502 Bad Gateway"))
    answer = gateway.chat(model="three")
    assert (answer.status_code, answer.headers["x-gateway-attempts"]) == (200, "3")
    attempts = gateway.usage(answer.headers["x-request-id"])["attempts"]
    assert [attempt["number"] for attempt in attempts] == [1, 2, 3]


@pytest.mark.parametrize(
    ("handler", "status", "code"),
    [
        (error(b"503 Service Unavailable"), 503, "down"),
        (silence, 504, "upstream_timeout"),
        (Peer.reset, 502, "upstream_cut"),
        (error(b"401 Unauthorized"), 502, "upstream_authentication_failed"),
        (error(b"403 Forbidden"), 502, "upstream_authentication_failed"),
    ],
    ids=["503", "silence", "reset", "401", "403"],
)
def test_all_down_is_the_last_error_in_the_envelope(
    gateway: Gateway, scripted: ScriptedUpstream, handler: Callable[[Peer], None], status: int, code: str
) -> None:
    scripted.answering(handler)
    for stream in (False, True):
        answer = gateway.chat(model="all-down", stream=stream)
        assert (answer.status_code, answer.headers["x-gateway-attempts"]) == (status, "2")
        assert answer.json()["error"].keys() >= {"message", "type", "param", "code"}
        assert answer.json()["error"]["code"] == code
        assert scripted.origin.removeprefix("http://") not in answer.text


def test_a_wrong_credential_is_not_the_callers_fault(gateway: Gateway) -> None:
    answer = gateway.chat(model="locked")
    assert answer.status_code == 502
    error_seen = answer.json()["error"]
    assert error_seen["code"] == "upstream_authentication_failed"
    assert error_seen["request_id"] == answer.headers["x-request-id"]


def test_weights_are_honoured(gateway: Gateway) -> None:
    def ask() -> str:
        answer = gateway.chat(model="weighted")
        assert answer.status_code == 200
        return answer.headers["x-gateway-target"]

    drawn = Counter(ask() for _ in range(400))
    # 300 expected of 400, standard deviation 8.7: six of them is once in a billion runs.
    assert 248 <= drawn["mock/mock-small"] <= 352
    assert drawn["mock/mock-large"] == 400 - drawn["mock/mock-small"]


def test_an_upstream_that_stalls_mid_stream_is_a_timeout(gateway: Gateway, scripted: ScriptedUpstream) -> None:
    def stall(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + FIRST)
        peer.gone_within(10)

    scripted.answering(stall)
    answer = gateway.chat(model="scripted", stream=True)
    events = _events(answer.text)
    assert events[0] == json.loads(FIRST.removeprefix(b"data: "))
    assert events[-1]["error"]["code"] == "upstream_timeout"
    assert "[DONE]" not in answer.text
    assert gateway.records(answer.headers["x-request-id"])[0]["ending"] == "cut"


def test_an_upstream_killed_mid_stream_is_an_error_event_and_a_cut(gateway: Gateway) -> None:
    doomed = MockUpstream()
    try:
        gateway.apply(
            {
                "providers": [{"slug": "doomed", "kind": "openai", "base_url": f"{doomed.origin}/v1"}],
                "routes": [{"name": "doomed", "targets": [{"provider": "doomed", "model": "mock-small"}]}],
            }
        )
        eventually(lambda: gateway.chat(model="doomed").status_code == 200)
        answers: list[Any] = []
        text = "[[mock pace_ms=20 tokens=500]]"
        caller = threading.Thread(
            target=lambda: answers.append(gateway.chat(text, model="doomed", stream=True, request_id="killed"))
        )
        caller.start()
        doomed.wait_for("killed", lambda entry: entry["pieces_sent"] > 3)
        doomed.kill()
        caller.join(20)
    finally:
        doomed.stop()
    [answer] = answers
    events = _events(answer.text)
    assert len(events) > 3
    assert events[-1]["error"]["code"] == "upstream_cut"
    assert events[-1]["error"]["request_id"] == "killed"
    assert "[DONE]" not in answer.text
    [record] = gateway.records("killed")
    assert (record["ending"], record["error_code"], record["tokens_estimated"]) == ("cut", "upstream_cut", 1)
    assert record["output_tokens"] > 0


FIRST = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n'


def _events(text: str) -> list[Any]:
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
