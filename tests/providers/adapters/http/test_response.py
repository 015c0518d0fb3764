import asyncio
import gzip

import pytest

from providers.adapters.http import BodyTooLarge, BrokenResponse, IdleTimeout, UpstreamResponse
from providers.adapters.http.decoding import MAX_PIECE_BYTES


class FakeSource:
    def __init__(self) -> None:
        self.resumed = 0
        self.aborted = 0

    def resume(self) -> None:
        self.resumed += 1

    def abort(self) -> None:
        self.aborted += 1


def make(*headers: tuple[bytes, bytes]) -> tuple[UpstreamResponse, FakeSource]:
    source = FakeSource()
    loop = asyncio.get_running_loop()
    head = b"\r\n" + b"".join(b"%b: %b\r\n" % pair for pair in headers)
    return UpstreamResponse(status=200, head=head, source=source, loop=loop), source


async def test_finds_headers_by_lower_case_name() -> None:
    response, _ = make((b"x-a", b"1"), (b"x-a", b"2"))
    assert response.header(b"x-a") == b"1"
    assert response.header(b"x-b") is None


async def test_gives_what_has_come_joined_then_the_end() -> None:
    response, source = make()
    response.feed(b"a")
    response.feed(b"b")
    assert response.buffered_bytes == 2
    assert await response.next_chunk() == b"ab"
    assert (response.buffered_bytes, source.resumed) == (0, 1)
    response.feed(b"c")
    response.finish()
    assert await response.next_chunk() == b"c"
    assert await response.next_chunk() is None
    assert await response.next_chunk() is None


async def test_a_waiting_reader_is_woken() -> None:
    response, _ = make()
    loop = asyncio.get_running_loop()
    loop.call_soon(response.feed, b"late")
    loop.call_soon(response.wake)
    assert await response.next_chunk() == b"late"


async def test_what_came_before_a_failure_is_given_first() -> None:
    response, _ = make()
    response.feed(b"a")
    response.fail(IdleTimeout("silence", sent=True))
    response.fail(BrokenResponse("and then", sent=True))
    assert await response.next_chunk() == b"a"
    for _ in range(2):
        with pytest.raises(IdleTimeout, match="silence"):
            await response.next_chunk()


async def test_read_gives_the_whole_body() -> None:
    response, _ = make((b"content-length", b"3"))
    response.feed(b"a")
    response.feed(b"bc")
    response.finish()
    assert await response.read(3) == b"abc"
    assert await response.read(3) == b""


@pytest.mark.parametrize("declared", [b"4", b"99999999999999999999"])
async def test_read_refuses_a_declared_length_before_reading(declared: bytes) -> None:
    response, source = make((b"content-length", declared))
    with pytest.raises(BodyTooLarge) as caught:
        await response.read(3)
    assert caught.value.sent
    assert source.aborted == 1


async def test_read_refuses_a_body_that_grows_too_large() -> None:
    response, source = make()
    response.feed(b"abcd")
    with pytest.raises(BodyTooLarge):
        await response.read(3)
    assert source.aborted == 1
    with pytest.raises(BodyTooLarge):
        await response.next_chunk()


async def test_close_cuts_an_unfinished_message_off_once() -> None:
    response, source = make()
    response.feed(b"a")
    response.close()
    response.close()
    assert source.aborted == 1
    with pytest.raises(BrokenResponse, match="closed by the reader"):
        await response.next_chunk()


async def test_close_leaves_a_finished_message_s_connection_alone() -> None:
    response, source = make()
    response.finish()
    async with response:
        pass
    assert source.aborted == 0
    assert await response.next_chunk() is None


async def test_close_wakes_a_reader() -> None:
    response, _ = make()
    asyncio.get_running_loop().call_soon(response.close)
    with pytest.raises(BrokenResponse):
        await response.next_chunk()


async def test_a_cancelled_reader_aborts() -> None:
    response, source = make()
    reader = asyncio.ensure_future(response.next_chunk())
    await asyncio.sleep(0)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert source.aborted == 1


async def test_two_readers_are_one_too_many() -> None:
    response, _ = make()
    first = asyncio.ensure_future(response.next_chunk())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="two tasks"):
        await response.next_chunk()
    response.feed(b"a")
    response.wake()
    assert await first == b"a"


async def test_decodes_and_says_so_in_the_headers() -> None:
    body = gzip.compress(b"hello")
    response, _ = make((b"content-encoding", b"gzip"), (b"content-length", b"%d" % len(body)), (b"x", b"y"))
    assert response.headers == [(b"x", b"y")]
    assert response.header(b"content-encoding") is None
    assert response.header(b"content-length") is None
    assert response.header(b"x") == b"y"
    for i in range(len(body)):
        response.feed(body[i : i + 1])
    response.finish()
    assert await response.read(5) == b"hello"


async def test_a_decoded_chunk_is_never_empty() -> None:
    body = gzip.compress(b"hello")
    response, _ = make((b"content-encoding", b"gzip"))
    response.feed(body[:10])  # the gzip header: no output yet
    asyncio.get_running_loop().call_soon(response.feed, body[10:])
    asyncio.get_running_loop().call_soon(response.wake)
    assert await response.next_chunk() == b"hello"


async def test_an_unknown_encoding_is_left_as_it_is() -> None:
    response, _ = make((b"content-encoding", b"br"), (b"content-length", b"3"))
    response.feed(b"\x01\x02\x03")
    response.finish()
    assert response.header(b"content-encoding") == b"br"
    assert await response.read(10) == b"\x01\x02\x03"


async def test_a_bomb_meets_the_limit_of_the_reader() -> None:
    response, source = make((b"content-encoding", b"gzip"))
    response.feed(gzip.compress(b"\0" * 50_000_000))
    with pytest.raises(BodyTooLarge):
        await response.read(1_000_000)
    assert source.aborted == 1


async def test_chunks_of_a_bomb_are_bounded() -> None:
    response, _ = make((b"content-encoding", b"gzip"))
    response.feed(gzip.compress(b"\0" * 5_000_000))
    response.finish()
    total = 0
    while (chunk := await response.next_chunk()) is not None:
        assert len(chunk) <= MAX_PIECE_BYTES
        total += len(chunk)
    assert total == 5_000_000


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"hello" * 100, mtime=0)[:-4]])
async def test_a_corrupt_or_cut_encoding_is_a_broken_response(body: bytes) -> None:
    response, _ = make((b"content-encoding", b"gzip"))
    response.feed(body)
    response.finish()
    with pytest.raises(BrokenResponse, match="content-encoding"):
        await response.read(10_000)
    with pytest.raises(BrokenResponse):
        await response.next_chunk()
