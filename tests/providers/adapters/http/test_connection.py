"""One exchange on real sockets: every way of framing a body, every way of breaking one, and the clocks."""

import asyncio
import gzip
from collections.abc import Iterator

import pytest

from providers.adapters.http import (
    BrokenResponse,
    FirstByteTimeout,
    HttpClient,
    IdleTimeout,
    Timeouts,
    TotalTimeout,
    UpstreamIOError,
)
from providers.adapters.http.connection import MAX_BUFFERED_BYTES
from tests.providers.adapters.http.loopback import SOON, LoopbackServer, Peer, ask, eventually, saying

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4\r\nwiki\r\n6;ext=1\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nX-Trailer: 1\r\n\r\n"
)
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


async def get(client: HttpClient, raw: bytes, *, method: str = "POST") -> tuple[int, bytes]:
    """Ask a server that says `raw` and hangs up."""
    async with LoopbackServer(saying(raw)) as server, await client.send(ask(server.origin, method=method)) as response:
        return response.status, await response.read(1 << 20)


@pytest.mark.parametrize(
    ("raw", "status", "body"),
    [
        (HELLO, 200, b"hello"),
        (CHUNKED, 200, b"wikipedia in \r\n\r\nchunks."),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nas it is", 200, b"as it is"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO, 200, b"hello"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + CHUNKED, 200, None),
        (b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nno", 429, b"no"),
        (b"HTTP/1.1 299\r\nContent-Length: 2\r\n\r\nok", 299, b"ok"),
    ],
)
async def test_reads_every_framing(client: HttpClient, raw: bytes, status: int, body: bytes | None) -> None:
    got_status, got_body = await get(client, raw)
    assert got_status == status
    assert got_body == (b"wikipedia in \r\n\r\nchunks." if body is None else body)


async def test_interim_headers_do_not_leak_into_the_final_ones(client: HttpClient) -> None:
    raw = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + CHUNKED
    async with LoopbackServer(saying(raw)) as server, await client.send(ask(server.origin)) as response:
        await response.read(100)
        assert response.headers == [(b"transfer-encoding", b"chunked")]


async def test_a_head_request_has_no_body_whatever_its_headers_say(client: HttpClient) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
    assert await get(client, raw, method="HEAD") == (200, b"")


@pytest.mark.parametrize("raw", [CHUNKED, b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO])
async def test_every_split_of_the_bytes_reads_the_same(client: HttpClient, raw: bytes) -> None:
    async def in_two(peer: Peer) -> None:
        for cut in range(1, len(raw)):
            await peer.request()
            await peer.say(raw[:cut])
            await asyncio.sleep(0)
            await peer.say(raw[cut:])

    async with LoopbackServer(in_two) as server:
        bodies = set()
        for _ in range(1, len(raw)):
            async with await client.send(ask(server.origin)) as response:
                bodies.add(await response.read(100))
    assert len(bodies) == 1
    assert len(server.peers) == 1


async def test_byte_by_byte(client: HttpClient) -> None:
    async def drip(peer: Peer) -> None:
        await peer.request()
        for i in range(len(CHUNKED)):
            await peer.say(CHUNKED[i : i + 1])
            await asyncio.sleep(0)

    async with LoopbackServer(drip) as server, await client.send(ask(server.origin)) as response:
        assert await response.read(100) == b"wikipedia in \r\n\r\nchunks."


async def test_gzip_is_decoded_and_a_cut_of_it_is_still_a_cut(client: HttpClient) -> None:
    body = gzip.compress(b"hello" * 100)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert await get(client, head + body) == (200, b"hello" * 100)
    with pytest.raises(BrokenResponse):
        await get(client, head + body[:-1])


async def test_repeated_encodings_are_left_alone(client: HttpClient) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx"
    assert await get(client, raw) == (200, b"x")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + HELLO,
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000 + b"Content-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 50_000 + HELLO,
    ],
)
async def test_a_head_that_is_cut_or_no_http_is_a_broken_response(client: HttpClient, raw: bytes) -> None:
    with pytest.raises(BrokenResponse) as caught:
        await get(client, raw)
    assert caught.value.sent


