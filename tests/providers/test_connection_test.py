"""Testing a connection against a server of our own: what it asks, and what it says of every answer."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from providers import connection_test
from providers.adapters.auth.base import CredentialBroken
from providers.adapters.auth.tokens import Token
from providers.models import Provider
from providers.presets import PRESETS

CREDENTIAL = "sk-very-secret"
Answer = tuple[int, dict[str, str], bytes]


class Server:
    """Answers every GET as told and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Answer = (200, {}, json.dumps({"data": [{"id": "a"}, {"id": "b"}]}).encode())
        self.asked: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                status, headers, body = outer.answer
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


def provider(base_url: str, **fields: Any) -> Provider:
    made = Provider(**({"slug": "p", "kind": "openai_compatible", "base_url": base_url} | fields))
    made.set_credential(CREDENTIAL)
    return made


def ask(base_url: str, **fields: Any) -> connection_test.ConnectionResult:
    return connection_test.test_connection(provider(base_url, **fields))


def test_it_asks_for_the_models_with_the_credential(server: Server) -> None:
    found = ask(f"{server.url}/", extra_headers={"X-Team": "blue"})
    assert (found.ok, found.models) == (True, 2)
    assert found.message == f"Connected: 2 models in {found.latency_ms} ms."
    ((path, headers),) = server.asked
    assert path == "/v1/models"
    assert (headers["authorization"], headers["x-team"]) == (f"Bearer {CREDENTIAL}", "blue")


def test_without_a_credential_none_is_sent(server: Server) -> None:
    connection_test.test_connection(Provider(slug="p", kind="openai_compatible", base_url=server.url))
    assert "authorization" not in server.asked[0][1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, {}, CREDENTIAL.encode()), "refused the credential (401)"),
        ((403, {}, b""), "refuses it this (403)"),
        ((404, {}, b"<html>"), "base URL complete"),
        ((429, {}, b""), "too many requests"),
        ((500, {}, CREDENTIAL.encode()), "an error (500)"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "sends us elsewhere (302)"),
        ((200, {}, b"<html>Welcome"), "not with a list of models"),
        ((200, {}, b'{"data": "none"}'), "not with a list of models"),
        ((200, {"Content-Length": "50"}, b"{"), "broke before"),
    ],
)
def test_what_it_says_of_other_answers(server: Server, answer: Answer, words: str) -> None:
    server.answer = answer
    found = ask(server.url)
    assert not found.ok
    assert words in found.message
    assert CREDENTIAL not in repr(found)
    assert len(server.asked) == 1


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = ask(f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
    assert (found.ok, found.message) == (False, "No connection: nothing listens there, or the name is unknown.")


def test_somebody_listens_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_test, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = ask(f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
    assert (found.ok, found.message) == (False, "Connected, but no answer within 0.2 s.")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: setattr(p, "base_url", ""), "enter a base URL"),
        (lambda p: setattr(p, "kind", "nobody"), "unknown"),
        (lambda p: setattr(p, "sealed_credential", "garbage"), "enter it again"),
        (lambda p: p.set_credential("schlüssel"), "can't stand in a header"),
        (lambda p: p.set_credential("two\nlines"), "can't stand in a header"),
    ],
)
def test_what_is_wrong_before_anybody_is_asked(server: Server, change: Callable[[Provider], None], words: str) -> None:
    made = provider(server.url)
    change(made)
    found = connection_test.test_connection(made)
    assert not found.ok
    assert words in found.message
    assert server.asked == []


@pytest.mark.parametrize(
    ("kind", "options", "path", "header"),
    [
        ("anthropic", {}, "/v1/models", ("x-api-key", CREDENTIAL)),
        ("anthropic", {"auth": "bearer"}, "/v1/models", ("authorization", f"Bearer {CREDENTIAL}")),
        ("anthropic", {"api_version": "2026-10-21"}, "/v1/models", ("anthropic-version", "2026-10-21")),
        ("gemini", {}, "/v1beta/models", ("x-goog-api-key", CREDENTIAL)),
        ("azure", {}, "/openai/v1/models", ("api-key", CREDENTIAL)),
        ("azure", {"surface": "deployments"}, "/openai/models?api-version=2024-10-21", ("api-key", CREDENTIAL)),
        ("cohere", {}, "/v1/models", ("authorization", f"Bearer {CREDENTIAL}")),
        ("huggingface", {}, "/models", ("authorization", f"Bearer {CREDENTIAL}")),
    ],
)
def test_each_kind_is_asked_in_its_own_way(
    server: Server, kind: str, options: dict[str, str], path: str, header: tuple[str, str]
) -> None:
    server.answer = (200, {}, b'{"models": [{"name": "a"}]}' if kind == "gemini" else b'{"data": [{"id": "a"}]}')
    found = ask(server.url.removesuffix("/v1"), kind=kind, options=options)
    assert (found.ok, found.models) == (True, 1)
    ((asked, headers),) = server.asked
    assert asked == path
    assert headers[header[0]] == header[1]


def test_cohere_is_asked_at_its_own_root() -> None:
    preset = PRESETS["cohere"]
    url, _ = connection_test.find_models(preset, preset.base_url, {})
    assert url == "https://api.cohere.ai/v1/models"


def give(monkeypatch: pytest.MonkeyPatch, name: str, fetch: Callable[[str], Token]) -> None:
    monkeypatch.setattr(connection_test, "FETCHES", {name: fetch})


def test_a_cloud_is_asked_for_a_token_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fetch(credential: str) -> Token:
        asked.append(credential)
        return Token("ya29", 4e9)

    give(monkeypatch, "google", fetch)
    found = ask("", kind="vertex", options={"project": "p"})
    assert (found.ok, asked) == (True, [CREDENTIAL])
    assert "there is a token" in found.message


def test_a_token_is_used_where_models_are_listed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, "entra", lambda _: Token("eyJ", 4e9))
    assert ask(server.url.removesuffix("/v1"), kind="azure", options={"auth": "entra"}).ok
    assert server.asked[0][1]["authorization"] == "Bearer eyJ"


def test_a_credential_that_gives_no_token_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_it(_: str) -> Token:
        raise CredentialBroken("the key was revoked")

    give(monkeypatch, "google", break_it)
    found = ask("", kind="vertex", options={"project": "p"})
    assert (found.ok, found.message) == (False, "No token for this credential. the key was revoked.")


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("vertex", {}, "needs project"),
        ("openai", {"region": "x"}, "no option of OpenAI"),
        ("azure", {}, "enter a base URL"),
        ("bedrock", {"region": "x"}, "without a call"),
    ],
)
def test_what_can_not_be_tried(kind: str, options: dict[str, str], words: str) -> None:
    found = ask("", kind=kind, options=options)
    assert not found.ok
    assert words in found.message


def test_the_built_in_mock_always_answers() -> None:
    assert connection_test.test_connection(Provider(slug="m", kind="mock")).ok
