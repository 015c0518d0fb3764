"""What the tests of the counters share: a Redis of their own, and workers whose counters are known to stand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.services.availability import NotAvailable, skip_or_fail
from tests.usage.counters.servers import PrivateRedis
from usage.counters.base import Check, Counters
from usage.counters.memory import MemoryCounters
from usage.counters.redis import RedisCounters
from usage.counters.upkeep import CounterUpkeep
from usage.windows import Window

BEGINNING_S = 1_767_225_600.0
GRACE_S = 0.3
_numbers = count(1)


class FakeClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = BEGINNING_S

    def __call__(self) -> float:
        return self.now_s


class Change(NamedTuple):
    """A correction of what was reserved in a slice of a counter."""

    counter: str
    window: Window
    slice: int
    delta: int


def correct(counters: Counters, changes: Sequence[Change]) -> None:
    """Settle counters by name."""
    checks = [Check(change.counter, change.window, 0, None) for change in changes]
    counters.settle(checks, [change.slice for change in changes], [change.delta for change in changes])


@dataclass
class Backend:
    """Counters, and how to let time go by for them."""

    counters: Counters
    wait: Callable[[float], Any]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRedis]:
    """A Redis that a module of tests shares, each with keys of its own."""
    yield from _serve(tmp_path_factory.mktemp("redis"))


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[PrivateRedis]:
    """A Redis that one test may kill."""
    yield from _serve(tmp_path)


def _serve(directory: Path) -> Iterator[PrivateRedis]:
    try:
        served = PrivateRedis(directory)
    except NotAvailable as error:
        skip_or_fail(error)
    yield served
    served.kill()


@pytest.fixture
def prefix() -> str:
    return f"{{test{next(_numbers)}}}:"


class Workers:
    """The workers of one deployment, and its housekeeper's hold on the counters."""

    def __init__(self, url: str, prefix: str, stack: AsyncExitStack) -> None:
        self.url = url
        self.prefix = prefix
        self.upkeep = CounterUpkeep(url, prefix=prefix, grace_s=0)
        self._stack = stack
        stack.callback(self.upkeep.close)

    async def rebuild(self, *balances: Any, grace_s: float = 0) -> bool:
        upkeep = CounterUpkeep(self.url, prefix=self.prefix, grace_s=grace_s)
        try:
            return await asyncio.to_thread(upkeep.rebuild_if_lost, lambda: balances)
        finally:
            upkeep.close()

    async def add(self, worker: str, **options: Any) -> RedisCounters:
        """Start a worker; the counters are there."""
        await self.rebuild()
        counters = await self.add_unready(worker, **options)
        assert await counters.wait_trusted(5)
        return counters

    async def add_unready(self, worker: str, **options: Any) -> RedisCounters:
        counters = RedisCounters(self.url, worker=worker, prefix=self.prefix, **options)
        counters.start()
        self._stack.push_async_callback(counters.aclose)
        return counters


@pytest.fixture
async def workers(server: PrivateRedis, prefix: str) -> AsyncIterator[Workers]:
    async with AsyncExitStack() as stack:
        yield Workers(server.url, prefix, stack)


@pytest.fixture
async def own_workers(own_server: PrivateRedis, prefix: str) -> AsyncIterator[Workers]:
    async with AsyncExitStack() as stack:
        yield Workers(own_server.url, prefix, stack)


@pytest.fixture(params=["memory", "redis"])
async def backend(request: pytest.FixtureRequest, prefix: str, clock: FakeClock) -> AsyncIterator[Backend]:
    """Every backend in turn."""
    if request.param == "memory":

        async def wait(seconds: float) -> None:
            clock.now_s += seconds

        yield Backend(MemoryCounters("w1", clock=clock), wait)
        return
    async with AsyncExitStack() as stack:
        workers = Workers(request.getfixturevalue("server").url, prefix, stack)
        yield Backend(await workers.add("w1"), asyncio.sleep)
