"""The connections to one origin: the warm ones on a stack, the busy ones counted, the queue for a free place.

Last in, first out: under falling load the connections at the bottom grow old and close, instead of all being kept
just warm enough.
"""

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass
from typing import Final

from providers.adapters.http.connection import Connection
from providers.adapters.http.dialing import dial
from providers.adapters.http.errors import ConnectFailed, ConnectTimeout, TotalTimeout
from providers.adapters.http.messages import Origin, Timeouts


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How many connections, how long, how much."""

    max_connections: int
    max_idle: int
    idle_ttl_s: float
    max_header_bytes: int


READ_BUFFER_BYTES: Final = 64 * 1024


class OriginPool:
    """Every connection to one origin."""

    __slots__ = (
        "_connections",
        "_emptied",
        "_idle",
        "_is_closed",
        "_limits",
        "_loop",
        "_open_count",
        "_origin",
        "_tls",
        "_waiters",
        "host_header",
        "max_header_bytes",
        "read_buffer",
    )

    def __init__(
        self, *, loop: asyncio.AbstractEventLoop, origin: Origin, tls: ssl.SSLContext | None, limits: PoolLimits
    ) -> None:
        self._loop = loop
        self._origin = origin
        self.host_header = origin.host_header
        self.max_header_bytes = limits.max_header_bytes
        self.read_buffer = memoryview(bytearray(READ_BUFFER_BYTES))
        self._tls = tls
        self._limits = limits
        self._idle: list[Connection] = []
        self._connections: set[Connection] = set()
        self._open_count = 0  # the connections, and the places of those being dialled
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._is_closed = False
        self._emptied: asyncio.Future[None] | None = None

    @property
    def idle_count(self) -> int:
        """How many warm connections wait."""
        return len(self._idle)

    @property
    def open_count(self) -> int:
        """How many connections there are or are about to be."""
        return self._open_count

    def take(self) -> Connection | None:
        """Give the warm connection used last, if there is one."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
        return None

    async def connect(self, timeouts: Timeouts, *, total_at: float, fresh: bool = False) -> Connection:
        """Open a connection, or wait for one when all places are taken; with `fresh` it was never used before.

        Raises ConnectFailed, ConnectTimeout, TotalTimeout; nothing was sent then.
        """
        connect_at = self._loop.time() + timeouts.connect_s
        try:
            async with asyncio.timeout_at(min(connect_at, total_at)):
                return await self._find_place(fresh=fresh)
        except TimeoutError as error:
            if total_at < connect_at:
                raise TotalTimeout(f"no connection to {self._origin} in the time left", sent=False) from error
            raise ConnectTimeout(
                f"no connection to {self._origin} within {timeouts.connect_s:g} s", sent=False
            ) from error

    async def aclose(self) -> None:
        """Abort every connection, and return when the sockets are closed."""
        self._is_closed = True
        for connection in tuple(self._connections):
            connection.shut("the client was closed")
        if self._connections:
            self._emptied = self._loop.create_future()
            await self._emptied

    # The connection's side

    def released(self, connection: Connection) -> None:
        """Take a connection back whose exchange is done: for the first in the queue, or to keep warm."""
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(connection)
        elif self._is_closed or len(self._idle) >= self._limits.max_idle:
            connection.abort()
        else:
            self._idle.append(connection)
            connection.expire_at(self._loop.time() + self._limits.idle_ttl_s)

    def lost(self, connection: Connection) -> None:
        """Strike out a connection whose socket is closed."""
        if connection not in self._connections:
            return  # it never got as far as being one
        self._connections.remove(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._free_place()
        if not self._connections and self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)

    # Inside

    async def _find_place(self, *, fresh: bool) -> Connection:
        while (handed := await self._wait_for_place()) is not None:
            if handed not in self._connections:
                continue  # lost on its way here, and its place given on
            if not fresh:
                return handed
            self._connections.remove(handed)  # its place is ours now
            handed.abort()
            break
        return await self._open()

    async def _open(self) -> Connection:
        try:
            connection = await dial(self._loop, self._origin, tls=self._tls, make_protocol=self._make_connection)
        except BaseException:
            self._free_place()
            raise
        if not connection.is_usable or self._is_closed:
            connection.abort()
            self._free_place()
            raise ConnectFailed(f"the connection to {self._origin} was closed at once", sent=False)
        self._connections.add(connection)
        return connection

    def _make_connection(self) -> Connection:
        return Connection(loop=self._loop, owner=self)

    async def _wait_for_place(self) -> Connection | None:
        """Take a place for a new connection (None), or be handed a released one when all are taken."""
        if self._open_count < self._limits.max_connections:
            self._open_count += 1
            return None
        waiter: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():
                self._pass_on(waiter.result())
            raise

    def _pass_on(self, granted: Connection | None) -> None:
        """Give away what was granted to a caller that is gone."""
        if granted is None:
            self._free_place()
        elif granted.is_usable:
            self.released(granted)

    def _free_place(self) -> None:
        """Give a place to the first in the queue; the count stays, for it is taken again."""
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(None)
        else:
            self._open_count -= 1

    def _next_waiter(self) -> "asyncio.Future[Connection | None] | None":
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None
