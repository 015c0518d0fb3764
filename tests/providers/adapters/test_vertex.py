"""Vertex AI's hosts and paths, and the token it wants."""

from typing import Any

import pytest

from kernel.errors import UpstreamRefused
from providers.adapters.auth.tokens import Token, TokenAuthenticator
from providers.adapters.gemini import EMBED_ONE
from providers.adapters.vertex import VertexAdapter, origin_of
from providers.dialects.canonical import Dialect, Operation
from tests.providers.adapters.outgoing import Outgoing, asking, to

PROJECT = {"project": "acme"}


async def sent(model: str, dialect: Dialect, base_url: str = "", **more: Any) -> Outgoing:
    out = Outgoing()
    adapter = VertexAdapter(out)
    adapter._authenticators = {"google": TokenAuthenticator(lambda _: Token("ya29", 4e9))}
    await adapter.send(asking(to("vertex", base_url), model, dialect, **({"options": PROJECT} | more)))
    return out


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
    ],
)
async def test_the_location_says_the_host(location: str, host: str) -> None:
    assert str(origin_of(location)) == f"https://{host}"
    out = await sent("gemini-x", Dialect.GEMINI, options=PROJECT | {"location": location})
    path = f"/v1/projects/acme/locations/{location}/publishers/google/models/gemini-x:generateContent"
    assert out.urls == [f"https://{host}{path}"]
    assert out.headers[b"authorization"] == b"Bearer ya29"


GLOBAL = "https://aiplatform.googleapis.com/v1/projects/acme/locations/global"


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({"stream": True}, "gemini-x:streamGenerateContent?alt=sse"),
        ({"operation": Operation.EMBEDDING}, "gemini-x:batchEmbedContents"),
        ({"operation": Operation.EMBEDDING, "variant": EMBED_ONE}, "gemini-x:embedContent"),
        ({"operation": Operation.TOKEN_COUNT}, "gemini-x:countTokens"),
    ],
)
async def test_geminis_methods(fields: dict[str, Any], end: str) -> None:
    assert (await sent("gemini-x", Dialect.GEMINI, **fields)).urls == [f"{GLOBAL}/publishers/google/models/{end}"]


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({}, "claude-x@20251101:rawPredict"),
        ({"stream": True}, "claude-x@20251101:streamRawPredict"),
        ({"operation": Operation.TOKEN_COUNT}, "count-tokens:rawPredict"),
    ],
)
async def test_claudes_methods(fields: dict[str, Any], end: str) -> None:
    out = await sent("claude-x@20251101", Dialect.ANTHROPIC, **fields)
    assert out.urls == [f"{GLOBAL}/publishers/anthropic/models/{end}"]


@pytest.mark.parametrize("model", ["endpoints/123", "publishers/google/models/gemini-x"])
async def test_whole_resources(model: str) -> None:
    assert (await sent(model, Dialect.GEMINI)).urls == [f"{GLOBAL}/{model}:generateContent"]


async def test_an_address_of_ones_own_and_another_version() -> None:
    out = await sent("gemini-x", Dialect.GEMINI, "http://127.0.0.1:9/p", options=PROJECT | {"api_version": "v1beta1"})
    assert out.urls[0].startswith("http://127.0.0.1:9/p/v1beta1/projects/acme/locations/global/")


async def test_a_project_has_to_be_known() -> None:
    with pytest.raises(UpstreamRefused) as caught:
        await sent("gemini-x", Dialect.GEMINI, options={})
    assert (caught.value.status, caught.value.code) == (502, "provider_misconfigured")


async def test_what_stands_in_options_can_not_leave_its_place() -> None:
    out = await sent("gemini-x", Dialect.GEMINI, options={"project": "a/../b?c"})
    assert "/projects/a%2F..%2Fb%3Fc/locations/" in out.urls[0]
