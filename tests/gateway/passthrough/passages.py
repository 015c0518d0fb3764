"""What these tests share: a plane with providers to pass through to, and requests for them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from gateway.call import Call
from gateway.messages import Incoming
from gateway.passthrough.requests import Passage, make_call, read_passage
from gateway.plane import DataPlane
from routing.snapshot import Snapshot
from tests.builders import SECRET, caller, connection, key_directory, quiet_plane, snapshot
from usage.policy import BudgetRule, Policy, Scope
from usage.windows import Window

MakePlane = Callable[..., DataPlane]
SCOPES = frozenset({"inference", "usage", "passthrough"})
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3}
NANOS = 7 * 1000 + 3 * 2000


def passing(*slugs: str, **fields: Any) -> Snapshot:
    """Return a snapshot with these providers, and one price for every model."""
    return replace(snapshot(), connections={slug: connection(slug) for slug in slugs or ("mock",)}, **fields)


def budget(limit_nanos: int = 10**12) -> Policy:
    """Return a policy with one budget for everybody."""
    return Policy(budgets=(BudgetRule(1, "all", Scope(), Window("lifetime"), limit_nanos),))


def rights(**fields: Any) -> dict[str, Any]:
    """Return the field of a plane that lets the usual key pass."""
    found = caller(scopes=SCOPES, **fields)
    return {"keys": key_directory(**{SECRET.replace("-", "_"): found})}


def ask(
    rest: str, body: Any = None, *, method: str = "", slug: str = "mock", query: str = "", **headers: str
) -> Incoming:
    """Return a request for a provider; a body that is no bytes is written as JSON."""
    raw = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    named.setdefault(b"authorization", b"Bearer " + SECRET.encode())
    used = method or ("GET" if body is None else "POST")
    return Incoming(method=used, path=f"/passthrough/{slug}/{rest}", headers=named, body=raw, query=query)


def under_way(incoming: Incoming, plane: DataPlane | None = None) -> tuple[DataPlane, Call, Passage]:
    """Return a plane, and the call that a request on it makes."""
    found = plane or quiet_plane(passing())
    passage = read_passage(found.snapshot.connections["mock"], incoming, raw_path=incoming.path.encode())
    return found, *make_call(found, caller(scopes=SCOPES), passage, incoming, "req_test", started_ns=0)
