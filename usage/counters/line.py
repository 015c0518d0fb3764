"""The way to the Redis node that holds the counters, with a deadline on every wait.

A pool would reconnect in silence, and whoever comes back must first find out what is still there. So a worker has one
connection, which breaks aloud. On a cluster the node that is asked answers where the keys live, and is left for that.
"""

import asyncio
from typing import Any

import msgspec
import redis
from redis.asyncio import ConnectionPool as AsyncConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.backoff import NoBackoff
from redis.retry import Retry

from usage.counters.scripts import PREFIX, Script

DEADLINE_S = 1.0
_BLOCKING_DEADLINE_S = 5.0
_pack = msgspec.msgpack.Encoder().encode
FAILURES = (redis.RedisError, OSError, TimeoutError, msgspec.DecodeError)


class Moved(redis.ConnectionError):
    """Another node holds the keys; it is the one that is connected to next."""


class Line:
    """One connection on an event loop. Every failure closes it; `open` begins anew."""

    def __init__(self, url: str, *, prefix: str = PREFIX, deadline_s: float = DEADLINE_S) -> None:
        self._pool = AsyncConnectionPool.from_url(url, protocol=2, driver_info=None, socket_timeout=None)
        self._node: dict[str, Any] = {}
        self._connection: AbstractConnection | None = None
        self._deadline_s = deadline_s
        self._prefix = prefix

    async def open(self) -> None:
        """Connect. Raises one of FAILURES."""
        connection = self._pool.connection_class(**self._pool.connection_kwargs | self._node)
        try:
            async with asyncio.timeout(self._deadline_s):
                await connection.connect()  # type: ignore[no-untyped-call]  # redis-py has no types there
        except BaseException:
            self._node = {}  # the node that was named may be gone; the URL's may know another one
            await connection.disconnect(nowait=True)
            raise
        self._connection = connection

    async def load(self, script: Script) -> None:
        """Have the node keep a script, so that `call` need not send its text."""
        await self._exchange("SCRIPT", "LOAD", script.text)

    async def call(self, script: Script, request: object, *, loaded: bool = False) -> Any:
        """Run a script. Raises one of FAILURES, after which nobody knows whether it ran."""
        what = ("EVALSHA", script.sha) if loaded else ("EVAL", script.text)
        try:
            return await self._exchange(*what, 1, f"{self._prefix}epoch", self._prefix, _pack(request))
        except redis.exceptions.MovedError as error:
            self._node = _node_of(error)
            raise Moved(str(error)) from error

    async def close(self) -> None:
        """Drop the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def _exchange(self, *command: Any) -> Any:
        connection = self._connection
        if connection is None or not connection.is_connected:
            raise redis.ConnectionError("not connected")
        async with asyncio.timeout(self._deadline_s):
            await connection.send_packed_command(connection.pack_command(*command), check_health=False)
            return await connection.read_response(disable_decoding=True)


class BlockingLine:
    """The same for synchronous code, which asks rarely: it reconnects by itself."""

    def __init__(self, url: str, *, prefix: str = PREFIX) -> None:
        self._url = url
        self._prefix = prefix
        self._client = self._connect({})

    @property
    def client(self) -> "redis.Redis":
        """Return the client of the node that answered last."""
        return self._client

    def call(self, script: Script, request: object) -> Any:
        """Run a script. Raises one of FAILURES."""
        try:
            return self._eval(script, request)
        except redis.ConnectionError:
            self._reconnect({})
            raise
        except redis.exceptions.MovedError as error:
            self._reconnect(_node_of(error))
            return self._eval(script, request)

    def now_s(self) -> float:
        """Return Redis' clock. Raises one of FAILURES."""
        seconds, micros = self._client.time()
        return seconds + micros / 1e6

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _eval(self, script: Script, request: object) -> Any:
        return self._client.eval(script.text, 1, f"{self._prefix}epoch", self._prefix, _pack(request))

    def _reconnect(self, node: dict[str, Any]) -> None:
        self._client.close()
        self._client = self._connect(node)

    def _connect(self, node: dict[str, Any]) -> "redis.Redis":
        pool = redis.ConnectionPool.from_url(
            self._url,
            protocol=2,
            socket_timeout=_BLOCKING_DEADLINE_S,
            socket_connect_timeout=_BLOCKING_DEADLINE_S,
            retry=Retry(NoBackoff(), 0),
        )
        pool.connection_kwargs.update(node)
        return redis.Redis.from_pool(pool)


def _node_of(moved: redis.exceptions.MovedError) -> dict[str, Any]:
    """Return what of the connection's settings changes; a node that names no host means its own."""
    return {"host": moved.host, "port": moved.port} if moved.host else {"port": moved.port}
