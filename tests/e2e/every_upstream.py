"""A gateway with one provider of every kind, all of them aimock but for the built-in mock, and one route a kind."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.services.aimock import Aimock
from tests.services.gateway import Gateway
from tests.services.upstreams import Peer, ScriptedUpstream
from tests.services.waiting import eventually

CREDENTIAL = "sk-the-providers-own-5b1f0c"
AWS_KEY_ID = "AKIDEXAMPLE0000000AB"
EMBEDDING = "text-embedding-3-small"
# What the fixtures report, and what a token costs here.
INPUT_TOKENS, OUTPUT_TOKENS = 12, 4
INPUT_NANOS, OUTPUT_NANOS = 2_000, 10_000


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to be an upstream: the preset, where under aimock's address it answers, and what it is asked for."""

    preset: str
    path: str
    model: str
    credential: str = CREDENTIAL
    options: dict[str, str] = field(default_factory=dict)


_AWS = json.dumps({"aws_access_key_id": AWS_KEY_ID, "aws_secret_access_key": "a-secret"})
KINDS = {
    "openai": Kind("openai", "/v1", "gpt-4o-mini"),
    "anthropic": Kind("anthropic", "", "claude-sonnet-4-5"),
    "gemini": Kind("gemini", "", "gemini-2.5-flash"),
    # Two ways to sign in at Bedrock: aimock can't check signatures, and does check bearer tokens.
    "bedrock": Kind(
        "bedrock", "", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", _AWS, options={"region": "eu-central-1"}
    ),
    "mock": Kind("mock", "", "mock-small", credential=""),
    "bedrock-bearer": Kind("bedrock", "", "amazon.nova-pro-v1:0", options={"region": "eu-central-1"}),
    "azure-v1": Kind("azure", "", "deployed-v1"),
    "azure-deployments": Kind("azure", "", "deployed", options={"surface": "deployments", "api_version": "2024-10-21"}),
    "vertex": Kind("vertex", "", "gemini-2.5-pro", options={"project": "acme", "location": "europe-west1"}),
    "mistral": Kind("mistral", "/v1", "mistral-small-latest"),
    "cohere": Kind("cohere", "/compatibility/v1", "command-a-03-2025"),
    "openrouter": Kind("openrouter", "/api/v1", "openai/gpt-4o-mini"),
    "huggingface": Kind("huggingface", "/v1", "openai/gpt-oss-120b"),
}
MAIN = ("openai", "anthropic", "gemini", "bedrock", "mock")
ALL = tuple(KINDS)
UPSTREAM = tuple(kind for kind in MAIN if kind != "mock")
CASSETTES = Path(__file__).parents[1] / "cassettes"
_RECORDED = {b"/messages": "anthropic", b"GenerateContent": "gemini", b"/converse": "bedrock"}


def declare(*, keyed: Aimock, unkeyed: Aimock, google: ScriptedUpstream, short: ScriptedUpstream) -> dict[str, Any]:
    """Return a gateway.yaml: `keyed` wants CREDENTIAL, `google` gives it out as an access token.

    Behind the routes `short-<kind>`, answers end in good order before they are complete.
    """
    google.answering(_give_token)
    short.answering(_stop_halfway)
    providers = [_provider(slug, kind, unkeyed if slug == "bedrock" else keyed) for slug, kind in KINDS.items()]
    next(p for p in providers if p["slug"] == "vertex")["credential"] = _service_account(google)
    halves = [_provider(f"short-{kind}", KINDS[kind], short) for kind in UPSTREAM]
    locked = {"slug": "locked", "kind": "openai", "base_url": f"{keyed.origin}/v1", "credential": "sk-not-the-one"}
    embeddings = [("openai", EMBEDDING), ("azure-deployments", EMBEDDING), ("mock", "mock-embedding")]
    return {
        "tenants": [{"slug": "acme"}],
        "keys": [{"tenant": "acme", "name": "main", "secret": "sk-gw-test-every-0123456789abcdef"}],
        "providers": [*providers, *halves, locked],
        "routes": [
            *(_route(f"via-{slug}", slug, kind.model) for slug, kind in KINDS.items()),
            *(_route(f"embed-{slug}", slug, model) for slug, model in embeddings),
            *(_route(f"short-{kind}", f"short-{kind}", KINDS[kind].model) for kind in UPSTREAM),
            _route("via-locked", "locked", KINDS["openai"].model),
        ],
        "prices": [
            *(_price(slug, kind.model) for slug, kind in KINDS.items()),
            *(_price(slug, model) for slug, model in embeddings),
        ],
    }


