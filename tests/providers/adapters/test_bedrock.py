"""What goes over the wire to Bedrock, and what its refusals mean."""

from typing import Any

import msgspec
import pytest

from kernel.errors import UpstreamRefused
from providers.adapters.base import Exchange
from providers.adapters.bedrock import BedrockAdapter
from providers.adapters.connection import Connection
from providers.adapters.http import HttpClient, Origin, Timeouts, UpstreamRequest
from providers.dialects.bedrock_converse.codec import CHAT_BACK
from providers.dialects.canonical import Dialect, Operation
from providers.presets import PRESETS
from tests.providers.adapters.http.loopback import LoopbackServer, Peer
from tests.providers.adapters.sigv4 import KEYS, assert_signed
from tests.providers.dialects.bedrock_converse.frames import CASSETTES, cassette, stream
from tests.providers.dialects.streams import assemble, decode_all
from tests.scripted import JSON, Answer

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
EXPIRED = (b"x-amzn-errortype", b"ExpiredTokenException:http://internal.amazon.com/coral/")


class Wire(HttpClient):
    """A client that keeps what it is asked to send and gives the answers it has, at last a good one."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self.answers = list(answers)
        self.requests: list[UpstreamRequest] = []

    async def send(self, request: UpstreamRequest) -> Any:
        self.requests.append(request)
        return self.answers.pop(0) if self.answers else Answer([b"{}"])


def provider(credential: str = KEYS, **fields: Any) -> Connection:
    usual: dict[str, Any] = {
        "origin": Origin("http", "127.0.0.1", 9),
        "path_prefix": b"",
        "extra_headers": (),
        "timeouts": Timeouts(),
        "has_address": False,
    }
    return Connection(slug="aws", preset=PRESETS["bedrock"], credential=credential, **(usual | fields))


def asking(there: Connection | None = None, **fields: Any) -> Exchange:
    to = there or provider()
    usual: dict[str, Any] = {
        "connection": to,
        "operation": Operation.CHAT,
        "body": b'{"messages":[]}',
        "stream": False,
        "request_id": "req_1",
        "attempt_id": "att_1",
        "timeouts": to.timeouts,
        "dialect": Dialect.CONVERSE,
        "model": CLAUDE,
        "options": {"region": "eu-west-1"},
    }
    return Exchange(**(usual | fields))


async def sent(exchange: Exchange) -> UpstreamRequest:
    wire = Wire()
    await BedrockAdapter(wire).send(exchange)
    [request] = wire.requests
    return request


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ({}, b"/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"),
        ({"stream": True}, b"/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream"),
        (
            {"dialect": Dialect.TITAN, "operation": Operation.EMBEDDING, "model": "amazon.titan-embed-text-v2:0"},
            b"/model/amazon.titan-embed-text-v2%3A0/invoke",
        ),
        (
            {"model": ARN},
            b"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc/converse",
        ),
    ],
)
async def test_the_address_follows_model_and_region(fields: dict[str, Any], target: bytes) -> None:
    exchange = asking(**fields)
    request = await sent(exchange)
    assert request.origin == Origin("https", "bedrock-runtime.eu-west-1.amazonaws.com", 443)
    assert (request.method, request.target) == ("POST", target)
    assert request.body is exchange.body
    assert request.timeouts is exchange.timeouts
    assert_signed(request, region="eu-west-1")


async def test_an_address_of_the_operators() -> None:
    there = provider(has_address=True, origin=Origin("http", "vpce.example", 8080), path_prefix=b"/aws")
    request = await sent(asking(there, model="m"))
    assert (request.origin, request.target) == (there.origin, b"/aws/model/m/converse")
    assert_signed(request, region="eu-west-1")


@pytest.mark.parametrize(
    ("stream", "accept"), [(False, b"application/json"), (True, b"application/vnd.amazon.eventstream")]
)
async def test_headers(stream: bool, accept: bytes) -> None:
    there = provider(extra_headers=((b"x-amzn-bedrock-trace", b"ENABLED"),))
    request = await sent(asking(there, stream=stream, headers=((b"x-amz-thing", b"1"),)))
    found = dict(request.headers)
    assert {name: found[name] for name in found.keys() - {b"authorization", b"x-amz-date"}} == {
        b"content-type": b"application/json",
        b"accept": accept,
        b"user-agent": b"llmgateway",
        b"x-request-id": b"req_1",
        b"amz-sdk-invocation-id": b"att_1",
        b"x-amzn-bedrock-trace": b"ENABLED",
        b"x-amz-thing": b"1",
    }
    signed = assert_signed(request, region="eu-west-1")
    assert signed == ["content-type", "host", "x-amz-date", "x-amz-thing", "x-amzn-bedrock-trace"]


async def test_an_api_key_is_sent_as_it_is() -> None:
    there = provider("ABSK-key")
    assert dict((await sent(asking(there))).headers)[b"authorization"] == b"Bearer ABSK-key"
    elsewhere = provider("ABSK-key", has_address=True)
    assert dict((await sent(asking(elsewhere, options={}))).headers)[b"authorization"] == b"Bearer ABSK-key"


@pytest.mark.parametrize("region", ["", "eu-west-1.evil.example/", "EU", "a b"])
async def test_a_region_is_the_operators_to_give(region: str) -> None:
    wire = Wire()
    with pytest.raises(UpstreamRefused) as caught:
        await BedrockAdapter(wire).send(asking(options={"region": region}))
    assert (caught.value.status, caught.value.code, caught.value.retryable) == (502, "provider_misconfigured", False)
    assert wire.requests == []


@pytest.mark.parametrize("model", ["", ".", ".."])
async def test_no_model_leads_elsewhere(model: str) -> None:
    with pytest.raises(UpstreamRefused) as caught:
        await BedrockAdapter(Wire()).send(asking(model=model))
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")


async def test_an_expired_token_is_replaced_once() -> None:
    expired = [Answer([b"{}"], status=403, headers=[*JSON, EXPIRED]) for _ in range(2)]
    wire = Wire(*expired)
    answer = await BedrockAdapter(wire).send(asking())
    assert (answer, len(wire.requests)) == (expired[1], 2)
    assert (expired[0].closed, expired[1].closed) == (1, 0)


@pytest.mark.parametrize(
    ("credential", "kind"), [(KEYS, b"AccessDeniedException"), ("ABSK-key", b"ExpiredTokenException")]
)
async def test_other_refusals_are_final(credential: str, kind: bytes) -> None:
    wire = Wire(Answer([b"{}"], status=403, headers=[(b"x-amzn-errortype", kind)]))
    assert (await BedrockAdapter(wire).send(asking(provider(credential)))).status == 403
    assert len(wire.requests) == 1


def explained(status: int, kind: str, body: bytes, **headers: str) -> UpstreamRefused:
    more = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    answer = Answer([], status=status, headers=[*JSON, (b"x-amzn-errortype", kind.encode()), *more])
    return BedrockAdapter(HttpClient()).explain(asking(), answer, body)


@pytest.mark.parametrize("name", sorted(path.name for path in CASSETTES.glob("error_*.json")))
def test_recorded_refusals(name: str) -> None:
    recorded = cassette(name)
    kind, expected = recorded["headers"]["x-amzn-errortype"], recorded["expect"]
    refused = explained(recorded["status"], kind, msgspec.json.encode(recorded["response"]))
    ours = recorded["status"] == 403
    assert refused.code == ("upstream_authentication_failed" if ours else expected["code"])
    assert refused.body is None
    changed = {"error_424.json": 502, "error_400_quota.json": 429}
    assert refused.status == (502 if ours else changed.get(name, recorded["status"]))
    assert refused.retryable == (ours or bool(expected["retryable"]))


def test_a_missing_model_is_named() -> None:
    assert CLAUDE in explained(404, "ResourceNotFoundException", b'{"message":"gone"}').message
    assert (
        explained(400, "ValidationException", b'{"message":"The provided model identifier is invalid."}').status == 404
    )


def test_how_long_it_asks_to_wait() -> None:
    assert explained(429, "ThrottlingException", b'{"message":"m"}', retry_after="3").retry_after_s == 3


def test_an_answer_of_somebody_elses() -> None:
    refused = BedrockAdapter(HttpClient()).explain(asking(), Answer([], status=503, headers=[]), b"<html>")
    assert (refused.status, refused.code, refused.retryable) == (503, "upstream_overloaded", True)


async def test_a_stream_over_a_socket() -> None:
    data = stream("tools_stream.eventstream")
    heads: list[bytes] = []

    async def answer(peer: Peer) -> None:
        head, _ = await peer.request()
        heads.append(head)
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\n")
        await peer.say(b"Content-Length: %d\r\n\r\n" % len(data))
        for start in range(0, len(data), 50):
            await peer.say(data[start : start + 50])

    async with LoopbackServer(answer) as server, HttpClient() as client:
        there = provider(has_address=True, origin=server.origin)
        found = await BedrockAdapter(client).send(asking(there, stream=True))
        assert (found.header(b"content-type") or b"").startswith(CHAT_BACK.stream_type)
        pieces = []
        while (piece := await found.next_chunk()) is not None:
            pieces.append(piece)
        found.close()
    assert len(assemble(decode_all(CHAT_BACK.decoder(), pieces)).choices[0].parts) == 3
    line, *headers = heads[0].decode().strip().split("\r\n")
    pairs = [header.split(": ", 1) for header in headers]
    received = tuple((name.lower().encode(), value.encode()) for name, value in pairs)
    assert_signed(
        UpstreamRequest(
            "POST",
            server.origin,
            line.split(" ")[1].encode(),
            headers=tuple(pair for pair in received if pair[0] != b"host"),
            body=b'{"messages":[]}',
        ),
        region="eu-west-1",
    )
    assert dict(received)[b"host"] == server.origin.host_header
