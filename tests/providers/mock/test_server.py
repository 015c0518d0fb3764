"""The mock over a real socket, asked with the standard library's own client."""

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from providers.dialects.multipart import PartHead, write_end, write_head, write_tail
from providers.mock.bill import read_bill
from tests.services.upstreams import MockUpstream
from tests.services.waiting import eventually


@pytest.fixture(scope="module")
def mock() -> Iterator[MockUpstream]:
    upstream = MockUpstream(api_key="secret")
    yield upstream
    upstream.stop()


@pytest.fixture
def client(mock: MockUpstream) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", mock.port, timeout=10)
    connection.request("POST", "/__mock__/reset")
    connection.getresponse().read()
    yield connection
    connection.close()


def ask(
    client: http.client.HTTPConnection, text: str = "Hello", *, path: str = "/v1/chat/completions", **extra: Any
) -> http.client.HTTPResponse:
    body: dict[str, Any] = {"model": "mock-small", "messages": [{"role": "user", "content": text}], **extra}
    client.request("POST", path, json.dumps(body), {"authorization": "Bearer secret", "x-request-id": "r1"})
    return client.getresponse()


def test_answers_on_one_kept_connection(client: http.client.HTTPConnection) -> None:
    for number in range(3):
        answer = ask(client, f"Hello {number}")
        said = json.load(answer)
        assert said["choices"][0]["message"]["content"] == f"You said: Hello {number}"
        assert answer.getheader("content-length")


def test_streams(client: http.client.HTTPConnection) -> None:
    answer = ask(client, stream=True)
    assert answer.getheader("content-type") == "text/event-stream"
    assert answer.read().endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/v1/completions", {"prompt": "x"}, "text_completion"),
        ("/v1/embeddings", {"input": ["x", "y"]}, "list"),
    ],
)
def test_plays_the_other_operations(client: http.client.HTTPConnection, path: str, body: Any, kind: str) -> None:
    client.request("POST", path, json.dumps({"model": "m", **body}), {"authorization": "Bearer secret"})
    assert json.load(client.getresponse())["object"] == kind


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/v1/images/generations", {"prompt": "x"}, "application/json"),
        ("/v1/audio/speech", {"input": "x" * 100}, "audio/wav"),
        ("/v1/moderations", {"input": "x"}, "application/json"),
        ("/v1/rerank", {"query": "x", "documents": ["x"]}, "application/json"),
    ],
)
def test_plays_media(client: http.client.HTTPConnection, path: str, body: Any, kind: str) -> None:
    client.request("POST", path, json.dumps({"model": "m", **body}), {"authorization": "Bearer secret"})
    answer = client.getresponse()
    assert (answer.status, answer.getheader("content-type")) == (200, kind)
    assert answer.read()


def test_takes_forms(client: http.client.HTTPConnection) -> None:
    fields = write_head(PartHead("model"), b"b") + b"m" + write_tail()
    file = write_head(PartHead("file", "a.mp3", "audio/mpeg"), b"b") + b"x" * 9_000 + write_tail()
    headers = {"authorization": "Bearer secret", "content-type": "multipart/form-data; boundary=b"}
    client.request("POST", "/v1/audio/transcriptions", fields + file + write_end(b"b"), headers)
    assert json.load(client.getresponse())["text"] == "You sent 9000 bytes of sound in a.mp3."
    client.request("POST", "/v1/audio/translations", fields + file, headers)
    answer = client.getresponse()
    assert (answer.status, json.load(answer)["error"]["code"]) == (400, "invalid_multipart")


def test_lists_models(client: http.client.HTTPConnection) -> None:
    client.request("GET", "/v1/models", headers={"authorization": "Bearer secret"})
    assert "mock-small" in [model["id"] for model in json.load(client.getresponse())["data"]]


