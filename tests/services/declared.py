"""The configuration most end-to-end tests share: who may call, what stands behind the gateway, what it costs."""

import socket
from typing import Any

from tests.services.upstreams import MockUpstream, ScriptedUpstream

ADMIN = "boss"
ADMIN_PASSWORD = "correct-horse-battery-staple-7"
CREDENTIAL = "sk-upstream-credential-8f3c2e7a"
FAULT_TIMEOUT_S = 1


class ClosedPort:
    """A port that refuses connections for as long as this object is kept: bound, and not listening."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Let go of the port."""
        self._socket.close()


def declare(*, remote: MockUpstream, scripted: ScriptedUpstream, closed: ClosedPort) -> dict[str, Any]:
    """Return a gateway.yaml: `remote` is the mock behind a socket, `scripted` says what a test tells it to say."""
    return {
        "tenants": [{"slug": "acme", "name": "Acme"}, {"slug": "other", "name": "Other"}, {"slug": "counted"}],
        "users": [
            {
                "email": "boss@acme.example",
                "username": ADMIN,
                "password": ADMIN_PASSWORD,
                "superuser": True,
                "memberships": [{"tenant": "acme", "role": "owner"}],
            }
        ],
        "keys": _keys(),
        "providers": [
            {"slug": "mock", "kind": "mock"},
            {"slug": "remote", "kind": "openai", "base_url": f"{remote.origin}/v1", "credential": CREDENTIAL},
            {"slug": "locked", "kind": "openai", "base_url": f"{remote.origin}/v1", "credential": "sk-not-the-one"},
            {
                "slug": "scripted",
                "kind": "vllm",
                "base_url": f"{scripted.origin}/v1",
                "first_byte_timeout_s": FAULT_TIMEOUT_S,
                "idle_timeout_s": FAULT_TIMEOUT_S,
            },
            {"slug": "patient", "kind": "vllm", "base_url": f"{scripted.origin}/v1"},
            {"slug": "closed", "kind": "openai", "base_url": f"{closed.origin}/v1", "credential": CREDENTIAL},
        ],
        "routes": _routes(),
        "prices": [
            {"provider": "mock", "model": "mock-small", "input_per_mtok": 0.15, "output_per_mtok": 0.6},
            {"provider": "mock", "model": "mock-embedding", "input_per_mtok": 0.02, "output_per_mtok": 0},
            {"provider": "remote", "model": "mock-small", "input_per_mtok": 0.3, "output_per_mtok": 1.2},
            {"provider": "scripted", "model": "scripted", "input_per_mtok": 1, "output_per_mtok": 2},
        ],
    }


def _keys() -> list[dict[str, Any]]:
    def key(name: str, *, tenant: str = "acme", **extra: Any) -> dict[str, Any]:
        return {"tenant": tenant, "name": name, "secret": f"sk-gw-test-{name}-0123456789abcdef", **extra}

    return [
        key("main"),
        key("second"),
        key("narrow", allowed_routes=["remote", "mock-emb*"]),
        key("expired", expires_at="2020-01-01T00:00:00Z"),
        key("reader", scopes=["usage"]),
        key("counted", tenant="counted", scopes=["inference", "usage", "management"]),
        key("foreign", tenant="other"),
    ]


def _routes() -> list[dict[str, Any]]:
    def route(name: str, *targets: tuple[str, str], **extra: Any) -> dict[str, Any]:
        listed = [{"provider": p, "model": m, "order": order} for order, (p, m) in enumerate(targets)]
        return {"name": name, "targets": listed, **extra}

    weighted = [
        {"provider": "mock", "model": "mock-small", "weight": 3},
        {"provider": "mock", "model": "mock-large", "weight": 1},
    ]
    return [
        route("mock-small", ("mock", "mock-small"), aliases=["usual"]),
        route("mock-embedding", ("mock", "mock-embedding")),
        route("remote", ("remote", "mock-small")),
        route("agreed", ("remote", "agreed")),
        route("locked", ("locked", "mock-small"), max_attempts=1),
        route("scripted", ("scripted", "scripted"), max_attempts=1),
        route("patient", ("patient", "scripted"), max_attempts=1),
        route("failover", ("scripted", "scripted"), ("remote", "mock-small")),
        route("refused", ("closed", "mock-small"), ("remote", "mock-small")),
        route("all-down", ("closed", "mock-small"), ("scripted", "scripted"), max_attempts=2),
        route("three", ("closed", "mock-small"), ("scripted", "scripted"), ("remote", "mock-small")),
        {"name": "weighted", "targets": weighted},
    ]
