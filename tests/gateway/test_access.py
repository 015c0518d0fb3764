"""Keys are found once, forgotten on command, and never let in when dead."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway import access
from gateway.access import KeyDirectory
from gateway.messages import Incoming
from kernel.errors import AuthenticationFailed, PermissionRefused, RouteUnknown, Unavailable
from tenants.keys import Caller, digest_of
from tests.builders import caller, route, snapshot

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LATER = (NOW, NOW + timedelta(seconds=1))  # when a key and its tenant changed


class Table:
    """A look-up that counts how often it is asked."""

    def __init__(self, **known: Caller) -> None:
        self.by_digest = {digest_of(secret): found for secret, found in known.items()}
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def find(self, digest: str) -> Caller | None:
        self.asked += 1
        await self.gate.wait()
        return self.by_digest.get(digest)


def _incoming(**headers: str) -> Incoming:
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return Incoming(method="POST", path="/v1/x", headers=named)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer secret"},
        {"authorization": "bearer   secret "},
        {"api_key": "secret"},
        {"x_api_key": "secret"},
        {"x_goog_api_key": "secret"},
        {"authorization": "Basic abc", "x_api_key": "secret"},
    ],
)
def test_the_key_is_taken_from_every_usual_header(headers: dict[str, str]) -> None:
    assert access.read_secret(_incoming(**headers)) == "secret"


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer "}, {"authorization": "secret"}, {"x_api_key": ""}])
def test_no_key_says_so(headers: dict[str, str]) -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        access.read_secret(_incoming(**headers))
    assert caught.value.code == "missing_api_key"


def test_an_absurd_key_is_not_even_hashed() -> None:
    with pytest.raises(AuthenticationFailed):
        access.read_secret(_incoming(x_api_key="x" * 10_000))


async def test_a_key_is_looked_up_once_and_again_after_it_changed() -> None:
    table = Table(a=caller())
    keys = KeyDirectory(table.find)
    assert await keys.find("a") == await keys.find("a") == caller()
    assert table.asked == 1
    keys.forget({digest_of("a"): LATER})
    await keys.find("a")
    assert table.asked == 2


async def test_a_key_that_was_looked_up_since_it_changed_is_not_forgotten() -> None:
    table = Table(a=caller(changed_at=LATER))
    keys = KeyDirectory(table.find)
    await keys.find("a")
    keys.forget({digest_of("a"): LATER})
    await keys.find("a")
    assert table.asked == 1
    keys.forget({digest_of("a"): (LATER[0], LATER[0])})  # a tenant's change, told by a clock that is behind
    await keys.find("a")
    assert table.asked == 2


async def test_a_key_that_was_unknown_is_looked_up_again_once_it_is_told() -> None:
    table = Table()
    keys = KeyDirectory(table.find)
    await keys.find("a")
    keys.forget({digest_of("a"): LATER})
    await keys.find("a")
    assert table.asked == 2


async def test_callers_with_the_same_new_key_share_one_look_up() -> None:
    table = Table(a=caller())
    table.gate.clear()
    keys = KeyDirectory(table.find)
    waiting = [asyncio.ensure_future(keys.find("a")) for _ in range(20)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    table.gate.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert table.asked == 1
    assert found[1:] == [caller()] * 19


async def test_a_miss_is_remembered_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    instant = 100.0
    monkeypatch.setattr(access.time, "monotonic", lambda: instant)
    table = Table()
    keys = KeyDirectory(table.find)
    assert await keys.find("x") is None
    assert await keys.find("x") is None
    assert table.asked == 1
    instant += access.MISS_REMEMBERED_S + 0.01
    await keys.find("x")
    assert table.asked == 2


async def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "KEYS_REMEMBERED_MAX", 10)
    keys = KeyDirectory(Table().find)
    for number in range(50):
        await keys.find(str(number))
    assert len(keys._known) == 10


async def test_while_nobody_can_be_asked_a_known_key_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "HIT_REMEMBERED_S", 0.0)
    monkeypatch.setattr(access, "AWAY_REMEMBERED_S", 0.0)
    away = False

    async def look_up(digest: str) -> Caller | None:
        if away:
            raise Unavailable("no database", code="database_unavailable")
        return caller()

    keys = KeyDirectory(look_up)
    known = await keys.find("sk-known")
    away = True
    assert await keys.find("sk-known") == known
    with pytest.raises(Unavailable):
        await keys.find("sk-new")
    keys.forget({digest_of("sk-known"): LATER})
    with pytest.raises(Unavailable):
        await keys.find("sk-known")


async def test_a_failed_look_up_is_not_remembered() -> None:
    calls = 0

    async def fail(digest: str) -> Caller | None:
        nonlocal calls
        calls += 1
        raise ConnectionError

    keys = KeyDirectory(fail)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await keys.find("a")
    assert calls == 2


@pytest.mark.parametrize(
    ("fields", "error", "code"),
    [
        ({"revoked": True}, AuthenticationFailed, "revoked_api_key"),
        ({"expires_at_s": time.time() - 1}, AuthenticationFailed, "expired_api_key"),
        ({"tenant_active": False}, PermissionRefused, "tenant_suspended"),
    ],
)
async def test_dead_keys_say_why(fields: dict[str, Any], error: type[Exception], code: str) -> None:
    keys = KeyDirectory(Table(a=caller(**fields)).find)
    with pytest.raises(error) as caught:
        await access.authenticate(keys, "a")
    assert getattr(caught.value, "code", None) == code


async def test_a_wrong_key_is_401_and_a_live_one_gets_in() -> None:
    keys = KeyDirectory(Table(a=caller(expires_at_s=time.time() + 60)).find)
    assert (await access.authenticate(keys, "a")).key_id == 1
    with pytest.raises(AuthenticationFailed) as caught:
        await access.authenticate(keys, "b")
    assert (caught.value.status, caught.value.code) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("allowed", "name", "may"),
    [
        ((), "anything", True),
        (("a",), "a", True),
        (("a",), "ab", False),
        (("gpt-*",), "gpt-4o", True),
        (("gpt-*",), "claude", False),
        (("*-mini",), "gpt-4o-mini", True),
        (("a*a",), "a", False),
        (("x", "*"), "anything", True),
    ],
)
def test_allowed_routes(allowed: tuple[str, ...], name: str, may: bool) -> None:
    assert access.may_use(caller(allowed_routes=allowed), name) is may


def test_a_route_is_found_refused_or_unknown() -> None:
    found = snapshot(route(name="a"), route(name="b"))
    limited = caller(allowed_routes=("a",))
    assert access.find_route(found, limited, "a").name == "a"
    with pytest.raises(PermissionRefused) as refused:
        access.find_route(found, limited, "b")
    assert (refused.value.status, refused.value.code) == (403, "model_not_allowed")
    with pytest.raises(RouteUnknown) as unknown:
        access.find_route(found, limited, "c")
    assert "Available: a." in unknown.value.message


def test_a_missing_scope_is_refused() -> None:
    access.require_scope(caller(), "usage")
    with pytest.raises(PermissionRefused):
        access.require_scope(caller(scopes=frozenset()), "usage")
