"""What goes over the wire to an OpenAI-compatible server, and what its refusals mean."""

from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from kernel import clock
from providers.adapters.http import HttpClient, Origin, UpstreamRequest
from providers.adapters.openai_compatible import PATHS, OpenAICompatibleAdapter
from providers.adapters.refusals import explain_refusal, read_retry_after
from providers.dialects.canonical import Operation
from tests.builders import connection
from tests.contracts.adapters import asking
from tests.scripted import JSON, Answer


class Wire(HttpClient):
    """A client that only keeps what it is asked to send."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[UpstreamRequest] = []

    async def send(self, request: UpstreamRequest) -> Any:
        self.requests.append(request)
        return Answer([b"{}"])


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.mark.parametrize("operation", [Operation.CHAT, Operation.COMPLETION, Operation.EMBEDDING])
async def test_the_path_follows_the_base_url(wire: Wire, operation: Operation) -> None:
    there = connection("p", origin=Origin("https", "up.example", 443), path_prefix=b"/root/v1")
    exchange = asking(there, operation=operation)
    await OpenAICompatibleAdapter(wire).send(exchange)
    [request] = wire.requests
    assert (request.method, request.origin) == ("POST", there.origin)
    assert request.target == b"/root/v1" + PATHS[operation]
    assert request.body is exchange.body
    assert request.timeouts is exchange.timeouts


@pytest.mark.parametrize(("stream", "accept"), [(False, b"application/json"), (True, b"text/event-stream")])
async def test_headers(wire: Wire, stream: bool, accept: bytes) -> None:
    there = connection("p", credential="hush", extra_headers=((b"x-team", b"a"),))
    await OpenAICompatibleAdapter(wire).send(asking(there, stream=stream, request_id="mine"))
    assert dict(wire.requests[0].headers) == {
        b"content-type": b"application/json",
        b"user-agent": b"llmgateway",
        b"authorization": b"Bearer hush",
        b"x-team": b"a",
        b"accept": accept,
        b"x-request-id": b"mine",
        b"x-client-request-id": b"att_test",
    }


async def test_without_a_credential_there_is_no_authorization(wire: Wire) -> None:
    await OpenAICompatibleAdapter(wire).send(asking(connection("p")))
    assert b"authorization" not in dict(wire.requests[0].headers)


async def test_a_connection_that_was_replaced_is_not_spoken_to_with_the_old_credential(wire: Wire) -> None:
    adapter, old = OpenAICompatibleAdapter(wire), connection("p", credential="old")
    for there in (old, replace(old, credential="new"), old):
        await adapter.send(asking(there))
    assert [dict(r.headers)[b"authorization"] for r in wire.requests] == [b"Bearer old", b"Bearer new", b"Bearer old"]


def answer(status: int = 429, **headers: str) -> Answer:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Answer([], status=status, headers=[*JSON, *named])


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "3"}, 3.0),
        ({"retry_after": " 1.5 "}, 1.5),
        ({"retry_after": "-3"}, 0.0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": ""}, None),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after_ms": "250", "retry_after": "9"}, 0.25),
        ({"retry_after_ms": "soon", "retry_after": "9"}, 9.0),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00"}, None),
        ({"retry_after": "Wed, 99 Oct 2015"}, None),
    ],
)
def test_retry_after_in_all_its_spellings(headers: dict[str, str], seconds: float | None) -> None:
    assert read_retry_after(answer(**headers)) == seconds


def test_retry_after_as_a_date_to_come() -> None:
    at = clock.now() + timedelta(seconds=100)
    found = read_retry_after(answer(retry_after=format_datetime(at, usegmt=True)))
    assert found is not None
    assert 90 < found <= 100


@pytest.mark.parametrize(
    ("status", "body", "message", "code", "shown"),
    [
        (400, b'{"error":{"message":"m","code":"c"}}', "m", "c", True),
        (400, b'{"error":"plain"}', "plain", "invalid_request", False),
        (500, b"<html>", "the provider answered with status 500", "upstream_overloaded", False),
        (418, b"", "the provider answered with status 418", "upstream_refused", False),
        (302, b"", "the provider answered with status 302", "upstream_refused", False),
    ],
)
def test_an_error_in_any_form_is_explained(status: int, body: bytes, message: str, code: str, shown: bool) -> None:
    refused = explain_refusal(asking(), answer(status), body)
    assert (refused.message, refused.code) == (message, code)
    assert refused.status == (status if status >= 400 else 502)
    assert (refused.body == body) is shown


@pytest.mark.parametrize("status", [401, 403])
def test_the_gateways_own_credential_is_not_the_callers_fault(status: int) -> None:
    refused = explain_refusal(
        asking(), answer(status), b'{"error":{"message":"Incorrect API key sk-secret","code":"invalid_api_key"}}'
    )
    assert (refused.status, refused.body, refused.retryable) == (502, None, True)
    assert "sk-secret" not in refused.message
