"""Requests that go to a provider as they are: everything arrives, nothing is unmetered, budgets hold."""

import json
import time
from typing import Any

import httpx2
import pytest

from tests.services.declared import CREDENTIAL
from tests.services.gateway import Gateway
from tests.services.upstreams import MockUpstream, ScriptedUpstream
from tests.services.wire import Wire

pytestmark = pytest.mark.e2e
LIVE_WITHIN_S = 2.0
CHAT = "/passthrough/remote/chat/completions"
FORM = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n\x00\xff\r\n--b--\r\n'
SCOPES = ["inference", "usage", "passthrough"]


@pytest.fixture(scope="module")
def raw(gateway: Gateway) -> Gateway:
    """A gateway with keys that may pass: `raw`, `raw-poor` under a budget, `raw-brief` until a test says no."""
    names = ("raw", "raw-poor", "raw-brief")
    secrets = {name: f"sk-gw-test-{name}-0123456789abcdef" for name in names}
    keys = [{"tenant": "acme", "name": name, "secret": secrets[name], "scopes": SCOPES} for name in names]
    budget = {"name": "raw-poor", "limit_usd": "1", "period": "lifetime", "tenant": "acme", "key": "raw-poor"}
    gateway.apply({"keys": keys, "budgets": [budget]})
    gateway.keys.update(secrets)
    time.sleep(LIVE_WITHIN_S)
    return gateway


def chat(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "mock-small", "messages": [{"role": "user", "content": text}], **fields}


def send(gateway: Gateway, method: str, path: str, content: bytes = b"", **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return gateway.http.request(method, path, content=content, headers=gateway.bearer("raw") | named)


def test_files_are_uploaded_listed_and_deleted(raw: Gateway, scripted: ScriptedUpstream) -> None:
    upstream = scripted.answering(lambda peer: peer.answer(b'{"id": "file-1"}', status=b"201 Created"))
    multipart = "multipart/form-data; boundary=b"
    answers = [
        send(raw, "POST", "/passthrough/scripted/files", FORM, content_type=multipart, openai_beta="x"),
        send(raw, "GET", "/passthrough/scripted/v1/files?limit=2&key=secret&order=a%20b"),
        send(raw, "DELETE", "/passthrough/scripted/files/a%2Fb"),
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(201, {"id": "file-1"})] * 3
    lines = [peer.head.partition(b"\r\n")[0] for peer in upstream.peers]
    assert lines == [
        b"POST /v1/files HTTP/1.1",
        b"GET /v1/files?limit=2&order=a%20b HTTP/1.1",
        b"DELETE /v1/files/a%2Fb HTTP/1.1",
    ]
    uploaded = upstream.peers[0]
    assert uploaded.body == FORM
    head = uploaded.head.lower()
    assert b"openai-beta: x" in head
    assert multipart.encode() in head
    assert all(raw.keys["raw"].encode() not in peer.head for peer in upstream.peers)
    for answer in answers:
        [record] = raw.records(answer.headers["x-request-id"])
        assert (record["operation"], record["route"]) == ("passthrough", "passthrough/scripted")
        assert (record["ending"], record["status"], record["cost_nanos"], record["input_tokens"]) == (
            "completed",
            201,
            None,
            0,
        )


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_costs_what_it_costs_at_its_door(raw: Gateway, remote: MockUpstream, stream: bool) -> None:
    extra = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    body = json.dumps(chat("[[mock tokens=123]] What does it cost?", **extra)).encode()
    answer = raw.post(CHAT, body, key="raw")
    assert answer.status_code == 200
    assert ("data: [DONE]" in answer.text) is stream
    [entry] = remote.of(answer.headers["x-request-id"])
    assert entry["raw"] == body
    assert entry["headers"]["authorization"] == f"Bearer {CREDENTIAL}"
    [record] = raw.records(answer.headers["x-request-id"])
    assert (record["model"], record["output_tokens"], record["tokens_estimated"]) == ("mock-small", 123, 0)
    assert record["cost_nanos"] == record["input_tokens"] * 300 + 123 * 1200
    assert record["price_id"] is not None


def test_under_a_budget_only_what_can_be_bounded(raw: Gateway, remote: MockUpstream) -> None:
    unbounded = raw.post(CHAT, chat("hello"), key="raw-poor")
    reading = raw.http.get("/passthrough/remote/models", headers=raw.bearer("raw-poor"))
    for answer in (unbounded, reading):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cost_unknown")
        assert not remote.of(answer.headers["x-request-id"])
    bounded = raw.post(CHAT, chat("hello", max_tokens=5), key="raw-poor")
    assert bounded.status_code == 200
    [record] = raw.records(bounded.headers["x-request-id"])
    assert record["cost_nanos"] > 0
    dear = raw.post(CHAT, chat("hello", max_tokens=2_000_000), key="raw-poor")
    assert (dear.status_code, dear.json()["error"]["code"]) == (429, "budget_exceeded")


def test_who_may_pass(raw: Gateway) -> None:
    assert raw.post(CHAT, chat("hello"), key="main").json()["error"]["code"] == "insufficient_scope"
    assert raw.post(CHAT, chat("hello"), key="raw-brief").status_code == 200
    raw.shell(
        "from tenants.models import Key\nk = Key.objects.get(name='raw-brief')\nk.scopes = ['inference']\nk.save()"
    )
    time.sleep(LIVE_WITHIN_S)
    assert raw.post(CHAT, chat("hello"), key="raw-brief").json()["error"]["code"] == "insufficient_scope"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/passthrough/nobody/files", 404, "unknown_provider"),
        ("/passthrough/remote/%2e%2e/__mock__/requests", 400, "unsafe_path"),
        ("/passthrough/remote/..%2f__mock__/requests", 400, "unsafe_path"),
        ("/passthrough/locked/files", 502, "upstream_authentication_failed"),
        ("/passthrough/closed/files", 502, "upstream_unreachable"),
    ],
)
def test_what_is_not_answered(raw: Gateway, path: str, status: int, code: str) -> None:
    answer = send(raw, "GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_dots_on_the_request_line_do_not_climb(raw: Gateway, remote: MockUpstream) -> None:
    with Wire(raw.base_url) as caller:
        line = "GET /passthrough/remote/../__mock__/requests HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        caller.send(f"{line}authorization: Bearer {raw.keys['raw']}\r\n\r\n".encode())
        assert b"unsafe_path" in caller.receive_all()


def test_the_providers_errors_are_its_own(raw: Gateway) -> None:
    answer = raw.post(CHAT, chat("[[mock status=422]]"), key="raw")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "mock_error")
    [record] = raw.records(answer.headers["x-request-id"])
    assert (record["ending"], record["status"], record["cost_nanos"]) == ("refused", 422, 0)