def assert_billed(gateway: Gateway, request_id: str, *, kind: str, calls: int = 1) -> None:
    """Require that so many calls under one id have the usage that was reported, and its exact cost."""
    told = eventually(lambda: found if len((found := gateway.usage(request_id))["attempts"]) >= calls else None)
    assert [attempt["ending"] for attempt in told["attempts"]] == ["completed"] * calls
    cost_nanos = 0
    for attempt in told["attempts"]:
        usage = attempt["usage"]
        counts = usage["input_tokens"], usage["output_tokens"]
        # The mock counts for itself; aimock tells Mistral's usage only to those who ask, as Mistral's clients can't.
        if kind != "mock" and not (kind == "mistral" and usage["estimated"]):
            assert counts == (INPUT_TOKENS, OUTPUT_TOKENS), attempt
        cost_nanos += counts[0] * INPUT_NANOS + counts[1] * OUTPUT_NANOS
    assert told["cost_nanos"] == cost_nanos > 0


def _provider(slug: str, kind: Kind, upstream: Aimock | ScriptedUpstream) -> dict[str, Any]:
    if kind.preset == "mock":
        return {"slug": slug, "kind": kind.preset}
    return {
        "slug": slug,
        "kind": kind.preset,
        "base_url": upstream.origin + kind.path,
        "credential": kind.credential,
        "options": kind.options,
    }


def _route(name: str, provider: str, model: str) -> dict[str, Any]:
    return {"name": name, "max_attempts": 1, "targets": [{"provider": provider, "model": model}]}


def _price(provider: str, model: str) -> dict[str, Any]:
    rates = {"input_per_mtok": INPUT_NANOS // 1000, "output_per_mtok": OUTPUT_NANOS // 1000}
    return {"provider": provider, "model": model, **rates}


def _service_account(google: ScriptedUpstream) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "acme",
            "private_key_id": "1",
            "private_key": pem,
            "client_email": "gateway@acme.iam.gserviceaccount.example",
            "token_uri": f"{google.origin}/token",
        }
    )


def _give_token(peer: Peer) -> None:
    assert b"assertion=" in peer.body
    peer.answer(json.dumps({"access_token": CREDENTIAL, "expires_in": 3600, "token_type": "Bearer"}).encode())


def _stop_halfway(peer: Peer) -> None:
    path = peer.head.split(b" ")[1]
    folder = next((name for part, name in _RECORDED.items() if part in path), "openai")
    [recording] = (CASSETTES / folder).glob("chat_stream.*")
    whole = recording.read_bytes()
    media_type = b"text/event-stream" if recording.suffix == ".sse" else b"application/vnd.amazon.eventstream"
    peer.answer(_half_of(whole, frames=recording.suffix != ".sse"), content_type=media_type)


def _half_of(stream: bytes, *, frames: bool) -> bytes:
    """Return the first half of the events of a stream, each of them whole."""
    if not frames:
        events = stream.replace(b"\r\n", b"\n").split(b"\n\n")
        return b"".join(event + b"\n\n" for event in events[: len(events) // 2])
    ends = [0]
    while ends[-1] < len(stream):
        ends.append(ends[-1] + int.from_bytes(stream[ends[-1] : ends[-1] + 4]))
    return stream[: ends[len(ends) // 2]]
