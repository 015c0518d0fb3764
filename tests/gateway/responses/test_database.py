"""Responses in the database: the contract on each kind, writing together, and what happens when it is away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from django.db import DataError, OperationalError, connections

from gateway.responses import database as module
from gateway.responses import rows
from gateway.responses.base import StoredTurn
from gateway.responses.database import DatabaseResponses
from kernel.errors import Unavailable
from tests.gateway.responses.contract import MakeStore, ResponseStoreContract
from tests.gateway.responses.turns import turn

T = TypeVar("T")
Runner = Callable[[Callable[[], Any]], Awaitable[Any]]


@pytest.fixture
async def in_database(table: None) -> AsyncIterator[Runner]:
    """A runner like the lifecycle's: one thread with a connection of its own."""
    thread = ThreadPoolExecutor(max_workers=1)

    async def run(work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, work)

    yield run
    await run(connections.close_all)
    thread.shutdown()


@pytest.fixture
def make_store(in_database: Runner) -> MakeStore:
    return lambda bounds, clock: DatabaseResponses(in_database, bounds=bounds, now=clock)


class TestContract(ResponseStoreContract):
    pass


class Held:
    """A runner whose work waits until it is let go, or fails."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.error: BaseException | None = None

    async def __call__(self, work: Callable[[], Any]) -> Any:
        await self.free.wait()
        if self.error is not None:
            raise self.error
        return work()


@pytest.fixture
def inserts(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The ids that each insert would have written."""
    done: list[list[str]] = []

    def insert(turns: list[StoredTurn]) -> None:
        if len(turns) > 1 and any(turn.id == "bad" for turn in turns):
            raise DataError("too long")
        if turns[0].id == "bad":
            raise DataError("too long")
        done.append([turn.id for turn in turns])

    monkeypatch.setattr(rows, "insert_turns", insert)
    return done


async def _saves(store: DatabaseResponses, names: list[str]) -> list[asyncio.Task[None]]:
    tasks = [asyncio.ensure_future(store.save(turn(name))) for name in names]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_those_that_wait_are_written_together(inserts: list[list[str]]) -> None:
    runner = Held()
    store = DatabaseResponses(runner)
    first = await _saves(store, ["a"])
    others = await _saves(store, ["b", "c", "d"])
    assert not any(task.done() for task in (*first, *others))
    runner.free.set()
    await asyncio.gather(*first, *others)
    assert inserts == [["a"], ["b", "c", "d"]]


async def test_one_that_can_t_be_written_spoils_no_other(inserts: list[list[str]]) -> None:
    runner = Held()
    store = DatabaseResponses(runner)
    tasks = await _saves(store, ["a", "bad", "c"])
    runner.free.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), Unavailable, type(None)]
    assert inserts == [["a"], ["c"]]


async def test_a_database_that_is_away_is_unavailable(inserts: list[list[str]]) -> None:
    runner = Held()
    runner.error = OperationalError("away")
    runner.free.set()
    store = DatabaseResponses(runner)
    for call in (store.save(turn("a")), store.find(1, "a"), store.delete(1, "a"), store.chain(1, "a")):
        with pytest.raises(Unavailable) as caught:
            await call
        assert caught.value.code == "database_unavailable"
    runner.error = None
    await store.save(turn("b"))
    assert inserts == [["b"]]


async def test_nobody_waits_for_a_writer_that_is_gone(inserts: list[list[str]]) -> None:
    runner = Held()
    store = DatabaseResponses(runner)
    tasks = await _saves(store, ["a", "b"])
    tasks += await _saves(store, ["c"])
    assert store._writer is not None
    store._writer.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * 3
    runner.free.set()
    await store.save(turn("d"))
    assert inserts == [["d"]]


async def test_a_client_that_hangs_up_stops_no_other(inserts: list[list[str]]) -> None:
    runner = Held()
    store = DatabaseResponses(runner)
    gone, stays = await _saves(store, ["a", "b"])
    gone.cancel()
    runner.free.set()
    await stays
    assert gone.cancelled()


async def test_the_queue_has_a_bound(inserts: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_MAX", 2)
    runner = Held()
    store = DatabaseResponses(runner)
    tasks = await _saves(store, ["a"]) + await _saves(store, ["b", "c"])
    with pytest.raises(Unavailable):
        await store.save(turn("d"))
    runner.free.set()
    await asyncio.gather(*tasks)
