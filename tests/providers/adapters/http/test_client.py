import asyncio
import gc

import pytest

from providers.adapters.http import (
    BrokenResponse,
    ConnectFailed,
    FirstByteTimeout,
    HttpClient,
    InvalidRequest,
    Timeouts,
    UpstreamIOError,
    connection,
)
from providers.adapters.http.connection import Connection
from tests.providers.adapters.http.loopback import OK, LoopbackServer, Peer, ask, eventually, forever_ok, saying


async def call(client: HttpClient, server: LoopbackServer) -> bytes:
    async with await client.send(ask(server.origin)) as response:
        return await response.read(100)


async def test_sends_what_was_asked_and_gives_what_was_answered(client: HttpClient) -> None:
    got: list[tuple[bytes, bytes]] = []

    async def handle(peer: Peer) -> None:
        got.append(await peer.request())
        await peer.say(b"HTTP/1.1 201 Created\r\nX-Request-ID: 7\r\nContent-Length: 2\r\n\r\nok")

    async with LoopbackServer(handle) as server:
        request = ask(server.origin, target=b"/v1/chat?a=b", headers=((b"Authorization", b"Bearer s"),), body=b"{}")
        async with await client.send(request) as response:
            assert response.status == 201
            assert response.headers == [(b"x-request-id", b"7"), (b"content-length", b"2")]
            assert await response.read(2) == b"ok"
    assert got == [
        (
            b"POST /v1/chat?a=b HTTP/1.1\r\n"
            b"Host: 127.0.0.1:%d\r\nAuthorization: Bearer s\r\nContent-Length: 2\r\n\r\n" % server.origin.port,
            b"{}",
        )
    ]


async def test_an_invalid_request_opens_no_connection(client: HttpClient) -> None:
    async with LoopbackServer(forever_ok) as server:
        with pytest.raises(InvalidRequest):
            await client.send(ask(server.origin, headers=((b"x", b"a\r\nb: c"),)))
        assert server.peers == []


async def hang_up_on_the_second(peer: Peer) -> None:
    await peer.request()
    await peer.say(OK)
    if peer.number == 0:
        await peer.request()
    else:
        await forever_ok(peer)


async def reset_on_the_second(peer: Peer) -> None:
    await peer.request()
    await peer.say(OK)
    if peer.number == 0:
        await peer.reader.readexactly(1)
        peer.reset()
    else:
        await forever_ok(peer)


@pytest.mark.parametrize("handler", [hang_up_on_the_second, reset_on_the_second])
async def test_a_stale_connection_is_replaced_unseen(client: HttpClient, handler: object) -> None:
    async with LoopbackServer(handler) as server:  # type: ignore[arg-type]
        assert await call(client, server) == b"ok"
        assert await call(client, server) == b"ok"
        assert len(server.peers) == 2


async def test_many_stale_connections_cost_each_call_one_retry(client: HttpClient) -> None:
    async def handle(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)
        if peer.number < 10:
            await peer.request()  # and close
        else:
            await forever_ok(peer)

    async with LoopbackServer(handle) as server:
        assert await asyncio.gather(*[call(client, server) for _ in range(10)]) == [b"ok"] * 10
        assert await asyncio.gather(*[call(client, server) for _ in range(10)]) == [b"ok"] * 10
        assert len(server.peers) == 20


async def test_the_retry_happens_once(client: HttpClient) -> None:
    async def handle(peer: Peer) -> None:
        await peer.request()
        if peer.number == 0:
            await peer.say(OK)
            await peer.request()

    async with LoopbackServer(handle) as server:
        await call(client, server)
        with pytest.raises(BrokenResponse) as caught:
            await call(client, server)
        assert caught.value.sent
        assert len(server.peers) == 2


async def test_a_retry_that_cannot_connect_does_not_deny_the_first_try(client: HttpClient) -> None:
    server = LoopbackServer(saying(OK))

    async def handle(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)
        await peer.request()
        server._server.close()  # nobody listens when the client comes back

    server._handler = handle
    async with server:
        await call(client, server)
        with pytest.raises(ConnectFailed) as caught:
            await call(client, server)
        assert caught.value.sent


