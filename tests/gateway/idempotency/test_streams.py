"""A stream is kept if all of it was handed out and it ended well, and never otherwise."""

import asyncio

import pytest

from gateway.idempotency.base import Answer, Bounds, Kept
from gateway.idempotency.lease import Lease
from gateway.idempotency.memory import MemoryAnswers
from gateway.idempotency.streams import PIECE_BYTES, KeptChunks, ReplayedChunks
from tests.gateway.idempotency.calls import Stream
from tests.gateway.idempotency.contract import FIRST, SECOND

HEADERS = ((b"content-type", b"text/event-stream"),)
HEAD = Answer(200, HEADERS, b"", streamed=True)


class Passing:
    """A stream on its way with the store it is kept in."""

    def __init__(self, stream: Stream, *, room_bytes: int = 100) -> None:
        self.stream = stream
        self.store = MemoryAnswers(Bounds())
        self._room_bytes = room_bytes

    async def open(self) -> KeptChunks:
        await self.store.claim(b"n", FIRST)
        lease = Lease(self.store, b"n", FIRST, Bounds())
        return KeptChunks(self.stream, head=HEAD, lease=lease, bytes_max=HEAD.size_bytes + self._room_bytes)

    async def became(self) -> object:
        """Return what became of the call: what is kept, None where the name is free."""
        return await self.store.claim(b"n", SECOND)


def kept(body: bytes) -> Kept:
    return Kept(FIRST.fingerprint, Answer(200, HEADERS, body, streamed=True))


async def test_a_stream_passes_untouched_and_is_kept_at_its_end() -> None:
    passing = Passing(Stream([b"a", b"bc", b"d"]))
    chunks = await passing.open()
    assert [chunk async for chunk in chunks] == [b"a", b"bc", b"d"]
    assert chunks.whole
    assert await passing.became() == kept(b"abcd")
    await chunks.aclose()
    await chunks.aclose()
    assert passing.stream.closed == 2
    assert await passing.became() == kept(b"abcd")


async def test_a_cut_stream_is_not_kept() -> None:
    passing = Passing(Stream([b"a", b"error"], cut=True))
    chunks = await passing.open()
    assert [chunk async for chunk in chunks] == [b"a", b"error"]
    assert not chunks.whole
    assert await passing.became() is None
    await chunks.aclose()


@pytest.mark.parametrize("taken", [0, 1, 2])
async def test_a_caller_who_hangs_up_frees_the_key(taken: int) -> None:
    passing = Passing(Stream([b"a", b"b", asyncio.Event(), b"c"]))
    chunks = await passing.open()
    for _ in range(taken):
        await anext(chunks)
    await chunks.aclose()
    assert passing.stream.closed == 1
    assert await passing.became() is None


async def test_a_caller_cancelled_in_the_middle_frees_it_too() -> None:
    passing = Passing(Stream([b"a", asyncio.Event(), b"c"]))
    chunks = await passing.open()
    await anext(chunks)
    waiting = asyncio.ensure_future(anext(chunks))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await chunks.aclose()
    assert await passing.became() is None


async def test_a_caller_who_has_it_all_may_go_before_its_end() -> None:
    passing = Passing(Stream([b"a", b"b"]))
    chunks = await passing.open()
    assert [await anext(chunks), await anext(chunks)] == [b"a", b"b"]
    await chunks.aclose()
    assert await passing.became() == kept(b"ab")


async def test_a_fault_of_our_own_frees_it() -> None:
    passing = Passing(Stream([b"a", ZeroDivisionError(), b"never"]))
    chunks = await passing.open()
    with pytest.raises(ZeroDivisionError):
        [chunk async for chunk in chunks]
    await chunks.aclose()
    assert await passing.became() is None


@pytest.mark.parametrize(("size_bytes", "fits"), [(100, True), (101, False)])
async def test_a_long_stream_passes_and_leaves_a_mark(size_bytes: int, fits: bool) -> None:
    passing = Passing(Stream([b"x" * 60, b"x" * (size_bytes - 60), b""]), room_bytes=100)
    chunks = await passing.open()
    assert len(b"".join([chunk async for chunk in chunks])) == size_bytes
    assert await passing.became() == (kept(b"x" * 100) if fits else Kept(FIRST.fingerprint, None))


async def test_a_long_stream_that_is_cut_leaves_none() -> None:
    passing = Passing(Stream([b"x" * 60, b"x" * 60], cut=True), room_bytes=100)
    chunks = await passing.open()
    assert len([chunk async for chunk in chunks]) == 2
    assert await passing.became() is None


@pytest.mark.parametrize(("size_bytes", "pieces"), [(0, 0), (1, 1), (PIECE_BYTES, 1), (2 * PIECE_BYTES + 1, 3)])
async def test_a_kept_stream_comes_in_a_few_pieces(size_bytes: int, pieces: int) -> None:
    chunks = ReplayedChunks(b"x" * size_bytes)
    assert chunks.whole is (size_bytes == 0)
    sent = [chunk async for chunk in chunks]
    assert (len(sent), b"".join(sent)) == (pieces, b"x" * size_bytes)
    assert chunks.whole
    await chunks.aclose()