@pytest.mark.parametrize(
    "raw",
    [
        HELLO[:-1],
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        CHUNKED[:-1],
        CHUNKED[:-20],
        CHUNKED[: CHUNKED.index(b"0\r\nX-Trailer")],
        CHUNKED[: CHUNKED.index(b"pedia")],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwikiXX\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 1_000_000 + b"\r\na\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n" + b"t: v\r\n" * 200_000 + b"\r\n",
    ],
)
async def test_a_body_that_is_cut_or_misframed_never_ends_properly(client: HttpClient, raw: bytes) -> None:
    with pytest.raises(BrokenResponse) as caught:
        await get(client, raw)
    assert caught.value.sent


async def test_the_bytes_before_a_cut_are_given(client: HttpClient) -> None:
    async with LoopbackServer(saying(HELLO[:-2])) as server, await client.send(ask(server.origin)) as response:
        assert await response.next_chunk() == b"hel"
        with pytest.raises(BrokenResponse, match="inside the body"):
            await response.next_chunk()


@pytest.mark.parametrize("raw", [b"", HELLO[:-1], b"HTTP/1.1 200 OK\r\n\r\nclose-delimited"])
async def test_a_reset_is_a_broken_response(client: HttpClient, raw: bytes) -> None:
    async def reset(peer: Peer) -> None:
        await peer.request()
        await peer.say(raw)
        await asyncio.sleep(0.05)  # the bytes arrive before the RST that would overtake them
        peer.reset()

    async with LoopbackServer(reset) as server:
        with pytest.raises(BrokenResponse):
            async with await client.send(ask(server.origin)) as response:
                await response.read(100)