async def test_a_fresh_connection_that_closes_is_not_retried(client: HttpClient) -> None:
    async with LoopbackServer(saying(b"")) as server:
        with pytest.raises(BrokenResponse):
            await call(client, server)
        assert len(server.peers) == 1


async def test_a_request_answered_by_a_single_byte_is_not_repeated(client: HttpClient) -> None:
    async with LoopbackServer(saying(OK, b"H")) as server:
        await call(client, server)
        with pytest.raises(BrokenResponse):
            await call(client, server)
        assert len(server.peers) == 1


async def test_a_connection_that_dies_late_was_not_stale(client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STALE_WINDOW_S", 0.05)

    async def handle(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)
        await peer.request()
        await asyncio.sleep(0.2)  # it worked on the request, then died

    async with LoopbackServer(handle) as server:
        await call(client, server)
        with pytest.raises(BrokenResponse):
            await call(client, server)
        assert len(server.peers) == 1


async def test_a_timeout_is_not_retried(client: HttpClient) -> None:
    async def handle(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)
        await peer.request()
        await peer.gone()

    async with LoopbackServer(handle) as server:
        await call(client, server)
        with pytest.raises(FirstByteTimeout):
            await client.send(ask(server.origin, timeouts=Timeouts(first_byte_s=0.1)))
        assert len(server.peers) == 1


async def test_aclose_closes_every_socket_and_fails_who_waits() -> None:
    async def handle(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf-")
        await peer.gone()
        gone.append(peer.number)

    gone: list[int] = []
    async with LoopbackServer(handle) as server:
        client = HttpClient()
        responses = [await client.send(ask(server.origin)) for _ in range(3)]
        reader = asyncio.ensure_future(responses[0].read(10))
        await asyncio.sleep(0)
        await client.aclose()
        await client.aclose()
        with pytest.raises(BrokenResponse, match="client was closed"):
            await reader
        await eventually(lambda: sorted(gone) == [0, 1, 2])
        with pytest.raises(RuntimeError, match="closed"):
            await client.send(ask(server.origin))


async def test_aclose_ends_a_send_in_flight() -> None:
    async def handle(peer: Peer) -> None:
        await peer.gone()

    async with LoopbackServer(handle) as server:
        client = HttpClient(max_connections_per_origin=2)
        sends = [asyncio.ensure_future(client.send(ask(server.origin))) for _ in range(4)]
        await eventually(lambda: len(server.peers) == 2)
        await client.aclose()
        results = await asyncio.gather(*sends, return_exceptions=True)
        assert all(isinstance(result, UpstreamIOError) for result in results)


def test_a_client_stays_in_its_loop() -> None:
    client = HttpClient()

    async def use() -> None:
        async with LoopbackServer(forever_ok) as server:
            async with await client.send(ask(server.origin)) as response:
                await response.read(2)
            for pool in client._pools.values():
                await pool.aclose()

    asyncio.run(use())
    with pytest.raises(RuntimeError, match="event loop"):
        asyncio.run(use())


async def test_closed_connections_leave_no_circles(client: HttpClient) -> None:
    """The collector is frozen and rare in production: what is closed has to go by reference count alone."""
    gc.collect()
    gc.disable()
    others = {id(thing) for thing in gc.get_objects() if type(thing) is Connection}
    try:
        async with LoopbackServer(saying(OK)) as server:
            await call(client, server)
            (pool,) = client._pools.values()
            await eventually(lambda: pool.open_count == 0)
        await asyncio.sleep(0.01)
        alive = [thing for thing in gc.get_objects() if type(thing) is Connection]
        assert [thing for thing in alive if id(thing) not in others] == []
    finally:
        gc.enable()


async def test_a_thousand_calls_at_once(client: HttpClient) -> None:
    async with LoopbackServer(forever_ok) as server:
        for _ in range(2):
            results = await asyncio.gather(*[call(client, server) for _ in range(500)])
            assert results == [b"ok"] * 500
