"""A claim is renewed while its call runs, and settled once, whatever the store does meanwhile."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from gateway.idempotency import lease as module
from gateway.idempotency.base import Bounds, Kept, Running
from gateway.idempotency.lease import Lease
from gateway.idempotency.memory import MemoryAnswers
from kernel.errors import Unavailable
from tests.gateway.idempotency.contract import ANSWER, FIRST, KEPT, SECOND


class Fickle(MemoryAnswers):
    """A store that is away as often as it is told, and counts what it was asked."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(bounds)
        self.away = 0
        self.asked: list[str] = []
        self.asked_again = asyncio.Event()

    async def renew(self, name: bytes, claim: Running) -> bool:
        self._note("renew")
        return await super().renew(name, claim)

    async def keep(self, name: bytes, claim: Running, kept: Kept) -> bool:
        self._note("keep")
        return await super().keep(name, claim, kept)

    async def release(self, name: bytes, claim: Running) -> None:
        self._note("release")
        await super().release(name, claim)

    def _note(self, step: str) -> None:
        self.asked.append(step)
        self.asked_again.set()
        if self.away:
            self.away -= 1
            raise Unavailable("away")


MakeLease = Callable[[Fickle], Lease]
QUICK = Bounds(lease_s=0.01, call_s_max=60)
SLOW = Bounds()


async def leased(bounds: Bounds) -> tuple[Fickle, Lease]:
    store = Fickle(bounds)
    assert await store.claim(b"n", FIRST) is None
    return store, Lease(store, b"n", FIRST, bounds)


async def test_an_answer_is_kept_before_its_caller_has_it() -> None:
    store, lease = await leased(SLOW)
    await lease.keep(ANSWER)
    assert await store.claim(b"n", SECOND) == KEPT
    assert store.asked == ["keep"]


async def test_too_large_is_kept_as_a_fact() -> None:
    store, lease = await leased(SLOW)
    await lease.keep(None)
    assert await store.claim(b"n", SECOND) == Kept(FIRST.fingerprint, None)


async def test_a_released_name_is_free() -> None:
    store, lease = await leased(SLOW)
    await lease.release()
    assert await store.claim(b"n", SECOND) is None


async def test_the_first_ending_is_the_one() -> None:
    store, lease = await leased(SLOW)
    await lease.keep(ANSWER)
    await lease.release()
    assert await store.claim(b"n", SECOND) == KEPT
    assert store.asked == ["keep"]


async def test_it_is_renewed_while_the_call_runs_even_where_a_renewal_fails() -> None:
    store, lease = await leased(QUICK)
    store.away = 1
    async with asyncio.timeout(10):
        while len(store.asked) < 4:
            store.asked_again.clear()
            await store.asked_again.wait()
    assert set(store.asked) == {"renew"}
    await lease.release()


async def test_it_is_not_renewed_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    store, lease = await leased(Bounds(lease_s=0.003, call_s_max=0.003))
    with caplog.at_level(logging.WARNING):
        await asyncio.wait([lease._holding], timeout=10)
    assert store.asked == ["renew"] * 3
    assert "runs too long" in caplog.text
    await lease.keep(ANSWER)
    assert store.asked == ["renew"] * 3


@pytest.mark.parametrize("kept", [True, False])
async def test_a_store_that_is_away_at_the_end_is_told_later(monkeypatch: pytest.MonkeyPatch, kept: bool) -> None:
    monkeypatch.setattr(module, "SETTLE_PAUSE_S", 0.001)
    store, lease = await leased(SLOW)
    store.away = 5
    await (lease.keep(ANSWER) if kept else lease.release())
    assert await store.claim(b"n", SECOND) == (KEPT if kept else None)


async def test_a_caller_waits_for_that_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLE_PAUSE_S", 0.03)
    monkeypatch.setattr(module, "SETTLE_WAIT_S", 0.001)
    store, lease = await leased(SLOW)
    store.away = 1
    await lease.keep(ANSWER)
    assert await store.claim(b"n", SECOND) == FIRST
    await asyncio.wait([lease._holding], timeout=10)
    assert await store.claim(b"n", SECOND) == KEPT


async def test_a_store_that_stays_away_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "SETTLE_PAUSE_S", 0)
    store, lease = await leased(SLOW)
    store.away = 1000
    with caplog.at_level(logging.WARNING):
        await lease.keep(ANSWER)
    assert len(store.asked) == module.SETTLE_TRIES
    assert "could not be settled" in caplog.text


async def test_a_name_that_somebody_else_got_stays_theirs(caplog: pytest.LogCaptureFixture) -> None:
    store, lease = await leased(SLOW)
    await store.release(b"n", FIRST)
    await store.claim(b"n", SECOND)
    with caplog.at_level(logging.WARNING):
        await lease.keep(ANSWER)
    assert "claimed again" in caplog.text
    assert await store.claim(b"n", FIRST) == SECOND


async def test_a_caller_who_leaves_while_it_is_settled_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLE_PAUSE_S", 0.01)
    store, lease = await leased(SLOW)
    store.away = 1
    keeping = asyncio.ensure_future(lease.keep(ANSWER))
    await asyncio.sleep(0)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    await asyncio.wait([lease._holding], timeout=10)
    assert await store.claim(b"n", SECOND) == KEPT
