"""Gemini's paths and key."""

from typing import Any

import pytest

from providers.adapters.gemini import EMBED_ONE, GeminiAdapter
from providers.dialects.canonical import Dialect, Operation
from tests.providers.adapters.outgoing import Outgoing, asking, to

ROOT = "https://generativelanguage.googleapis.com/v1beta"


async def sent(model: str = "gemini-x", base_url: str = "", **more: Any) -> Outgoing:
    out = Outgoing()
    await GeminiAdapter(out).send(asking(to("gemini", base_url), model, Dialect.GEMINI, **more))
    return out


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({}, "gemini-x:generateContent"),
        ({"stream": True}, "gemini-x:streamGenerateContent?alt=sse"),
        ({"operation": Operation.EMBEDDING}, "gemini-x:batchEmbedContents"),
        ({"operation": Operation.EMBEDDING, "variant": EMBED_ONE}, "gemini-x:embedContent"),
        ({"operation": Operation.TOKEN_COUNT}, "gemini-x:countTokens"),
    ],
)
async def test_what_is_asked_stands_in_the_path(fields: dict[str, Any], end: str) -> None:
    out = await sent(**fields)
    assert out.urls == [f"{ROOT}/models/{end}"]
    assert out.headers[b"x-goog-api-key"] == b"secret"
    assert out.headers[b"accept"] == (b"text/event-stream" if fields.get("stream") else b"application/json")


@pytest.mark.parametrize(
    ("model", "resource"),
    [
        ("models/gemini-x", "models/gemini-x"),
        ("tunedModels/mine-1", "tunedModels/mine-1"),
        ("other/x", "models/other%2Fx"),
    ],
)
async def test_resources(model: str, resource: str) -> None:
    assert (await sent(model)).urls == [f"{ROOT}/{resource}:generateContent"]


async def test_another_version_and_another_address() -> None:
    out = await sent(base_url="http://127.0.0.1:9/proxy", options={"api_version": "v1"})
    assert out.urls == ["http://127.0.0.1:9/proxy/v1/models/gemini-x:generateContent"]
