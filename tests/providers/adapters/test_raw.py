"""Where a raw request goes, and which headers win."""

from dataclasses import replace
from typing import Any

import pytest

from providers.adapters.anthropic import AnthropicAdapter
from providers.adapters.base import Adapter
from providers.adapters.bedrock import BedrockAdapter
from providers.adapters.cohere import CohereAdapter
from providers.adapters.connection import Connection
from providers.adapters.huggingface import HuggingFaceAdapter
from providers.adapters.openai_compatible import OpenAICompatibleAdapter
from providers.adapters.raw import RawRequest, layer_headers
from providers.adapters.vertex import VertexAdapter
from providers.dialects.canonical import Dialect, Operation
from tests.providers.adapters.outgoing import Outgoing, asking, to
from tests.providers.adapters.sigv4 import KEYS, assert_signed


@pytest.mark.parametrize(
    ("prefix", "path", "target"),
    [
        (b"/v1", b"/files", b"/v1/files"),
        (b"/v1", b"/v1/files", b"/v1/files"),
        (b"/v1", b"/v1", b"/v1"),
        (b"/v1", b"/v1beta/files", b"/v1/v1beta/files"),
        (b"/openai/v1", b"/v1/models", b"/openai/v1/models"),
        (b"/v1beta", b"/v1beta/models", b"/v1beta/models"),
        (b"", b"/v1/files", b"/v1/files"),
        (b"/inference", b"/inference/x", b"/inference/inference/x"),
    ],
)
def test_a_version_stands_once(prefix: bytes, path: bytes, target: bytes) -> None:
    assert RawRequest("GET", path).under(prefix) == target


def test_the_query_follows_as_it_came() -> None:
    assert RawRequest("GET", b"/a%2Fb", b"x=%20&y").under(b"/p") == b"/p/a%2Fb?x=%20&y"


def test_the_first_layer_that_has_a_name_wins() -> None:
    first, second = ((b"a", b"1"), (b"a", b"2")), ((b"a", b"3"), (b"b", b"4"))
    assert layer_headers(first, second) == ((b"a", b"1"), (b"a", b"2"), (b"b", b"4"))


def raw(method: str, path: bytes, query: bytes = b"", **fields: Any) -> dict[str, Any]:
    usual = {"operation": Operation.PASSTHROUGH, "raw": RawRequest(method, path, query), "body": b""}
    return usual | fields


async def sent(adapter: type[Adapter], there: Connection, **fields: Any) -> Outgoing:
    client = Outgoing()
    await adapter(client).send(asking(there, "", Dialect.OPENAI, **fields))  # type: ignore[call-arg]
    return client


@pytest.mark.parametrize(
    ("adapter", "there", "path", "url"),
    [
        (OpenAICompatibleAdapter, to("openai"), b"/files", "https://api.openai.com/v1/files?a=1"),
        (OpenAICompatibleAdapter, to("openai"), b"/v1/files", "https://api.openai.com/v1/files?a=1"),
        (AnthropicAdapter, to("anthropic", "https://x.test"), b"/v1/files", "https://x.test/v1/files?a=1"),
        (CohereAdapter, to("cohere", "https://x.test/compatibility/v1"), b"/v2/chat", "https://x.test/v2/chat?a=1"),
        (
            HuggingFaceAdapter,
            to("huggingface", "https://x.test/v1"),
            b"/hf-inference/m",
            "https://x.test/hf-inference/m?a=1",
        ),
        (VertexAdapter, to("vertex"), b"/v1/projects/p", "https://aiplatform.googleapis.com/v1/projects/p?a=1"),
    ],
)
async def test_a_raw_request_goes_under_the_providers_root(
    adapter: type[Adapter], there: Connection, path: bytes, url: str
) -> None:
    if there.preset.name == "vertex":
        there = replace(there, options={"auth": "bearer"}, has_address=False)
    client = await sent(adapter, there, **raw("DELETE", path, b"a=1"))
    assert client.urls == [url]
    assert (client.requests[0].method, client.requests[0].body) == ("DELETE", b"")


async def test_what_the_operator_says_in_headers_wins_over_the_client() -> None:
    there = to("anthropic", extra_headers=((b"anthropic-beta", b"operator"),))
    said = ((b"x-api-key", b"client"), (b"anthropic-beta", b"client"), (b"anthropic-version", b"2024-01-01"))
    client = await sent(AnthropicAdapter, there, **raw("GET", b"/v1/files", headers=said))
    assert client.headers == {
        b"x-api-key": b"secret",
        b"anthropic-beta": b"operator",
        b"anthropic-version": b"2024-01-01",
        b"user-agent": b"llmgateway",
        b"x-request-id": b"req_1",
        b"x-client-request-id": b"att_1",
    }


async def test_the_body_and_its_type_are_the_clients() -> None:
    said = ((b"content-type", b"multipart/form-data; boundary=b"),)
    client = await sent(OpenAICompatibleAdapter, to("openai"), **raw("POST", b"/files", headers=said, body=b"--b"))
    assert (client.headers[b"content-type"], client.requests[0].body) == (said[0][1], b"--b")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_raw_request_is_signed_where_the_provider_wants_that(method: str) -> None:
    there = to("bedrock", credential=KEYS, options={"region": "eu-west-1"}, has_address=False)
    said = ((b"content-type", b"application/json"), (b"accept", b"*/*"))
    path = b"/model/a%3Ab/invoke"
    client = await sent(BedrockAdapter, there, **raw(method, path, headers=said, body=b"{}", options=there.options))
    [request] = client.requests
    assert client.urls == ["https://bedrock-runtime.eu-west-1.amazonaws.com/model/a%3Ab/invoke"]
    assert request.method == method
    assert "content-type" in assert_signed(request, region="eu-west-1")