def test_wants_its_own_key_in_openais_envelope(client: http.client.HTTPConnection) -> None:
    client.request("POST", "/v1/chat/completions", "{}", {"authorization": "Bearer other"})
    answer = client.getresponse()
    assert answer.status == 401
    assert json.load(answer)["error"].keys() == {"message", "type", "param", "code"}


def test_unknown_paths_and_methods_are_refused(client: http.client.HTTPConnection) -> None:
    for method, path, status in (("POST", "/v2", 404), ("GET", "/v1/embeddings", 405)):
        client.request(method, path, headers={"authorization": "Bearer secret"})
        answer = client.getresponse()
        assert answer.status == status
        answer.read()


def test_journal_has_the_very_bytes(mock: MockUpstream, client: http.client.HTTPConnection) -> None:
    body = b'{"model":"m",  "odd":1e400,"messages":[{"role":"user","content":"\\u00e9"}]}'
    headers = {"authorization": "Bearer secret", "X-Request-ID": "r7", "X-Odd": "1"}
    client.request("POST", "/v1/chat/completions?a=b", body, headers)
    client.getresponse().read()
    [entry] = mock.of("r7")
    assert (entry["method"], entry["path"], entry["raw"]) == ("POST", "/v1/chat/completions?a=b", body)
    assert entry["headers"]["x-odd"] == "1"
    assert (entry["tries"], entry["finished"], entry["client_gone_ms"]) == (1, True, None)


def test_counts_the_tries_of_one_request(mock: MockUpstream, client: http.client.HTTPConnection) -> None:
    assert [_status(ask(client, "[[mock status=503 fails=1]]")) for _ in range(3)] == [503, 200, 200]
    assert [entry["tries"] for entry in mock.requests()] == [1, 2, 3]


def test_error_statuses_carry_their_headers(client: http.client.HTTPConnection) -> None:
    answer = ask(client, "[[mock status=429 retry_after=7]]")
    assert (answer.status, answer.getheader("retry-after")) == (429, "7")
    answer.read()


@pytest.mark.parametrize("fault", ["connect", "reset"])
def test_refuses_without_an_answer(client: http.client.HTTPConnection, fault: str) -> None:
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        ask(client, f"[[mock fault={fault}]]")


def test_cuts_a_stream_with_a_reset(client: http.client.HTTPConnection) -> None:
    answer = ask(client, "[[mock fault=cut cut_after=3]]", stream=True)
    read = b""
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):  # noqa: PT012 - reads until it breaks
        while piece := answer.read1(10_000):
            read += piece
    assert read.count(b"data: ") == 3


def test_no_content_has_no_body(client: http.client.HTTPConnection) -> None:
    answer = ask(client, "[[mock fault=no_content]]")
    assert (answer.status, answer.read()) == (204, b"")
    assert json.load(ask(client))["object"] == "chat.completion"


@pytest.mark.parametrize("directions", ["fault=stall", "pace_ms=50 tokens=1000", "delay_ms=60000"])
def test_notices_a_client_that_hangs_up(
    mock: MockUpstream, client: http.client.HTTPConnection, directions: str
) -> None:
    body = json.dumps(
        {"model": "m", "stream": True, "messages": [{"role": "user", "content": f"[[mock {directions}]]"}]}
    ).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer secret\r\nx-request-id: gone\r\n"
    with socket.create_connection(("127.0.0.1", mock.port)) as peer:
        peer.sendall(head + b"content-length: %d\r\n\r\n" % len(body) + body)
        mock.wait_for("gone")
        assert mock.of("gone")[0]["client_gone_ms"] is None
    entry = mock.wait_for("gone", lambda entry: entry["client_gone_ms"] is not None)
    assert not entry["finished"]


