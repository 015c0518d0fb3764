"""Azure's two surfaces and its three ways to sign in."""

from typing import Any

import pytest

from providers.adapters.auth.tokens import Token, TokenAuthenticator
from providers.adapters.azure import AzureAdapter
from providers.dialects.canonical import Dialect, Operation
from tests.providers.adapters.outgoing import Outgoing, asking, to

BASE = "https://acme.openai.azure.com"


async def sent(dialect: Dialect = Dialect.OPENAI, base_url: str = BASE, **more: Any) -> Outgoing:
    out = Outgoing()
    adapter = AzureAdapter(out)
    adapter._authenticators = {
        **adapter._authenticators,
        "entra": TokenAuthenticator(lambda _: Token("eyJ", 4e9)),
    }
    there = to("azure", base_url, options=more.pop("options", {}))
    await adapter.send(asking(there, "dep", dialect, **more))
    return out


@pytest.mark.parametrize("base", [BASE, f"{BASE}/openai", f"{BASE}/openai/v1"])
async def test_v1_is_the_usual_surface(base: str) -> None:
    assert (await sent(base_url=base)).urls == [f"{BASE}/openai/v1/chat/completions"]


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"api_version": "preview"}, "/openai/v1/chat/completions?api-version=preview"),
        ({"api_version": "v1"}, "/openai/v1/chat/completions"),
        ({"api_version": "latest"}, "/openai/v1/chat/completions"),
        ({"surface": "v1", "api_version": "x y"}, "/openai/v1/chat/completions?api-version=x%20y"),
        ({"surface": "deployments"}, "/openai/deployments/dep/chat/completions?api-version=2024-10-21"),
        (
            {"api_version": "2025-04-01-preview"},
            "/openai/deployments/dep/chat/completions?api-version=2025-04-01-preview",
        ),
    ],
)
async def test_surfaces_and_versions(options: dict[str, str], path: str) -> None:
    assert (await sent(options=options)).urls == [f"{BASE}{path}"]


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        (Operation.EMBEDDING, "embeddings"),
        (Operation.IMAGE, "images/generations"),
        (Operation.SPEECH, "audio/speech"),
        (Operation.TRANSCRIPTION, "audio/transcriptions"),
    ],
)
async def test_other_operations_of_a_deployment(operation: Operation, path: str) -> None:
    out = await sent(operation=operation, options={"surface": "deployments"})
    assert out.urls == [f"{BASE}/openai/deployments/dep/{path}?api-version=2024-10-21"]


async def test_responses_stand_beside_the_deployments() -> None:
    assert (await sent(Dialect.RESPONSES)).urls == [f"{BASE}/openai/v1/responses"]
    out = await sent(Dialect.RESPONSES, options={"api_version": "2025-03-01-preview"})
    assert out.urls == [f"{BASE}/openai/responses?api-version=2025-03-01-preview"]


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ("", (b"api-key", b"secret")),
        ("api-key", (b"api-key", b"secret")),
        ("bearer", (b"authorization", b"Bearer secret")),
        ("entra", (b"authorization", b"Bearer eyJ")),
    ],
)
async def test_signing_in(auth: str, header: tuple[bytes, bytes]) -> None:
    out = await sent(options={"auth": auth})
    assert header in out.headers.items()
    assert len({b"api-key", b"authorization"} & out.headers.keys()) == 1
