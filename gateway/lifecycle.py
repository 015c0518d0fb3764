"""Putting the data plane together, keeping its configuration fresh, and taking it down without losing anything."""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from gateway.access import KeyDirectory
from gateway.call import Observer
from gateway.counting import open_counters, take_news, tell_finished
from gateway.idempotency.once import build_idempotency
from gateway.plane import DataPlane
from gateway.responses.database import DatabaseResponses
from gateway.turn import AtTurnsEnd
from kernel import clock, tasks
from kernel.errors import Unavailable
from kernel.ids import new_id
from providers import tokens
from providers.adapters.http import HttpClient
from providers.adapters.table import build_adapters
from routing.compile import compile_snapshot
from routing.snapshot import Snapshot
from tenants import keys
from tenants.configuration import ConfigurationVersion
from tenants.keys import Caller, Moments
from usage.denials import DenialLog
from usage.journal.journal import Journal
from usage.ledger.shipper import Shipper
from usage.records import AttemptRecord
from usage.reports.summaries import usage_of_request

REFRESH_INTERVAL_S = 0.4
DATABASE_THREADS = 2
CLOSE_WAIT_S = 10.0
# Longer than the clocks of two machines differ plus the time a transaction stays open.
CHANGED_KEYS_WINDOW = timedelta(seconds=30)
T = TypeVar("T")

logger = logging.getLogger("gateway.lifecycle")


class Lifecycle:
    """Starts and stops one worker's data plane; `plane` is there from `start` to `stop`."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = observers
        self._starting: asyncio.Task[None] | None = None
        self._refresher: asyncio.Task[None] | None = None
        self._shipping: threading.Thread | None = None
        self._stop_shipping = threading.Event()
        self._database = ThreadPoolExecutor(max_workers=DATABASE_THREADS, thread_name_prefix="data-plane-db")
        self._plane: DataPlane | None = None
        self._client: HttpClient | None = None

    @property
    def plane(self) -> DataPlane:
        """Return the running data plane."""
        if self._plane is None:
            raise RuntimeError("the data plane has not been started")
        return self._plane

    async def ensure_started(self) -> None:
        """Start once, whoever asks first: the lifespan of the server, or a request where there is none."""
        if self._plane is not None:
            return
        if self._starting is None or self._starting.done():  # done without a plane: that start failed
            self._starting = asyncio.ensure_future(self._start())
        await asyncio.shield(self._starting)

    async def stop(self) -> None:
        """Flush the journal and let go of every connection."""
        if self._refresher is not None:
            self._refresher.cancel()
        if self._plane is not None:
            self._plane.turn.end()
            self._plane.denials.flush()
            await asyncio.to_thread(self._plane.journal.close)
            await self._plane.counters.aclose()
            await self._plane.idempotency.aclose()
        if self._client is not None:
            await self._client.aclose()
        if self._shipping is not None:
            self._stop_shipping.set()
            await asyncio.to_thread(self._shipping.join)
        await self._close_connections()
        self._database.shutdown(wait=True)
        self._plane = None

    async def _start(self) -> None:
        await asyncio.to_thread(tokens.warm_up)
        worker = f"{socket.gethostname()[:40]}-{os.getpid()}-{new_id('w')[2:14]}"
        snapshot = await self._in_database(compile_snapshot)
        directory = settings.GATEWAY_JOURNAL_DIR
        counters = await open_counters(worker=worker, in_database=self._in_database)
        try:
            journal = Journal(directory, worker=worker, max_directory_bytes=settings.GATEWAY_JOURNAL_MAX_BYTES)
        except OSError:
            await counters.aclose()  # in Redis they would go on telling that this worker lives
            raise
        self._client = HttpClient()
        self._plane = DataPlane(
            snapshot=snapshot,
            keys=KeyDirectory(self._find_caller),
            adapters=build_adapters(self._client),
            journal=journal,
            counters=counters,
            denials=DenialLog(journal),
            idempotency=build_idempotency(settings.REDIS_URL),
            responses=DatabaseResponses(self._in_database),
            usual_output_cap=settings.GATEWAY_DEFAULT_MAX_OUTPUT_TOKENS,
            observers=self._observers,
            turn=AtTurnsEnd(),
            usage_of_request=self._usage_of_request,
        )
        self._refresher = tasks.spawn(self._keep_fresh(), name="refresh-configuration")
        if settings.GATEWAY_INLINE_HOUSEKEEPER:
            shipper = Shipper(directory, on_finished=tell_finished(counters, asyncio.get_running_loop()))
            self._shipping = threading.Thread(
                target=shipper.run_forever, args=(self._stop_shipping,), name="shipper", daemon=True
            )
            self._shipping.start()

    async def _find_caller(self, digest: str) -> Caller | None:
        return await self._look_up(lambda: keys.find(digest), what="keys")

    async def _usage_of_request(self, request_id: str, key_id: int) -> list[AttemptRecord]:
        return await self._look_up(lambda: usage_of_request(request_id, key_id), what="usage")

    async def _look_up(self, work: Callable[[], T], *, what: str) -> T:
        try:
            return await self._in_database(work)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("look-up failed", extra={"what": what, "reason": type(error).__name__})
            message = f"The gateway can't look up {what} now."
            raise Unavailable(message, code="database_unavailable", retry_after_s=1) from error

    async def _keep_fresh(self) -> None:
        reachable = True
        while True:
            await asyncio.sleep(REFRESH_INTERVAL_S)
            self.plane.denials.flush()
            try:
                await self._refresh()
            except (DatabaseError, InterfaceError) as error:
                if reachable:
                    logger.warning("configuration can't be read; the last one stays", extra={"reason": str(error)})
                reachable = False
            else:
                reachable = True

    async def _refresh(self) -> None:
        plane = self.plane
        version = plane.snapshot.version
        changed, snapshot = await self._in_database(lambda: _read_changes(version))
        plane.keys.forget(changed)
        if snapshot is not None:
            plane.snapshot = snapshot
            await take_news(plane.counters, in_database=self._in_database)
            logger.info("configuration replaced", extra={"version": snapshot.version})

    async def _close_connections(self) -> None:
        """Close the connection of each database thread; they wait for each other, so that none is asked twice."""
        together = threading.Barrier(DATABASE_THREADS)

        def close() -> None:
            together.wait(CLOSE_WAIT_S)
            connections.close_all()

        await asyncio.gather(*(self._in_database(close) for _ in range(DATABASE_THREADS)))

    async def _in_database(self, work: Callable[[], T]) -> T:
        """Run a synchronous look at the database on a thread of the data plane's own."""
        return await asyncio.get_running_loop().run_in_executor(self._database, _with_live_connection, work)


def _with_live_connection(work: Callable[[], T]) -> T:
    close_old_connections()
    return work()


def _read_changes(version: int) -> tuple[Mapping[str, Moments], Snapshot | None]:
    changed = keys.changed_since(clock.now() - CHANGED_KEYS_WINDOW)
    return changed, compile_snapshot() if ConfigurationVersion.current() != version else None