def test_answers_pipelined_requests_in_order(mock: MockUpstream) -> None:
    one = b"GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer secret\r\n\r\n"
    two = b"GET /none HTTP/1.1\r\nhost: x\r\nauthorization: Bearer secret\r\n\r\n"
    with socket.create_connection(("127.0.0.1", mock.port), timeout=10) as peer:
        peer.sendall(one + two)
        said = bytearray()
        eventually(lambda: said.extend(peer.recv(65536)) or said.count(b"HTTP/1.1 ") == 2)
    assert said.index(b" 200 OK") < said.index(b" 404 Not Found")


def test_what_is_not_http_is_hung_up_on(mock: MockUpstream) -> None:
    with socket.create_connection(("127.0.0.1", mock.port), timeout=10) as peer:
        peer.sendall(b"\x16\x03\x01 certainly not HTTP\r\n\r\n")
        assert peer.recv(10) == b""


def _status(answer: http.client.HTTPResponse) -> int:
    answer.read()
    return answer.status


class Billing(MockUpstream):
    """The mock with a bill."""

    def __init__(self, bill: Path) -> None:
        command = [sys.executable, "-m", "providers.mock.server", "--bill", str(bill)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = self._read_port()
        self.origin = f"http://127.0.0.1:{self.port}"


@pytest.fixture
def bill(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    upstream = Billing(tmp_path / "bill")
    yield upstream.port, tmp_path / "bill"
    upstream.stop()


def send(port: int, directions: str, **extra: Any) -> socket.socket:
    """Ask for an answer and leave it to the test to read it."""
    message = {"role": "user", "content": f"[[mock {directions}]]"}
    body = json.dumps({"model": "m", "messages": [message], **extra}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-request-id: r1\r\nx-client-request-id: a1\r\n"
    peer = socket.create_connection(("127.0.0.1", port), timeout=10)
    peer.sendall(head + b"content-length: %d\r\n\r\n" % len(body) + body)
    return peer


@pytest.mark.parametrize(
    ("directions", "stream", "wanted"),
    [
        ("tokens=7", False, ("finished", True, 7)),
        ("tokens=7", True, ("finished", True, 7)),
        ("tokens=7 fault=no_usage", True, ("finished", False, 7)),
        ("tokens=7 fault=cut cut_after=4", True, ("broken", False, 3)),
        ("tokens=7 fault=error_after", False, ("broken", False, 7)),
        ("tokens=7 fault=error_after", True, ("broken", False, 7)),
    ],
)
def test_bills_what_it_generated(
    bill: tuple[int, Path], directions: str, stream: bool, wanted: tuple[str, bool, int]
) -> None:
    with send(bill[0], directions, stream=stream, stream_options={"include_usage": True}) as peer:
        [line] = eventually(lambda: read_bill(bill[1]))
        assert (line.attempt_id, line.request_id, line.model) == ("a1", "r1", "m")
        assert (line.ended, line.reported, line.usage.output_tokens) == wanted
        assert 0 < line.began_at_ns <= line.ended_at_ns
        with suppress(ConnectionError):
            peer.recv(65536)
    assert len(read_bill(bill[1])) == 1


@pytest.mark.parametrize(
    ("directions", "stream", "tokens"),
    [("tokens=9 delay_ms=60000", False, 9), ("tokens=9 delay_ms=60000", True, 0), ("fault=stall cut_after=4", True, 3)],
)
def test_bills_a_client_that_hangs_up(bill: tuple[int, Path], directions: str, stream: bool, tokens: int) -> None:
    with send(bill[0], directions, stream=stream) as peer:
        if "stall" in directions:
            assert peer.recv(65536)
        time.sleep(0.05)
        assert read_bill(bill[1]) == []
    [line] = eventually(lambda: read_bill(bill[1]))
    assert (line.ended, line.usage.output_tokens) == ("hung_up", tokens)


def test_bills_no_refusal(bill: tuple[int, Path]) -> None:
    for directions in ("status=500", "fault=reset"):
        with send(bill[0], directions) as peer, suppress(ConnectionError):
            peer.recv(65536)
    assert read_bill(bill[1]) == []
