"""Send a request, get a response: the client the adapters hold.

`send` does what every caller would otherwise repeat: take a warm connection or open one, and try once more on a fresh
one when the warm one turns out to have died in the meantime.
"""

import asyncio
import ssl

from providers.adapters.http.dialing import default_tls
from providers.adapters.http.errors import StaleConnection, UpstreamIOError
from providers.adapters.http.messages import Origin, UpstreamRequest, encode_head
from providers.adapters.http.pool import OriginPool, PoolLimits
from providers.adapters.http.response import UpstreamResponse


class HttpClient:
    """An HTTP/1.1 client for one event loop, with kept connections per origin.

    It follows no redirects, knows no cookies, proxies or HTTP/2, and adds no headers but Host and Content-Length.
    """

    def __init__(
        self,
        *,
        max_idle_per_origin: int = 128,
        max_connections_per_origin: int = 10_000,
        idle_ttl_s: float = 15.0,
        max_header_bytes: int = 64 * 1024,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._limits = PoolLimits(
            max_connections=max_connections_per_origin,
            max_idle=max_idle_per_origin,
            idle_ttl_s=idle_ttl_s,
            max_header_bytes=max_header_bytes,
        )
        self._tls = ssl_context
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pools: dict[Origin, OriginPool] = {}
        self._is_closed = False

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send a request and give its response once the head is in.

        Raises InvalidRequest, or an UpstreamIOError whose `sent` tells whether the upstream may have seen it.
        """
        loop = asyncio.get_running_loop()
        pool = self._pools.get(request.origin) or self._new_pool(loop, request.origin)
        head = encode_head(request, host_header=pool.host_header)
        total_at = loop.time() + request.timeouts.total_s
        connection = pool.take() or await pool.connect(request.timeouts, total_at=total_at)
        try:
            return await connection.exchange(request, head=head, total_at=total_at)
        except StaleConnection as stale:
            may_have_been_seen = stale.sent
        try:
            connection = await pool.connect(request.timeouts, total_at=total_at, fresh=True)
            return await connection.exchange(request, head=head, total_at=total_at)
        except UpstreamIOError as error:
            error.sent = error.sent or may_have_been_seen
            raise

    async def aclose(self) -> None:
        """Abort what is open and return when the sockets are closed. Idempotent; send() is refused from then on."""
        self._is_closed = True
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

    async def __aenter__(self) -> "HttpClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _new_pool(self, loop: asyncio.AbstractEventLoop, origin: Origin) -> OriginPool:
        if self._is_closed:
            raise RuntimeError("the client is closed")
        if self._loop not in (None, loop):
            raise RuntimeError("an HttpClient belongs to the event loop it was first used in")
        self._loop = loop
        tls = None
        if origin.scheme == "https":
            tls = self._tls = self._tls or default_tls()
        pool = self._pools[origin] = OriginPool(loop=loop, origin=origin, tls=tls, limits=self._limits)
        return pool
