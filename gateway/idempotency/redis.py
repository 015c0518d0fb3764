"""Answers kept in Redis: for a gateway of several workers or machines.

Every step is one operation on one key, so that it works on a cluster too. Steps may safely be done twice: a
connection that breaks after Redis has done one is the usual reason for another try.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, Protocol

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.idempotency.base import Bounds, Kept, Running
from kernel import tasks
from kernel.clock import Deadline
from kernel.errors import Unavailable

STEP_TIMEOUT_S = 1.0
CONNECTIONS_MAX = 32
KEY_PREFIX = b"{llmgw}:idem:"
POLL_S = 0.05
POLL_S_MAX = 0.5
POLL_GROWTH = 1.05  # who has waited 10 s doesn't mind half a second

# Each takes the claim as ARGV[1]; values are compared whole, because a claim is its owner's alone.
_CLAIM = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
local held = redis.call('GET', KEYS[1])
if held == ARGV[1] then return false end
return held
"""
_REPLACE = """
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] and held ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
_HOLDS = "return redis.call('GET', KEYS[1]) == ARGV[1]"

_encode = msgspec.msgpack.Encoder().encode
_record: msgspec.msgpack.Decoder[Running | Kept] = msgspec.msgpack.Decoder(Running | Kept)


class Evaluating(Protocol):
    """What is needed of a client, of one server or of a cluster; it must not decode answers."""

    def eval(self, script: str, numkeys: int, *keys_and_args: Any) -> Any:
        """Run a script; the result is awaited."""

    def aclose(self) -> Awaitable[None]:
        """Let go of every connection."""


def connect(url: str) -> Redis:
    """Return a client that gives up early: a caller waits for it, and would rather be told."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS_MAX,
        timeout=STEP_TIMEOUT_S,
        socket_timeout=STEP_TIMEOUT_S,
        socket_connect_timeout=STEP_TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),  # the server may have closed a connection that waited in the pool
    )
    return Redis.from_pool(pool)


class RedisAnswers:
    """An unreachable Redis is Unavailable at once: to serve without it would be to risk a second bill."""

    def __init__(self, client: Evaluating, bounds: Bounds) -> None:
        self._client = client
        self._lease_ms = round(bounds.lease_s * 1000)
        self._keep_ms = round(bounds.keep_s * 1000)
        self._watches: dict[Running, asyncio.Task[None]] = {}

    async def claim(self, name: bytes, claim: Running) -> Running | Kept | None:
        """Take a free name and return None; else return what holds it."""
        held = await self._eval(_CLAIM, name, _encode(claim), self._lease_ms)
        if held is None:
            return None
        try:
            return _record.decode(held)
        except msgspec.MsgspecError as error:
            raise _unavailable() from error

    async def renew(self, name: bytes, claim: Running) -> bool:
        """Begin the claim's lease anew; False where something else holds the name."""
        encoded = _encode(claim)
        return bool(await self._eval(_REPLACE, name, encoded, encoded, self._lease_ms))

    async def keep(self, name: bytes, claim: Running, kept: Kept) -> bool:
        """Put what became of the call in the claim's place; False where something else holds the name."""
        return bool(await self._eval(_REPLACE, name, _encode(claim), _encode(kept), self._keep_ms))

    async def release(self, name: bytes, claim: Running) -> None:
        """Make the name free, if this claim holds it."""
        await self._eval(_RELEASE, name, _encode(claim))

    async def changed(self, name: bytes, holder: Running, *, timeout_s: float) -> None:
        """Return when that claim may hold the name no more. However many wait for it here, one of them asks Redis."""
        watch = self._watches.get(holder)
        if watch is None:
            watch = self._watches[holder] = tasks.spawn(self._watch(name, holder), name="idempotency-watch")
        await asyncio.wait([watch], timeout=timeout_s)

    async def aclose(self) -> None:
        """Let go of every connection."""
        await self._client.aclose()

    async def _watch(self, name: bytes, holder: Running) -> None:
        """Ask until the claim holds no more, Redis is away, or a lease has passed: perhaps nobody waits any longer."""
        deadline = Deadline.after(self._lease_ms / 1000)
        pause_s = POLL_S
        try:
            while not deadline.passed() and await self._eval(_HOLDS, name, _encode(holder)):
                await asyncio.sleep(pause_s)
                pause_s = min(POLL_S_MAX, pause_s * POLL_GROWTH)
        except Unavailable:
            return  # those who wait ask themselves, and are told
        finally:
            del self._watches[holder]

    async def _eval(self, script: str, name: bytes, *arguments: bytes | int) -> Any:
        try:
            async with asyncio.timeout(STEP_TIMEOUT_S):
                return await self._client.eval(script, 1, KEY_PREFIX + name, *arguments)
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            raise _unavailable() from error


def _unavailable() -> Unavailable:
    return Unavailable(
        "The gateway can't look up idempotency keys now; without one it would serve.",
        code="idempotency_unavailable",
        retry_after_s=1,
    )
