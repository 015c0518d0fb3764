"""What every adapter over HTTP has in common: signing in, headers, and unknown models."""

from typing import Any

import msgspec
import pytest

from kernel.errors import UpstreamRefused
from providers.adapters.anthropic import AnthropicAdapter
from providers.adapters.auth.tokens import Token, TokenAuthenticator
from providers.adapters.http_adapter import quote_model, with_version
from providers.adapters.openai_compatible import OpenAICompatibleAdapter
from providers.dialects.canonical import Dialect, Operation
from tests.providers.adapters.outgoing import Outgoing, asking, to
from tests.scripted import JSON, Answer


@pytest.fixture
def out() -> Outgoing:
    return Outgoing()


async def send(out: Outgoing, *, kind: str = "openai", fields: dict[str, Any] | None = None, **more: Any) -> None:
    there = to(kind, **(fields or {}))
    await OpenAICompatibleAdapter(out).send(asking(there, "m", Dialect.OPENAI, **more))


async def test_the_usual_headers(out: Outgoing) -> None:
    await send(out)
    assert out.headers == {
        b"content-type": b"application/json",
        b"user-agent": b"llmgateway",
        b"accept": b"application/json",
        b"x-request-id": b"req_1",
        b"x-client-request-id": b"att_1",
        b"authorization": b"Bearer secret",
    }


@pytest.mark.parametrize(
    ("stream", "operation", "accept"),
    [
        (True, Operation.CHAT, b"text/event-stream"),
        (False, Operation.SPEECH, b"*/*"),
        (False, Operation.TRANSCRIPTION, b"*/*"),
        (False, Operation.EMBEDDING, b"application/json"),
    ],
)
async def test_what_is_accepted(out: Outgoing, stream: bool, operation: Operation, accept: bytes) -> None:
    await send(out, stream=stream, operation=operation)
    assert out.headers[b"accept"] == accept


async def test_without_a_credential_none_is_sent(out: Outgoing) -> None:
    await send(out, fields={"credential": ""})
    assert b"authorization" not in out.headers


async def test_the_operators_and_the_requests_headers_go_before_the_usual(out: Outgoing) -> None:
    extra = ((b"user-agent", b"acme"), (b"authorization", b"Basic x"))
    own = ((b"content-type", b"multipart/form-data; boundary=b"),)
    await send(out, fields={"extra_headers": extra}, headers=own)
    assert out.headers[b"user-agent"] == b"acme"
    assert out.headers[b"authorization"] == b"Basic x"
    assert out.headers[b"content-type"] == b"multipart/form-data; boundary=b"


@pytest.mark.parametrize("slashes", [False, True])
@pytest.mark.parametrize("model", ["", "..", "a/../b", "./a", "a//b", "/a"])
def test_no_model_leads_out_of_its_place(model: str, slashes: bool) -> None:
    with pytest.raises(UpstreamRefused) as caught:
        quote_model(model, slashes=slashes)
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")


def test_names_of_models_are_quoted() -> None:
    assert quote_model("claude@20251101") == b"claude@20251101"
    assert quote_model("a b?c#d:e%2f") == b"a%20b%3Fc%23d%3Ae%252f"
    assert quote_model("org/name") == b"org%2Fname"
    assert quote_model("org/name", slashes=True) == b"org/name"


def test_a_version_stands_once() -> None:
    assert with_version(b"", b"/v1") == with_version(b"/v1", b"/v1") == b"/v1"
    assert with_version(b"/root", b"/v1") == b"/root/v1"


def refuse(status: int, error: dict[str, Any], adapter: Any = None) -> UpstreamRefused:
    asker = adapter or OpenAICompatibleAdapter(Outgoing())
    exchange = asking(to("openai"), "my-model", Dialect.OPENAI)
    body = msgspec.json.encode({"error": error})
    refused = asker.explain(exchange, Answer([], status=status, headers=list(JSON)), body)
    assert isinstance(refused, UpstreamRefused)
    return refused


@pytest.mark.parametrize("code", ["model_not_found", "DeploymentNotFound"])
def test_an_unknown_model_is_named(code: str) -> None:
    refused = refuse(404, {"message": "gone", "type": "invalid_request_error", "param": None, "code": code})
    assert (refused.status, refused.code, refused.retryable) == (404, "model_not_found", False)
    assert "'my-model'" in refused.message


def test_something_else_that_is_not_there_keeps_its_name() -> None:
    error = {"message": "gone", "type": "invalid_request_error", "param": None, "code": "file_not_found"}
    assert refuse(404, error).code == "file_not_found"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_is_the_operators_problem(status: int) -> None:
    refused = refuse(status, {"message": "bad key", "type": "x", "param": None, "code": "invalid_api_key"})
    assert (refused.status, refused.code, refused.retryable) == (502, "upstream_authentication_failed", True)
    assert refused.body is None


async def test_a_token_that_was_refused_is_fetched_anew(out: Outgoing) -> None:
    tokens = iter(["first", "second"])
    adapter = AnthropicAdapter(out)
    adapter._authenticators = {"google": TokenAuthenticator(lambda _: Token(next(tokens), 4e9))}
    exchange = asking(to("vertex", "https://v.example"), "m", Dialect.ANTHROPIC)
    for _ in range(2):
        await adapter.send(exchange)
    adapter.explain(exchange, Answer([], status=401, headers=[]), b"")
    await adapter.send(exchange)
    sent = [dict(request.headers)[b"authorization"] for request in out.requests]
    assert sent == [b"Bearer first", b"Bearer first", b"Bearer second"]