def test_hanging_up_cancels_the_upstream_and_is_settled(raw: Gateway, remote: MockUpstream) -> None:
    with Wire(raw.base_url) as caller:
        body = chat("[[mock pace_ms=20 tokens=100000]]", stream=True)
        caller.post(CHAT, body, raw.bearer("raw") | {"x-request-id": "raw-hung-up"})
        caller.receive_until(b"fox")
    assert not remote.wait_for("raw-hung-up", lambda entry: entry["client_gone_ms"] is not None)["finished"]
    [record] = raw.records("raw-hung-up")
    assert (record["ending"], record["error_code"], record["tokens_estimated"]) == (
        "cancelled",
        "client_disconnected",
        1,
    )
    assert record["cost_nanos"] > 0


def test_a_provider_that_breaks_off_breaks_the_caller_off(raw: Gateway, scripted: ScriptedUpstream) -> None:
    half = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
    scripted.answering(lambda peer: peer.send(half))
    with pytest.raises(httpx2.TransportError):
        send(raw, "GET", "/passthrough/scripted/files", x_request_id="raw-cut")
    [record] = raw.records("raw-cut")
    assert (record["ending"], record["error_code"], record["cost_nanos"]) == ("cut", "upstream_cut", None)


def test_an_idempotency_key_makes_it_once(raw: Gateway, scripted: ScriptedUpstream) -> None:
    upstream = scripted.answering(lambda peer: peer.answer(b'{"id": "batch-1"}'))
    answers = [
        raw.post("/passthrough/scripted/batches", {"x": 1}, key="raw", idempotency_key="raw-once") for _ in range(2)
    ]
    assert [answer.json() for answer in answers] == [{"id": "batch-1"}] * 2
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert len(upstream.peers) == 1
