"""Responses that last as long as a socket: the contract, the bounds, and what is stored behind them."""

import json

import pytest

from gateway.responses.base import Bounds
from gateway.responses.volatile import VolatileResponses
from kernel.errors import InvalidRequest
from tests.gateway.responses.contract import MakeStore, ResponseStoreContract
from tests.gateway.responses.turns import Clock, turn


@pytest.fixture
def make_store() -> MakeStore:
    return lambda bounds, clock: VolatileResponses(bounds=bounds, now=clock)


class TestContract(ResponseStoreContract):
    pass


async def test_the_oldest_go_first() -> None:
    store = VolatileResponses(bounds=Bounds(turns_max=2), now=Clock())
    for name, previous in [("a", ""), ("b", "a"), ("c", "b")]:
        await store.save(turn(name, previous))
    assert await store.find(1, "a") is None
    with pytest.raises(InvalidRequest) as caught:
        await store.chain(1, "c")
    assert caught.value.code == "previous_response_not_found"


async def test_bytes_are_bounded() -> None:
    size = turn("a").size_bytes
    store = VolatileResponses(bounds=Bounds(bytes_max=2 * size), now=Clock())
    for name in "abc":
        await store.save(turn(name))
    assert [await store.find(1, name) is not None for name in "abc"] == [False, True, True]
    await store.save(turn("d", text="x" * 2 * size))
    assert await store.find(1, "d") is None


async def test_a_response_that_could_not_be_continued_is_evicted() -> None:
    store = VolatileResponses(now=Clock())
    await store.save(turn("a"))
    store.evict("a")
    store.evict("a")
    assert await store.find(1, "a") is None


async def test_a_conversation_goes_on_from_what_is_stored_behind() -> None:
    clock = Clock()
    behind = VolatileResponses(now=clock)
    store = VolatileResponses(behind=behind, now=clock)
    await behind.save(turn("a"))
    await store.save(turn("b", "a"))
    assert [json.loads(bytes(item))["id"] for item in await store.chain(1, "b")][::2] == ["msg_a", "msg_b"]
    assert await store.find(1, "a") == turn("a")
    store.evict("a")
    assert await store.find(1, "a") is not None
    assert await store.delete(1, "a")
    with pytest.raises(InvalidRequest):
        await store.chain(1, "b")
    assert not await store.delete(1, "a")
