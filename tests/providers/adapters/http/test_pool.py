"""Which connection a request gets, which are kept, and who waits."""

import asyncio

import pytest

from providers.adapters.http import ConnectFailed, ConnectTimeout, HttpClient, Timeouts, TotalTimeout
from providers.adapters.http.pool import OriginPool
from tests.providers.adapters.http.loopback import OK, SOON, LoopbackServer, Peer, ask, eventually, forever_ok, saying


def pool_of(client: HttpClient) -> OriginPool:
    (pool,) = client._pools.values()
    return pool


async def call(client: HttpClient, server: LoopbackServer, **timeouts: float) -> bytes:
    async with await client.send(ask(server.origin, timeouts=Timeouts(**timeouts))) as response:
        return await response.read(100)


async def numbered(peer: Peer) -> None:
    """Answer with the number of the connection."""
    while True:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % peer.number)


async def test_one_after_the_other_share_a_connection(client: HttpClient) -> None:
    async with LoopbackServer(forever_ok) as server:
        for _ in range(5):
            assert await call(client, server) == b"ok"
        assert len(server.peers) == 1
        assert (pool_of(client).idle_count, pool_of(client).open_count) == (1, 1)


async def test_calls_at_once_have_connections_of_their_own(client: HttpClient) -> None:
    async with LoopbackServer(forever_ok) as server:
        await asyncio.gather(*[call(client, server) for _ in range(20)])
        assert len(server.peers) == 20
        assert pool_of(client).idle_count == 20
        await asyncio.gather(*[call(client, server) for _ in range(20)])
        assert len(server.peers) == 20


async def test_the_connection_used_last_is_used_next(client: HttpClient) -> None:
    async with LoopbackServer(numbered) as server:
        requests = [await client.send(ask(server.origin)) for _ in range(1)]
        await asyncio.gather(*[call(client, server) for _ in range(3)])
        for response in requests:
            await response.read(1)
        last = await call(client, server)
        assert [await call(client, server) for _ in range(5)] == [last] * 5


async def test_a_connection_is_free_when_the_last_byte_is_in_even_if_nobody_read_it(client: HttpClient) -> None:
    async with LoopbackServer(numbered) as server:
        first = await client.send(ask(server.origin))
        await eventually(lambda: first.complete)
        assert await call(client, server) == b"0"
        assert await first.read(1) == b"0"


async def test_origins_do_not_mix(client: HttpClient) -> None:
    async with LoopbackServer(forever_ok) as one, LoopbackServer(forever_ok) as two:
        await call(client, one)
        await call(client, two)
        assert (len(one.peers), len(two.peers)) == (1, 1)


async def test_a_connection_closed_by_its_idle_peer_drops_out_at_once(client: HttpClient) -> None:
    async with LoopbackServer(saying(OK)) as server:
        await call(client, server)
        await eventually(lambda: pool_of(client).open_count == 0)
        assert pool_of(client).idle_count == 0
        await call(client, server)
        assert len(server.peers) == 2


async def test_connections_unused_for_their_time_are_closed() -> None:
    gone = asyncio.Event()

    async def handle(peer: Peer) -> None:
        try:
            await forever_ok(peer)
        finally:
            gone.set()

    async with HttpClient(idle_ttl_s=0.05) as client, LoopbackServer(handle) as server, asyncio.timeout(SOON):
        await call(client, server)
        await gone.wait()
        await eventually(lambda: pool_of(client).open_count == 0)


async def test_no_more_than_so_many_are_kept() -> None:
    async with HttpClient(max_idle_per_origin=2) as client, LoopbackServer(forever_ok) as server:
        await asyncio.gather(*[call(client, server) for _ in range(6)])
        await eventually(lambda: pool_of(client).open_count == 2)
        assert pool_of(client).idle_count == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_a_connection_the_peer_wants_closed_is_not_kept(client: HttpClient, raw: bytes) -> None:
    async with LoopbackServer(saying(raw, raw, raw)) as server:
        await call(client, server)
        await call(client, server)
        assert len(server.peers) == 2


async def test_http_1_0_keep_alive_is_kept(client: HttpClient) -> None:
    raw = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"
    async with LoopbackServer(saying(raw, raw, raw)) as server:
        await call(client, server)
        await call(client, server)
        assert len(server.peers) == 1


async def test_past_the_limit_calls_queue_for_a_connection() -> None:
    busy = most_busy = 0

    async def handle(peer: Peer) -> None:
        nonlocal busy, most_busy
        while True:
            await peer.request()
            busy += 1
            most_busy = max(most_busy, busy)
            await asyncio.sleep(0.005)
            busy -= 1
            await peer.say(OK)

    async with HttpClient(max_connections_per_origin=3) as client, LoopbackServer(handle) as server:
        assert await asyncio.gather(*[call(client, server) for _ in range(30)]) == [b"ok"] * 30
        assert most_busy == 3
        assert len(server.peers) == 3
        assert pool_of(client).open_count == 3


async def test_a_closed_connection_frees_a_place_in_the_queue() -> None:
    async with HttpClient(max_connections_per_origin=1) as client, LoopbackServer(saying(OK)) as server:
        assert await asyncio.gather(*[call(client, server) for _ in range(5)]) == [b"ok"] * 5
        assert len(server.peers) == 5
        await eventually(lambda: pool_of(client).open_count == 0)


@pytest.mark.parametrize(
    ("timeouts", "error"), [({"connect_s": 0.1}, ConnectTimeout), ({"total_s": 0.1}, TotalTimeout)]
)
async def test_the_queue_has_a_time_limit(timeouts: dict[str, float], error: type[Exception]) -> None:
    async def never(peer: Peer) -> None:
        await peer.gone()

    async with HttpClient(max_connections_per_origin=1) as client, LoopbackServer(never) as server:
        holder = asyncio.ensure_future(call(client, server))
        await eventually(lambda: len(server.peers) == 1)
        with pytest.raises(error) as caught:
            await call(client, server, **timeouts)
        assert not getattr(caught.value, "sent", True)
        holder.cancel()
        await asyncio.wait([holder])
        await eventually(lambda: pool_of(client).open_count == 0)


async def test_a_cancelled_waiter_loses_no_place() -> None:
    """Cancel in every turn of the loop around the moment when the place is granted."""
    async with HttpClient(max_connections_per_origin=1) as client, LoopbackServer(forever_ok) as server:
        for turns in range(30):
            holder = asyncio.ensure_future(call(client, server))
            await asyncio.sleep(0)
            waiter = asyncio.ensure_future(call(client, server))
            for _ in range(turns):
                await asyncio.sleep(0)
            waiter.cancel()
            assert await holder == b"ok"
            await asyncio.wait([waiter])
            assert await call(client, server) == b"ok"
            assert pool_of(client).open_count <= 1


async def test_a_failed_dial_gives_its_place_back() -> None:
    async with HttpClient(max_connections_per_origin=1) as client:
        async with LoopbackServer(forever_ok) as server:
            pass
        for _ in range(3):
            with pytest.raises(ConnectFailed):
                await call(client, server)
        assert pool_of(client).open_count == 0
