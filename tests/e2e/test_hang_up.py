"""Callers that go, and callers that are slow: the upstream hears of it at once, and what was used is written down."""

import json
import threading
import time
from pathlib import Path

import pytest

from tests.services.gateway import Gateway
from tests.services.upstreams import MockUpstream, Peer, ScriptedUpstream
from tests.services.waiting import eventually
from tests.services.wire import Wire

pytestmark = pytest.mark.e2e
CHAT = "/v1/chat/completions"
NOTICED_WITHIN_MS = 2_000
GROWTH_MAX_BYTES = 20 * 1024 * 1024
FLOOD_BYTES = 200 * 1024 * 1024


def call(text: str, *, model: str = "remote", stream: bool = True) -> dict[str, object]:
    return {"model": model, "stream": stream, "messages": [{"role": "user", "content": text}]}


def test_hanging_up_on_a_stream_cancels_the_upstream(gateway: Gateway, remote: MockUpstream) -> None:
    with Wire(gateway.base_url) as caller:
        body = call("[[mock pace_ms=20 tokens=100000]]")
        caller.post(CHAT, body, gateway.bearer() | {"x-request-id": "hung-up"})
        caller.receive_until(b"fox")
        gone_at_s = time.monotonic()
    entry = remote.wait_for("hung-up", lambda entry: entry["client_gone_ms"] is not None)
    assert (time.monotonic() - gone_at_s) * 1000 < NOTICED_WITHIN_MS
    assert not entry["finished"]
    [record] = gateway.records("hung-up")
    assert (record["ending"], record["error_code"], record["tokens_estimated"]) == (
        "cancelled",
        "client_disconnected",
        1,
    )
    assert record["input_tokens"] > 0
    assert 4 <= record["output_tokens"] <= entry["pieces_sent"] + 4  # words of one token each, counted by their bytes
    assert record["cost_nanos"] > 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream that has not begun"])
def test_hanging_up_before_an_answer_cancels_the_upstream(gateway: Gateway, remote: MockUpstream, stream: bool) -> None:
    request_id = f"hung-up-early-{stream}"
    with Wire(gateway.base_url) as caller:
        body = call("[[mock delay_ms=60000]]", stream=stream)
        caller.post(CHAT, body, gateway.bearer() | {"x-request-id": request_id})
        remote.wait_for(request_id)
    entry = remote.wait_for(request_id, lambda entry: entry["client_gone_ms"] is not None)
    assert not entry["finished"]
    [record] = gateway.records(request_id)
    assert (record["ending"], record["output_tokens"], record["tokens_estimated"]) == ("cancelled", 0, 1)


def test_hanging_up_between_tries_is_not_tried_again(gateway: Gateway, remote: MockUpstream) -> None:
    with Wire(gateway.base_url) as caller:
        body = call("[[mock status=503 retry_after=15]]", stream=False)
        caller.post(CHAT, body, gateway.bearer() | {"x-request-id": "gave-up"})
        remote.wait_for("gave-up", lambda entry: entry["finished"])
    gateway_line = eventually(lambda: gateway.logged("call served", request_id="gave-up"))
    assert gateway_line[0]["status"] == 499
    assert len(remote.of("gave-up")) == 1


def test_a_gateway_that_was_hung_up_on_goes_on_serving(gateway: Gateway, remote: MockUpstream) -> None:
    for number in range(30):
        with Wire(gateway.base_url) as caller:
            caller.post(CHAT, call("[[mock pace_ms=5 tokens=100]]"), gateway.bearer())
            if number % 3:
                caller.receive_until(b"\r\n\r\n")
    assert gateway.chat(model="remote").status_code == 200


def test_half_a_request_costs_nothing(gateway: Gateway) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {gateway.keys['main']}\r\n"
    with Wire(gateway.base_url) as caller:
        caller.send(f'{head}x-request-id: half\r\ncontent-length: 1000\r\n\r\n{{"model":'.encode())
    assert gateway.chat().status_code == 200
    assert gateway.records_now("half") == []


def test_a_client_that_does_not_read_stops_the_upstream(gateway: Gateway, scripted: ScriptedUpstream) -> None:
    """A stream of 200 MB to a client that reads nothing: neither side's bytes may pile up in the worker."""
    text = json.dumps({"choices": [{"index": 0, "delta": {"content": "x" * 16_000}, "finish_reason": None}]})
    event = f"data: {text}\n\n".encode()
    sent = [0]
    ended = threading.Event()

    def flood(peer: Peer) -> None:
        peer.connection.settimeout(60)
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        try:
            while sent[0] < FLOOD_BYTES:
                peer.send(event)
                sent[0] += len(event)
        finally:
            ended.set()

    scripted.answering(flood)
    [worker] = gateway.worker_pids()
    before = resident_bytes(worker)
    with Wire(gateway.base_url, receive_buffer_bytes=4096) as caller:
        body = call("x", model="patient")
        caller.post(CHAT, body, gateway.bearer() | {"x-request-id": "slow-reader"})
        caller.receive_until(b"xxxx")
        stuck_at = eventually(lambda: stands_still(sent))
        assert stuck_at < FLOOD_BYTES / 4
        assert resident_bytes(worker) - before < GROWTH_MAX_BYTES
        assert gateway.chat().status_code == 200  # the others don't notice
    assert ended.wait(10)
    assert gateway.records("slow-reader")[0]["ending"] == "cancelled"


def stands_still(count: list[int]) -> int | None:
    """Return a count that has not moved for a while."""
    before = count[0]
    time.sleep(0.5)
    return before if before and count[0] == before else None


def resident_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no VmRSS of {pid}")
