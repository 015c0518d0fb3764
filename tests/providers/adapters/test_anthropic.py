"""Anthropic's paths and headers."""

from typing import Any

import pytest

from providers.adapters.anthropic import AnthropicAdapter
from providers.dialects.canonical import Dialect, Operation
from tests.providers.adapters.outgoing import Outgoing, asking, to


async def sent(base_url: str = "", fields: dict[str, Any] | None = None, **more: Any) -> Outgoing:
    out = Outgoing()
    there = to("anthropic", base_url, **(fields or {}))
    await AnthropicAdapter(out).send(asking(there, "claude-x", Dialect.ANTHROPIC, **more))
    return out


@pytest.mark.parametrize(
    ("operation", "path"),
    [(Operation.CHAT, "/v1/messages"), (Operation.TOKEN_COUNT, "/v1/messages/count_tokens")],
)
@pytest.mark.parametrize("base", ["https://up.example", "https://up.example/v1"])
async def test_paths(base: str, operation: Operation, path: str) -> None:
    assert (await sent(base, operation=operation)).urls == [f"https://up.example{path}"]


async def test_the_usual_address_key_and_version() -> None:
    out = await sent()
    assert out.urls == ["https://api.anthropic.com/v1/messages"]
    assert (out.headers[b"x-api-key"], out.headers[b"anthropic-version"]) == (b"secret", b"2023-06-01")
    assert b"authorization" not in out.headers


async def test_another_version_and_a_bearer_token() -> None:
    out = await sent(fields={"options": {"api_version": "2026-10-21", "auth": "bearer"}})
    assert out.headers[b"anthropic-version"] == b"2026-10-21"
    assert out.headers[b"authorization"] == b"Bearer secret"
    assert b"x-api-key" not in out.headers


async def test_the_requests_own_version_goes_before() -> None:
    out = await sent(headers=((b"anthropic-version", b"2023-01-01"), (b"anthropic-beta", b"a,b")))
    assert (out.headers[b"anthropic-version"], out.headers[b"anthropic-beta"]) == (b"2023-01-01", b"a,b")
