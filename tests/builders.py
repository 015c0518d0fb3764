"""Small frozen things that many tests need, with everything but the point of the test at its default."""

import time
from typing import Any

import msgspec

from gateway.access import KeyDirectory
from gateway.call import Attempt, Call, Outcome
from gateway.messages import Incoming
from gateway.plane import DataPlane
from providers.adapters.connection import Connection
from providers.adapters.http import Origin, Timeouts
from providers.dialects import doors
from providers.dialects.canonical import Head
from providers.dialects.door import Door
from providers.presets import PRESETS
from providers.prices import Price, PriceBook, Rates
from routing.attempts.wire import Said
from routing.snapshot import EMPTY_TABLE, Route, RouteTable, Snapshot, Target
from tenants.keys import Caller, digest_of
from usage.counters.memory import MemoryCounters
from usage.denials import DenialLog
from usage.journal.journal import Journal
from usage.records import AttemptRecord, DenialRecord

FREE = Rates(input=0, output=0)
ONE_AND_TWO = Rates(input=1_000_000_000_000, output=2_000_000_000_000)  # 1 and 2 USD a million tokens


def connection(slug: str = "mock", kind: str = "mock", **fields: Any) -> Connection:
    """Return a connection to the mock, or to what the fields say."""
    usual: dict[str, Any] = {
        "preset": PRESETS[kind],
        "origin": Origin("http", "127.0.0.1", 9),
        "path_prefix": b"",
        "credential": "",
        "extra_headers": (),
        "timeouts": Timeouts(),
    }
    return Connection(slug=slug, **(usual | fields))


def target(slug: str = "mock", model: str = "mock-small", *, weight: int = 1, **fields: Any) -> Target:
    """Return a target on a connection of that slug."""
    upstream = fields.pop("connection", None) or connection(slug)
    usual: dict[str, Any] = {"configured_model": model, "timeouts": upstream.timeouts}
    name = f"{slug}/{model}"
    return Target(name=name, connection=upstream, model=model, weight=weight, **(usual | fields))


def route(*groups: tuple[Target, ...], name: str = "m", max_attempts: int = 3) -> Route:
    """Return a route over groups of targets; without any, over one mock target."""
    found = groups or ((target(),),)
    return Route(name=name, configured_name=name, groups=found, max_attempts=max_attempts, created_at_s=0)


def price_book(rates: Rates = ONE_AND_TWO) -> PriceBook:
    """Return a book with one price for everyone."""
    return PriceBook(lists=((Price(id=1, vendor="mock", model="m", rates=rates),),))


def snapshot(*routes: Route, book: PriceBook | None = None, by_tenant: dict[int, RouteTable] | None = None) -> Snapshot:
    """Return a snapshot with these shared routes, and one price for every model."""
    found = price_book() if book is None else book
    table = RouteTable(exact={one.name: one for one in routes}, wildcards=()) if routes else EMPTY_TABLE
    return Snapshot(
        version=1,
        shared=table,
        by_tenant=by_tenant or {},
        price_book=lambda vendor, model: found,
        provider_slugs=("mock",),
    )


def caller(**fields: Any) -> Caller:
    """Return a live caller who may do everything."""
    usual: dict[str, Any] = {
        "key_id": 1,
        "key_name": "k",
        "tenant_id": 1,
        "tenant_slug": "t",
        "tenant_active": True,
        "user_id": None,
        "scopes": frozenset({"inference", "usage"}),
        "allowed_routes": (),
        "expires_at_s": None,
        "revoked": False,
    }
    return Caller(**(usual | fields))


CHAT = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
SECRET = "sk-gw-test"


def incoming(
    body: Any = None, *, path: str = "/v1/chat/completions", secret: str | None = SECRET, **headers: str
) -> Incoming:
    """Return a request with a key; a body that is no bytes is written as JSON."""
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    if secret is not None:
        named.setdefault(b"authorization", b"Bearer " + secret.encode())
    raw = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
    return Incoming(method="GET" if body is None else "POST", path=path, headers=named, body=raw)


def said(door: Door = doors.CHAT, *, body: bytes | None = None, **fields: Any) -> Said:
    """Return what was said at a door: a chat of 400 letters, or the body with the head that the fields describe."""
    spoken = msgspec.json.encode({"model": "m", "messages": [{"role": "user", "content": "x" * 400}]})
    usual: dict[str, Any] = {"model": "m", "input_bytes": 400, "input_tokens_most": 1000}
    return Said(door, Head(**(usual | fields)), spoken if body is None else body)


def call(found: Snapshot | None = None, *, stream: bool = False, **fields: Any) -> Call:
    """Return a chat call under way on the first shared route."""
    current = found or snapshot(route())
    usual: dict[str, Any] = {
        "request_id": "req_test",
        "caller": caller(),
        "snapshot": current,
        "route": next(iter(current.shared.exact.values())),
        "said": said(stream=stream),
        "started_ns": time.perf_counter_ns(),
    }
    return Call(**(usual | fields))


class Recorder:
    """An observer that keeps what it hears; `endings` are what settled attempts came to."""

    def __init__(self) -> None:
        self.attempts: list[AttemptRecord] = []
        self.outcomes: list[Outcome] = []

    def attempt_ended(self, call: Call, attempt: Attempt) -> None:
        self.attempts.append(attempt.record(call))

    def call_ended(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    @property
    def endings(self) -> list[str]:
        return [record.ending for record in self.attempts]


def key_directory(**callers: Caller) -> KeyDirectory:
    """Return a directory of these keys, secrets given with underscores for dashes; without any, of SECRET."""
    known = {digest_of(secret.replace("_", "-")): found for secret, found in callers.items()}
    known = known or {digest_of(SECRET): caller()}

    async def look_up(digest: str) -> Caller | None:
        return known.get(digest)

    return KeyDirectory(look_up)


class UnwrittenJournal(Journal):
    """A journal that only remembers, for tests that try often."""

    accepting = True  # type: ignore[assignment]

    def __init__(self) -> None:
        self.kept: list[AttemptRecord | DenialRecord] = []

    def append(self, record: AttemptRecord | DenialRecord) -> None:
        self.kept.append(record)

    def begin(self, record: AttemptRecord) -> int:
        return 0

    def revise(self, slot: int, record: AttemptRecord) -> None:
        """Forget it: the end follows."""

    def end(self, slot: int, record: AttemptRecord) -> None:
        self.kept.append(record)


def quiet_plane(found: Snapshot | None = None, **fields: Any) -> DataPlane:
    """Return a data plane that reaches nothing and writes nothing but to memory."""
    journal = fields.get("journal") or UnwrittenJournal()
    usual: dict[str, Any] = {
        "snapshot": found or snapshot(route()),
        "keys": key_directory(),
        "adapters": {},
        "journal": journal,
        "counters": MemoryCounters("test"),
        "denials": DenialLog(journal),
        "usage_of_request": no_usage,
    }
    return DataPlane(**(usual | fields))


async def no_usage(request_id: str, key_id: int) -> list[AttemptRecord]:
    """Look up what a request used, and find nothing."""
    return []
