"""What every store of answers does: a suite to inherit, with a fixture that makes stores over the same memory."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.idempotency.base import Answer, AnswerStore, Bounds, Kept, Running

Name = bytes
MakeStore = Callable[[Bounds], AnswerStore]
Pass = Callable[[float], Awaitable[None]]
BOUNDS = Bounds()
SHORT = Bounds(lease_s=0.05, keep_s=0.05)
FIRST = Running(b"one request", b"first")
SECOND = Running(b"one request", b"second")
ANSWER = Answer(
    200, ((b"content-type", b"application/json"), (b"x-odd", b"\xe4\x00")), b'{"a":"\xff\x00"}', streamed=False
)
KEPT = Kept(b"one request", ANSWER)


class AnswerStoreContract:
    """Inherit it, and give the fixtures `make_store`, `name` (a new one every time) and `passes` (lets time go by)."""

    @pytest.fixture
    def store(self, make_store: MakeStore) -> AnswerStore:
        return make_store(BOUNDS)

    async def test_one_of_many_gets_a_free_name(self, store: AnswerStore, name: Name) -> None:
        claims = [Running(b"one request", b"%d" % number) for number in range(40)]
        holders = await asyncio.gather(*(store.claim(name, claim) for claim in claims))
        [winner] = [claim for claim, holder in zip(claims, holders, strict=True) if holder is None]
        assert {holder for holder in holders if holder is not None} == {winner}

    async def test_names_are_apart(self, store: AnswerStore, name: Name) -> None:
        assert await store.claim(name, FIRST) is None
        assert await store.claim(name + b"2", SECOND) is None

    async def test_the_same_claim_may_be_made_again(self, store: AnswerStore, name: Name) -> None:
        assert await store.claim(name, FIRST) is None
        assert await store.claim(name, FIRST) is None
        assert await store.claim(name, SECOND) == FIRST

    @pytest.mark.parametrize("kept", [KEPT, Kept(b"one request", None)])
    async def test_an_answer_is_there_for_everyone_who_asks(self, store: AnswerStore, name: Name, kept: Kept) -> None:
        await store.claim(name, FIRST)
        assert await store.keep(name, FIRST, kept)
        assert await store.claim(name, SECOND) == kept
        assert await store.claim(name, FIRST) == kept

    async def test_an_answer_of_a_mebibyte(self, store: AnswerStore, name: Name) -> None:
        kept = Kept(b"f", Answer(200, (), b"\x00" * BOUNDS.answer_bytes_max, streamed=True))
        await store.claim(name, FIRST)
        await store.keep(name, FIRST, kept)
        assert await store.claim(name, SECOND) == kept

    async def test_a_step_done_twice_is_done_once(self, store: AnswerStore, name: Name) -> None:
        await store.claim(name, FIRST)
        assert await store.keep(name, FIRST, KEPT)
        await store.keep(name, FIRST, KEPT)
        assert await store.claim(name, SECOND) == KEPT
        await store.release(name, FIRST)
        assert await store.claim(name, SECOND) == KEPT

    async def test_a_released_name_is_free(self, store: AnswerStore, name: Name) -> None:
        await store.claim(name, FIRST)
        await store.release(name, FIRST)
        await store.release(name, FIRST)
        assert await store.claim(name, SECOND) is None

    async def test_only_the_holder_settles(self, store: AnswerStore, name: Name) -> None:
        await store.claim(name, FIRST)
        assert not await store.keep(name, SECOND, KEPT)
        assert not await store.renew(name, SECOND)
        await store.release(name, SECOND)
        assert await store.claim(name, SECOND) == FIRST

    async def test_an_answer_is_not_renewed_away(self, store: AnswerStore, name: Name) -> None:
        await store.claim(name, FIRST)
        await store.keep(name, FIRST, KEPT)
        assert not await store.renew(name, FIRST)
        assert await store.claim(name, SECOND) == KEPT

    async def test_a_claim_that_was_forgotten_is_told_again(self, store: AnswerStore, name: Name) -> None:
        assert await store.renew(name, FIRST)
        assert await store.claim(name, SECOND) == FIRST
        assert await store.keep(name + b"2", FIRST, KEPT)
        assert await store.claim(name + b"2", SECOND) == KEPT

    async def test_a_lease_ends(self, make_store: MakeStore, name: Name, passes: Pass) -> None:
        store = make_store(SHORT)
        await store.claim(name, FIRST)
        await passes(SHORT.lease_s)
        assert await store.claim(name, SECOND) is None
        assert not await store.keep(name, FIRST, KEPT)
        await store.release(name, FIRST)
        assert await store.claim(name, FIRST) == SECOND

    async def test_a_renewed_one_lasts(self, make_store: MakeStore, name: Name, passes: Pass) -> None:
        store = make_store(Bounds(lease_s=0.4))
        await store.claim(name, FIRST)
        for _ in range(3):
            await passes(0.2)
            assert await store.renew(name, FIRST)
        assert await store.claim(name, SECOND) == FIRST

    async def test_an_answer_ends(self, make_store: MakeStore, name: Name, passes: Pass) -> None:
        store = make_store(SHORT)
        await store.claim(name, FIRST)
        await store.keep(name, FIRST, KEPT)
        await passes(SHORT.keep_s)
        assert await store.claim(name, SECOND) is None

    async def test_who_waits_looks_again_in_time(self, store: AnswerStore, name: Name) -> None:
        async def wait() -> Running | Kept | None:
            while isinstance(holder := await store.claim(name, SECOND), Running):
                await store.changed(name, holder, timeout_s=60)
            return holder

        await store.claim(name, FIRST)
        waiting = asyncio.ensure_future(wait())
        await asyncio.sleep(0.01)
        await store.keep(name, FIRST, KEPT)
        async with asyncio.timeout(10):
            assert await waiting == KEPT

    async def test_who_waits_is_not_kept_longer_than_said(self, store: AnswerStore, name: Name) -> None:
        await store.claim(name, FIRST)
        async with asyncio.timeout(10):
            await store.changed(name, FIRST, timeout_s=0.001)
            await store.changed(name, FIRST, timeout_s=0)
        await store.release(name, FIRST)

    @pytest.mark.parametrize("now", [None, SECOND, KEPT])
    async def test_who_waits_for_what_is_over_need_not(
        self, store: AnswerStore, name: Name, now: Running | Kept | None
    ) -> None:
        if isinstance(now, Running):
            await store.claim(name, now)
        elif now is not None:
            await store.keep(name, FIRST, now)
        async with asyncio.timeout(10):
            await store.changed(name, FIRST, timeout_s=60)