async def test_a_second_answer_is_never_taken_for_the_next_one(client: HttpClient) -> None:
    for excess in (HELLO, b"H", b"garbage", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"):
        async with LoopbackServer(saying(HELLO + excess, b"wrong")) as server:
            for _ in range(2):
                async with await client.send(ask(server.origin)) as response:
                    assert await response.read(10) == b"hello"
            assert len(server.peers) == 2


async def test_bytes_nobody_asked_for_end_a_kept_connection(client: HttpClient) -> None:
    async def chatty(peer: Peer) -> None:
        await peer.request()
        await peer.say(HELLO)
        await asyncio.sleep(0.05)
        await peer.say(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        await peer.gone()
        heard.set()

    heard = asyncio.Event()
    async with LoopbackServer(chatty) as server, asyncio.timeout(SOON):
        async with await client.send(ask(server.origin)) as response:
            assert await response.read(10) == b"hello"
        await heard.wait()


# Clocks


async def stall(peer: Peer) -> None:
    await peer.request()
    await peer.gone()


async def stall_in_body(peer: Peer) -> None:
    await peer.request()
    await peer.say(HELLO[:-2])
    await peer.gone()


async def drip_for_ever(peer: Peer) -> None:
    await peer.request()
    await peer.say(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        await peer.say(b".")
        await asyncio.sleep(0.01)


async def drip_headers_for_ever(peer: Peer) -> None:
    await peer.request()
    await peer.say(b"HTTP/1.1 200 OK\r\n")
    while True:
        await peer.say(b"x: y\r\n")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("handler", "timeouts", "error"),
    [
        (stall, Timeouts(first_byte_s=0.1), FirstByteTimeout),
        (drip_headers_for_ever, Timeouts(first_byte_s=0.1), FirstByteTimeout),
        (stall, Timeouts(total_s=0.1), TotalTimeout),
        (stall_in_body, Timeouts(idle_s=0.1), IdleTimeout),
        (stall_in_body, Timeouts(total_s=0.1), TotalTimeout),
        (drip_for_ever, Timeouts(idle_s=0.2, total_s=0.5), TotalTimeout),
    ],
)
async def test_each_clock_ends_the_exchange_and_closes_the_socket(
    client: HttpClient, handler: object, timeouts: Timeouts, error: type[UpstreamIOError]
) -> None:
    closed = asyncio.Event()

    async def watched(peer: Peer) -> None:
        try:
            await handler(peer)  # type: ignore[operator]
        finally:
            closed.set()

    async with LoopbackServer(watched) as server, asyncio.timeout(SOON):
        with pytest.raises(error) as caught:
            async with await client.send(ask(server.origin, timeouts=timeouts)) as response:
                await response.read(1 << 20)
        assert caught.value.sent
        await closed.wait()


async def test_a_body_that_keeps_coming_is_not_idle(client: HttpClient) -> None:
    async def slow(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            await asyncio.sleep(0.1)
            await peer.say(b".")

    timeouts = Timeouts(idle_s=0.5)
    async with (
        LoopbackServer(slow) as server,
        await client.send(ask(server.origin, timeouts=timeouts)) as response,
    ):
        assert await response.read(8) == b"." * 8


async def test_the_timer_of_one_exchange_does_not_end_the_next(client: HttpClient) -> None:
    async def handle(peer: Peer) -> None:
        await peer.request()
        await peer.say(HELLO)
        await peer.request()
        await asyncio.sleep(0.4)
        await peer.say(HELLO)

    async with LoopbackServer(handle) as server:
        for timeouts in (Timeouts(first_byte_s=0.2, total_s=0.2), Timeouts()):
            async with await client.send(ask(server.origin, timeouts=timeouts)) as response:
                assert await response.read(5) == b"hello"
    assert len(server.peers) == 1


# Cancellation


@pytest.mark.parametrize("handler", [stall, stall_in_body])
async def test_cancelling_closes_the_socket_at_once(client: HttpClient, handler: object) -> None:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    gone_at = loop.create_future()

    async def watched(peer: Peer) -> None:
        loop.call_later(0.05, asked.set)
        await handler(peer)  # type: ignore[operator]
        gone_at.set_result(loop.time())

    async def call(origin_request: object) -> None:
        async with await client.send(origin_request) as response:  # type: ignore[arg-type]
            await response.read(100)

    async with LoopbackServer(watched) as server, asyncio.timeout(SOON):
        task = asyncio.ensure_future(call(ask(server.origin)))
        await asked.wait()
        cancelled_at = loop.time()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await gone_at - cancelled_at < 0.1


async def test_closing_an_unfinished_response_closes_the_socket_at_once(client: HttpClient) -> None:
    loop = asyncio.get_running_loop()
    gone_at = loop.create_future()

    async def watched(peer: Peer) -> None:
        await stall_in_body(peer)
        gone_at.set_result(loop.time())

    async with LoopbackServer(watched) as server, asyncio.timeout(SOON):
        response = await client.send(ask(server.origin))
        closed_at = loop.time()
        response.close()
        response.close()
        assert await gone_at - closed_at < 0.1


async def test_a_cancelled_sender_does_not_take_the_connection_from_the_next(client: HttpClient) -> None:
    """Cancel in every turn of the loop between the request and the caller's hearing of its answer."""
    async with LoopbackServer(saying(*[HELLO] * 50)) as server:
        for turns in range(40):
            task = asyncio.ensure_future(client.send(ask(server.origin)))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            async with await client.send(ask(server.origin)) as response:
                assert await response.read(5) == b"hello"


# Pace


async def test_an_unread_body_pauses_its_sender_and_goes_on(client: HttpClient) -> None:
    size = 30_000_000
    written = 0

    async def pour(peer: Peer) -> None:
        nonlocal written
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while written < size:
            await peer.say(b"x" * 100_000)
            written += 100_000

    async with LoopbackServer(pour) as server, await client.send(ask(server.origin)) as response:
        before = -1
        while before != written:  # until the sender stands still
            before = written
            await asyncio.sleep(0.1)
        assert written < size
        assert response.buffered_bytes <= MAX_BUFFERED_BYTES + 256 * 1024  # one read more than the mark
        received = 0
        while (chunk := await response.next_chunk()) is not None:
            received += len(chunk)
        assert received == size


async def test_a_slow_reader_is_not_the_upstreams_silence(client: HttpClient) -> None:
    async def pour(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n" + b"x" * 20_000_000)

    timeouts = Timeouts(idle_s=0.2)
    async with (
        LoopbackServer(pour) as server,
        await client.send(ask(server.origin, timeouts=timeouts)) as response,
    ):
        await asyncio.sleep(0.6)
        assert len(await response.read(20_000_000)) == 20_000_000


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 3_000_000])
async def test_bodies_of_every_size_arrive_whole(client: HttpClient, size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    got: list[bytes] = []

    async def take(peer: Peer) -> None:
        for _ in range(2):
            got.append((await peer.request())[1])
            await peer.say(HELLO)

    async with LoopbackServer(take) as server:
        for _ in range(2):
            async with await client.send(ask(server.origin, body=body[:size])) as response:
                assert await response.read(5) == b"hello"
    assert got == [body[:size]] * 2
    assert len(server.peers) == 1


async def test_a_large_body_waits_for_its_reader(client: HttpClient) -> None:
    """The peer reads nothing at first; cancellation ends the wait."""
    started = asyncio.Event()

    async def lazy(peer: Peer) -> None:
        started.set()
        await asyncio.sleep(SOON)

    async with LoopbackServer(lazy) as server:
        task = asyncio.ensure_future(client.send(ask(server.origin, body=b"x" * 30_000_000)))
        await started.wait()
        await asyncio.sleep(0.05)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_large_body_to_a_peer_that_never_reads_times_out(client: HttpClient) -> None:
    async def deaf(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(SOON)

    async with LoopbackServer(deaf) as server:
        with pytest.raises(FirstByteTimeout):
            await client.send(ask(server.origin, body=b"x" * 30_000_000, timeouts=Timeouts(first_byte_s=0.2)))


async def test_an_early_answer_to_a_large_body_is_taken_and_the_connection_not_kept(client: HttpClient) -> None:
    async def refuse(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!")
        await peer.gone()

    async with LoopbackServer(refuse) as server:
        async with await client.send(ask(server.origin, body=b"x" * 30_000_000)) as response:
            assert (response.status, await response.read(3)) == (413, b"no!")
        await eventually(lambda: server.peers[0].reader.at_eof() or bool(server.peers[0].reader.exception()))


class Counted:
    """Segments that tell how many of them were taken."""

    content_type = b"application/octet-stream"

    def __init__(self, count: int) -> None:
        self.count = count
        self.taken = 0
        self.begun = 0

    @property
    def total_bytes(self) -> int:
        return self.count * 64 * 1024

    def pieces(self) -> Iterator[bytes]:
        self.begun += 1
        for number in range(self.count):
            self.taken += 1
            yield bytes([number % 256]) * (64 * 1024)


@pytest.mark.parametrize("count", [0, 1, 40])
async def test_segments_go_out_in_their_order_and_the_connection_is_kept(client: HttpClient, count: int) -> None:
    got = []

    async def take(peer: Peer) -> None:
        for _ in range(2):
            got.append((await peer.request())[1])
            await peer.say(HELLO)

    async with LoopbackServer(take) as server:
        for _ in range(2):
            async with await client.send(ask(server.origin, body=Counted(count))) as response:
                assert await response.read(5) == b"hello"
    assert got == [b"".join(Counted(count).pieces())] * 2
    assert len(server.peers) == 1


async def test_segments_are_taken_only_as_fast_as_the_peer_reads(client: HttpClient) -> None:
    async def deaf(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(SOON)

    body = Counted(2_000)
    async with LoopbackServer(deaf) as server:
        with pytest.raises(FirstByteTimeout):
            await client.send(ask(server.origin, body=body, timeouts=Timeouts(first_byte_s=0.2)))
    assert 0 < body.taken < 500


async def test_segments_start_over_where_a_kept_connection_had_died(client: HttpClient) -> None:
    got = []

    async def hang_up_on_the_second(peer: Peer) -> None:
        got.append((await peer.request())[1])
        await peer.say(HELLO)
        if peer.number == 0:
            await peer.reader.readexactly(1)
            peer.reset()
        else:
            await peer.gone()

    body = Counted(10)
    async with LoopbackServer(hang_up_on_the_second) as server:
        for sent in (b"first", body):
            async with await client.send(ask(server.origin, body=sent)) as response:
                assert await response.read(5) == b"hello"
    assert got == [b"first", b"".join(Counted(10).pieces())]
    assert body.begun == 2


async def test_the_first_chunk_is_not_held_back(client: HttpClient) -> None:
    release = asyncio.Event()

    async def stream(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await peer.say(b"1\r\na\r\n")
        await release.wait()
        await peer.say(b"1\r\nb\r\n0\r\n\r\n")

    async with (
        LoopbackServer(stream) as server,
        asyncio.timeout(SOON),
        await client.send(ask(server.origin)) as response,
    ):
        assert await response.next_chunk() == b"a"
        release.set()
        assert await response.next_chunk() == b"b"
        assert await response.next_chunk() is None
