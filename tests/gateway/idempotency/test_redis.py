"""Answers in Redis: the contract on a real one, and what happens when it is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.idempotency import redis as module
from gateway.idempotency.base import Bounds
from gateway.idempotency.redis import KEY_PREFIX, RedisAnswers, connect
from kernel.errors import Unavailable
from tests.gateway.idempotency.contract import BOUNDS, FIRST, KEPT, SECOND, AnswerStoreContract, MakeStore, Pass


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    made = connect(redis_url)
    yield made
    await made.aclose()


@pytest.fixture
def name() -> bytes:
    return b"1:" + uuid4().hex.encode()


@pytest.fixture
def make_store(client: Redis) -> MakeStore:
    return lambda bounds: RedisAnswers(client, bounds)


@pytest.fixture
def passes() -> Pass:
    async def go(seconds: float) -> None:
        await asyncio.sleep(seconds + 0.005)

    return go


class TestContract(AnswerStoreContract):
    pass


async def test_nothing_stays_for_ever(client: Redis, name: bytes) -> None:
    store = RedisAnswers(client, Bounds(lease_s=30, keep_s=3600))
    await store.claim(name, FIRST)
    assert 29_000 < await client.pttl(KEY_PREFIX + name) <= 30_000
    await store.renew(name, FIRST)
    assert 29_000 < await client.pttl(KEY_PREFIX + name) <= 30_000
    await store.keep(name, FIRST, KEPT)
    assert 3_599_000 < await client.pttl(KEY_PREFIX + name) <= 3_600_000


async def test_workers_see_each_others_answers(redis_url: str, client: Redis, name: bytes) -> None:
    other = RedisAnswers(connect(redis_url), BOUNDS)
    await RedisAnswers(client, BOUNDS).claim(name, FIRST)
    assert await other.claim(name, SECOND) == FIRST
    await RedisAnswers(client, BOUNDS).keep(name, FIRST, KEPT)
    assert await other.claim(name, SECOND) == KEPT
    await other.aclose()


async def test_a_connection_that_redis_closed_is_replaced(redis_url: str, client: Redis, name: bytes) -> None:
    store = RedisAnswers(client, BOUNDS)
    assert await store.claim(name, FIRST) is None
    own = await client.client_id()
    killer = connect(redis_url)
    await killer.client_kill_filter(_id=str(own))
    await killer.aclose()
    assert await store.claim(name, SECOND) == FIRST


async def test_more_callers_than_connections_wait_for_one(client: Redis, name: bytes) -> None:
    store = RedisAnswers(client, BOUNDS)
    await store.claim(name, FIRST)
    assert set(await asyncio.gather(*(store.claim(name, SECOND) for _ in range(200)))) == {FIRST}


async def test_of_many_who_wait_one_asks(client: Redis, name: bytes) -> None:
    class Counting:
        asked = 0

        async def eval(self, script: str, numkeys: int, *keys_and_args: Any) -> Any:
            self.asked += 1
            return await client.eval(script, numkeys, *keys_and_args)

        async def aclose(self) -> None:
            """Leave the client to its fixture."""

    counting = Counting()
    store = RedisAnswers(counting, BOUNDS)
    await store.claim(name, FIRST)
    waiting = [asyncio.ensure_future(store.changed(name, FIRST, timeout_s=60)) for _ in range(100)]
    await asyncio.sleep(0.01)
    await store.keep(name, FIRST, KEPT)
    async with asyncio.timeout(10):
        await asyncio.gather(*waiting)
    assert counting.asked < 20


async def test_a_watch_ends_with_its_lease_where_nobody_waits_any_longer(client: Redis, name: bytes) -> None:
    await RedisAnswers(client, BOUNDS).claim(name, FIRST)
    store = RedisAnswers(client, Bounds(lease_s=0.01))
    await store.changed(name, FIRST, timeout_s=60)
    assert await store.claim(name, SECOND) == FIRST


async def test_those_who_wait_are_told_where_redis_goes_away() -> None:
    async with silent_server() as url:
        pass
    store = RedisAnswers(connect(url), BOUNDS)
    async with asyncio.timeout(10):
        await store.changed(b"n", FIRST, timeout_s=60)
    with pytest.raises(Unavailable):
        await store.claim(b"n", SECOND)
    await store.aclose()


async def test_what_nobody_can_read_is_unavailable(client: Redis, name: bytes) -> None:
    await client.set(KEY_PREFIX + name, b"something else", ex=10)
    with pytest.raises(Unavailable):
        await RedisAnswers(client, BOUNDS).claim(name, FIRST)


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """Yield the URL of a server that takes connections and says nothing."""
    gone = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    gone.set()
    server.close()
    await server.wait_closed()


async def refusals(url: str) -> list[Unavailable]:
    store = RedisAnswers(connect(url), BOUNDS)
    steps = [
        store.claim(b"n", FIRST),
        store.renew(b"n", FIRST),
        store.keep(b"n", FIRST, KEPT),
        store.release(b"n", FIRST),
    ]
    found = await asyncio.gather(*steps, return_exceptions=True)
    await store.aclose()
    return [error for error in found if isinstance(error, Unavailable)]


async def test_a_redis_that_is_away_is_unavailable() -> None:
    async with silent_server() as url:
        pass
    errors = await refusals(url)
    assert [(error.status, error.code) for error in errors] == [(503, "idempotency_unavailable")] * 4
    assert isinstance(errors[0].__cause__, RedisError)


async def test_a_redis_that_says_nothing_is_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP_TIMEOUT_S", 0.05)
    async with silent_server() as url:
        assert len(await refusals(url)) == 4
