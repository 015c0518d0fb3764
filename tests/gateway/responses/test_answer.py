"""Answers are kept on their way out, and go out whatever becomes of that."""

import asyncio
import json
from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from gateway.messages import Reply
from gateway.responses import answer
from gateway.responses.answer import KeptResponse, keep_reply
from gateway.responses.base import StoredTurn
from gateway.responses.turn import Turn
from kernel.errors import Unavailable
from tests.builders import caller

TURN = Turn(caller(), b'{"model":"m","input":"x"}', "", is_kept=True)
BODY = b'{"id":"resp_1","output":[],"previous_response_id":null,"store":true}'
LAST = b'event: response.completed\ndata: {"type":"response.completed","response":' + BODY + b"}\n\n"
FIRST = b'data: {"type":"response.output_text.delta","delta":"response.completed"}\n\n'


class Chunks:
    """A stream of these chunks."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = list(chunks)
        self.closed = False

    @property
    def whole(self) -> bool:
        return not self._chunks

    def __aiter__(self) -> "Chunks":
        return self

    async def __anext__(self) -> bytes:
        if not self._chunks:
            raise StopAsyncIteration
        return self._chunks.pop(0)

    async def aclose(self) -> None:
        self.closed = True


class Shelf:
    """Saves turns, or raises what it was told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.saved: list[StoredTurn] = []
        self._error = error

    async def save(self, turn: StoredTurn) -> None:
        if self._error is not None:
            raise self._error
        self.saved.append(turn)


async def test_a_whole_answer_is_kept_and_stays_as_it_is() -> None:
    shelf = Shelf()
    reply = await keep_reply(shelf.save, TURN, Reply(200, [], body=BODY))
    assert (reply.body, reply.headers) == (BODY, [])
    assert [turn.id for turn in shelf.saved] == ["resp_1"]


async def test_an_answer_that_is_not_to_be_kept_says_only_what_it_goes_on_from() -> None:
    thin = b'{ "id": "resp_1", "store": false }'
    begins = replace(TURN, is_kept=False)
    assert (await keep_reply(None, begins, Reply(200, [], body=thin))).body == thin
    reply = await keep_reply(None, replace(begins, previous_id="resp_0"), Reply(200, [], body=thin))
    assert json.loads(reply.body) == {"id": "resp_1", "store": False, "previous_response_id": "resp_0"}
    assert reply.headers == []
    chunks = Chunks([LAST])
    assert (await keep_reply(None, begins, Reply(200, [], chunks=chunks))).chunks is chunks


async def test_a_stream_passes_as_it_is_and_is_kept_before_its_last_event() -> None:
    shelf, chunks = Shelf(), Chunks([FIRST, FIRST + LAST])
    passing = (await keep_reply(shelf.save, TURN, Reply(200, [], chunks=chunks))).chunks
    assert isinstance(passing, KeptResponse)
    assert await anext(passing) == FIRST
    assert (shelf.saved, passing.whole) == ([], False)
    assert await anext(passing) == FIRST + LAST
    assert [turn.id for turn in shelf.saved] == ["resp_1"]
    assert [chunk async for chunk in passing] == []
    await passing.aclose()
    assert (passing.whole, chunks.closed) == (True, True)


async def test_an_incomplete_answer_is_kept_and_a_failed_one_is_not() -> None:
    for kind, kept in [("incomplete", 1), ("failed", 0)]:
        shelf = Shelf()
        chunks = Chunks([LAST.replace(b"completed", kind.encode())])
        _ = [chunk async for chunk in KeptResponse(chunks, TURN, shelf.save)]
        assert len(shelf.saved) == kept


@pytest.mark.parametrize("error", [Unavailable("away"), TimeoutError()])
async def test_what_can_not_be_kept_goes_out_all_the_same(error: Exception) -> None:
    shelf = Shelf(error)
    reply = await keep_reply(shelf.save, TURN, Reply(200, [], body=BODY))
    assert (json.loads(reply.body)["store"], reply.headers) == (False, [(b"x-gateway-store", b"failed")])
    assert [chunk async for chunk in KeptResponse(Chunks([LAST]), TURN, shelf.save)] == [LAST]


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def save(turn: StoredTurn) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(answer, "SAVE_TIMEOUT_S", 0.0)
    reply = await keep_reply(save, TURN, Reply(200, [], body=BODY))
    assert reply.headers == [(b"x-gateway-store", b"failed")]


async def test_ids_beyond_the_table_are_not_kept() -> None:
    shelf = Shelf()
    await keep_reply(shelf.save, TURN, Reply(200, [], body=BODY.replace(b"resp_1", b"r" * 129)))
    assert shelf.saved == []
