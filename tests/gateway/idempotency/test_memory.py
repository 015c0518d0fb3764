"""Answers in the process: the contract, and how much room they take at most."""

import pytest

from gateway.idempotency.base import Answer, Bounds, Kept, Running
from gateway.idempotency.memory import ENTRY_BYTES, MemoryAnswers
from tests.gateway.idempotency.contract import SECOND, AnswerStoreContract, MakeStore, Pass


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def name() -> bytes:
    return b"n"


@pytest.fixture
def make_store(clock: Clock) -> MakeStore:
    return lambda bounds: MemoryAnswers(bounds, clock=clock)


@pytest.fixture
def passes(clock: Clock) -> Pass:
    async def go(seconds: float) -> None:
        clock.now_s += seconds

    return go


class TestContract(AnswerStoreContract):
    pass


async def put(store: MemoryAnswers, name: bytes, body: bytes = b"") -> None:
    claim = Running(b"f", name)
    assert await store.claim(name, claim) is None
    await store.keep(name, claim, Kept(b"f", Answer(200, (), body, streamed=False)))


async def holds(store: MemoryAnswers, name: bytes) -> bool:
    """Tell whether a name is held, and leave it as it is."""
    probe = Running(b"f", b"probe")
    held = await store.claim(name, probe) is not None
    await store.release(name, probe)
    return held


async def test_the_answer_nobody_asked_for_the_longest_makes_room() -> None:
    store = MemoryAnswers(Bounds(entries_max=3))
    for name in (b"a", b"b", b"c"):
        await put(store, name)
    assert await holds(store, b"a")
    await put(store, b"d")
    assert [await holds(store, name) for name in (b"a", b"c", b"d")] == [True, True, True]
    assert not await holds(store, b"b")


async def test_answers_take_no_more_bytes_than_said() -> None:
    each = ENTRY_BYTES + 100
    store = MemoryAnswers(Bounds(total_bytes_max=3 * each))
    for number in range(10):
        await put(store, b"%d" % number, b"x" * 100)
        assert store.size_bytes == min(number + 1, 3) * each
    assert len(store) == 3


async def test_claims_are_never_forgotten_and_make_answers_go() -> None:
    store = MemoryAnswers(Bounds(entries_max=2))
    await put(store, b"a")
    claims = {b"%d" % number: Running(b"f", b"%d" % number) for number in range(4)}
    for name, claim in claims.items():
        assert await store.claim(name, claim) is None
    assert [await store.claim(name, SECOND) for name in claims] == list(claims.values())
    assert (len(store), store.size_bytes) == (4, 0)


async def test_what_has_ended_leaves_when_something_comes(clock: Clock) -> None:
    store = MemoryAnswers(Bounds(keep_s=10), clock=clock)
    for name in (b"a", b"b"):
        await put(store, name)
    clock.now_s = 11
    await put(store, b"c", b"xyz")
    assert (len(store), store.size_bytes) == (1, ENTRY_BYTES + 3)
