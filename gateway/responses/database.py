"""Responses kept in the database. Turns that end together are written together: one statement for all that wait."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec
from django.db import DatabaseError, DataError, InterfaceError

from gateway.responses import rows
from gateway.responses.base import Bounds, StoredTurn, items_of
from kernel import clock, tasks
from kernel.errors import Unavailable

WAITING_MAX = 1_000
TOGETHER_MAX = 100
T = TypeVar("T")


class InDatabase(Protocol):
    """Runs synchronous work on a thread that may use the database."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


class DatabaseResponses:
    """A `base.ResponseStore` over a runner such as the lifecycle's."""

    def __init__(
        self, in_database: InDatabase, *, bounds: Bounds | None = None, now: Callable[[], datetime] = clock.now
    ) -> None:
        self._in_database = in_database
        self._bounds = bounds or Bounds()
        self._now = now
        self._waiting: list[tuple[StoredTurn, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def save(self, turn: StoredTurn) -> None:
        """Keep a turn; returns when it is written. Raises Unavailable."""
        if len(self._waiting) >= WAITING_MAX:
            raise _unavailable()
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, written))
        if self._writer is None or self._writer.done():
            self._writer = tasks.spawn(self._write_waiting(), name="write-responses")
        await written

    async def find(self, tenant_id: int, response_id: str) -> StoredTurn | None:
        """Return a tenant's turn; None where there is none, or none any more."""
        now = self._now()
        return await self._look(lambda: rows.find_turn(tenant_id, response_id, now))

    async def delete(self, tenant_id: int, response_id: str) -> bool:
        """Forget a turn, and tell whether there was one."""
        now = self._now()
        return await self._look(lambda: rows.delete_turn(tenant_id, response_id, now))

    async def chain(self, tenant_id: int, response_id: str) -> list[msgspec.Raw]:
        """Return the items of a conversation up to a response, oldest first. Raises InvalidRequest."""
        now = self._now()
        return await self._look(lambda: items_of(rows.find_chain(tenant_id, response_id, self._bounds, now)))

    async def _look(self, work: Callable[[], T]) -> T:
        try:
            return await self._in_database(work)
        except (DatabaseError, InterfaceError) as error:
            raise _unavailable() from error

    async def _write_waiting(self) -> None:
        """Write until nobody waits; whatever ends it, nobody is left waiting."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:TOGETHER_MAX], self._waiting[TOGETHER_MAX:]
                await self._write(batch)
        finally:
            _settle(self._waiting, _unavailable())
            self._waiting = []

    async def _write(self, batch: list[tuple[StoredTurn, asyncio.Future[None]]]) -> None:
        failure: Unavailable | None = _unavailable()
        try:
            await self._in_database(lambda: rows.insert_turns([turn for turn, _ in batch]))
            failure = None
        except DataError:
            for single in batch if len(batch) > 1 else []:  # one that can't be written spoils no other
                await self._write([single])
        except (DatabaseError, InterfaceError):
            pass
        finally:
            _settle(batch, failure)


def _settle(batch: list[tuple[StoredTurn, asyncio.Future[None]]], failure: Unavailable | None) -> None:
    for _, written in batch:
        if written.done():
            continue
        if failure is None:
            written.set_result(None)
        else:
            written.set_exception(failure)


def _unavailable() -> Unavailable:
    return Unavailable("The gateway can't keep responses now.", code="database_unavailable", retry_after_s=1)
