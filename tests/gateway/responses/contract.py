"""What every store of responses does: a suite to inherit, with a fixture that makes stores."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from gateway.responses.base import KEPT_FOR, Bounds, ResponseStore
from kernel.errors import InvalidRequest
from tests.gateway.responses.turns import Clock, turn

MakeStore = Callable[[Bounds, Clock], ResponseStore]


class ResponseStoreContract:
    """Inherit it, and give the fixture `make_store`."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def store(self, make_store: MakeStore, clock: Clock) -> ResponseStore:
        return make_store(Bounds(), clock)

    async def test_a_turn_comes_back_as_it_was_kept(self, store: ResponseStore) -> None:
        kept = turn("a", "z", text="h\u00e9 \U0001f600 \x00", provider="acme", upstream_id="resp_theirs")
        await store.save(kept)
        assert await store.find(1, "a") == kept
        assert await store.find(1, "b") is None

    async def test_a_turn_is_only_seen_by_its_tenant(self, store: ResponseStore) -> None:
        await store.save(turn("a"))
        assert await store.find(2, "a") is None
        assert not await store.delete(2, "a")
        with pytest.raises(InvalidRequest):
            await store.chain(2, "a")
        assert await store.find(1, "a") is not None

    async def test_what_is_kept_stays_as_it_is(self, store: ResponseStore) -> None:
        await store.save(turn("a"))
        await store.save(turn("a", tenant_id=2))
        assert await store.find(1, "a") == turn("a")
        assert await store.find(2, "a") is None

    async def test_a_deleted_turn_is_gone(self, store: ResponseStore) -> None:
        await store.save(turn("a"))
        assert await store.delete(1, "a")
        assert await store.find(1, "a") is None
        assert not await store.delete(1, "a")

    async def test_a_conversation_is_read_oldest_first(self, store: ResponseStore) -> None:
        for name, previous in [("a", ""), ("b", "a"), ("c", "b"), ("other", "a")]:
            await store.save(turn(name, previous))
        ids = [json.loads(bytes(item))["id"] for item in await store.chain(1, "c")]
        assert ids == ["msg_a", "msg_a_0", "msg_b", "msg_b_0", "msg_c", "msg_c_0"]

    @pytest.mark.parametrize("gone", ["a", "b", "c"])
    async def test_a_gap_is_named(self, store: ResponseStore, gone: str) -> None:
        for name, previous in [("a", ""), ("b", "a"), ("c", "b")]:
            await store.save(turn(name, previous))
        await store.delete(1, gone)
        with pytest.raises(InvalidRequest) as caught:
            await store.chain(1, "c")
        assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")
        assert f"'{gone}'" in caught.value.message

    async def test_a_conversation_never_crosses_tenants(self, store: ResponseStore) -> None:
        await store.save(turn("a", tenant_id=2))
        await store.save(turn("b", "a"))
        with pytest.raises(InvalidRequest) as caught:
            await store.chain(1, "b")
        assert caught.value.code == "previous_response_not_found"

    async def test_turns_that_name_each_other_end_at_the_bound(self, make_store: MakeStore, clock: Clock) -> None:
        store = make_store(Bounds(turns_max=5), clock)
        await store.save(turn("a", "b"))
        await store.save(turn("b", "a"))
        with pytest.raises(InvalidRequest) as caught:
            await store.chain(1, "a")
        assert caught.value.code == "conversation_too_long"

    async def test_time_runs_out(self, store: ResponseStore, clock: Clock) -> None:
        await store.save(turn("a"))
        await store.save(turn("b", "a", expires_at=clock() + 2 * KEPT_FOR))
        clock.pass_time(KEPT_FOR - timedelta(microseconds=1))
        assert await store.find(1, "a") is not None
        assert len(await store.chain(1, "b")) == 4
        clock.pass_time(timedelta(microseconds=1))
        assert await store.find(1, "a") is None
        assert not await store.delete(1, "a")
        with pytest.raises(InvalidRequest):
            await store.chain(1, "b")

    async def test_many_at_once_are_all_kept(self, store: ResponseStore) -> None:
        await asyncio.gather(*(store.save(turn(f"r{number}")) for number in range(150)))
        found = await asyncio.gather(*(store.find(1, f"r{number}") for number in range(150)))
        assert all(found)
