"""A call with a key is made once and answered as often as it is asked for, whatever store keeps the answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.idempotency import once as module
from gateway.idempotency.base import Answer, Bounds, Kept, Running
from gateway.idempotency.memory import MemoryAnswers
from gateway.idempotency.once import Idempotency, build_idempotency, once
from gateway.idempotency.redis import RedisAnswers, connect
from gateway.messages import Incoming, Reply
from kernel.errors import (
    GatewayError,
    IdempotencyConflict,
    IdempotencyInProgress,
    InvalidRequest,
    Unavailable,
    UpstreamTimeout,
)
from tests.builders import CHAT, caller, incoming
from tests.gateway.idempotency.calls import Calls, Stream, streamed, whole

ME = caller()
Ask = Callable[..., Awaitable[Reply]]


def nothing_left() -> None:
    """Do what is left to do on an answer."""


@pytest.fixture(params=["memory", "redis"])
async def answers(request: pytest.FixtureRequest) -> AsyncIterator[Idempotency]:
    url = "" if request.param == "memory" else request.getfixturevalue("redis_url")
    made = build_idempotency(url)
    yield made
    await made.aclose()


@pytest.fixture
def ask(answers: Idempotency) -> Ask:
    """Ask with a key that no other test has."""
    key = uuid4().hex

    async def go(calls: Calls, *, body: Any = CHAT, key: str = key, **fields: Any) -> Reply:
        asked = incoming(body, idempotency_key=key)
        who = fields.pop("who", ME)
        return await once(
            answers, who, msgspec.structs.replace(asked, **fields), "req_test", calls, complete=nothing_left
        )

    return go


async def read(reply: Reply) -> bytes:
    """Read a stream to its end, as the handler does."""
    assert reply.chunks is not None
    try:
        return b"".join([chunk async for chunk in reply.chunks])
    finally:
        await reply.chunks.aclose()


def replayed(reply: Reply) -> bool:
    return (b"idempotency-replayed", b"true") in reply.headers


async def test_without_a_key_it_is_a_call() -> None:
    class Untouchable(Idempotency):
        @property
        def store(self) -> Any:
            raise AssertionError("nobody asked for it")

    calls = Calls(whole(b"1"), whole(b"2"))
    for body in (b"1", b"2"):
        reply = await once(
            Untouchable.__new__(Untouchable), ME, incoming(CHAT), "req_test", calls, complete=nothing_left
        )
        assert (reply.body, replayed(reply)) == (body, False)


async def test_only_a_post_has_a_key(ask: Ask) -> None:
    calls = Calls(whole(b"1"), whole(b"2"))
    assert [(await ask(calls, method="GET")).body for _ in range(2)] == [b"1", b"2"]


async def test_the_first_answer_comes_again_and_is_made_once(ask: Ask) -> None:
    calls = Calls(whole(status=201))
    first = await ask(calls)
    first.headers.append((b"x-request-id", b"its own"))  # as the edge does
    again, third = await ask(calls), await ask(calls)
    assert calls.made == 1
    assert not replayed(first)
    for reply in (again, third):
        assert (reply.status, reply.body, reply.chunks) == (201, first.body, None)
        assert reply.headers == [*first.headers[:-1], (b"idempotency-replayed", b"true")]


async def test_a_stream_comes_again_as_a_stream(ask: Ask) -> None:
    calls = Calls(streamed(b"data: 1\n\n", b"data: 2\n\n"))
    assert await read(await ask(calls)) == b"data: 1\n\ndata: 2\n\n"
    again = await ask(calls)
    assert replayed(again)
    assert dict(again.headers)[b"content-type"] == b"text/event-stream"
    assert await read(again) == b"data: 1\n\ndata: 2\n\n"
    assert calls.made == 1


@pytest.mark.parametrize(
    "other", [{"body": CHAT | {"n": 2}}, {"path": "/v1/embeddings"}, {"query": "a=b"}, {"body": b"x" * (2 << 20)}]
)
async def test_another_request_with_the_key_is_refused(ask: Ask, other: dict[str, Any]) -> None:
    calls = Calls(whole())
    await ask(calls)
    with pytest.raises(IdempotencyConflict) as caught:
        await ask(calls, **other)
    assert (caught.value.status, caught.value.code) == (422, "idempotency_key_reused")
    assert calls.made == 1


async def test_it_is_refused_while_the_first_is_still_being_made(ask: Ask) -> None:
    calls = Calls(whole())
    calls.hold()
    first = asyncio.ensure_future(ask(calls))
    await calls.begun.wait()
    with pytest.raises(IdempotencyConflict):
        await ask(calls, query="a=b")
    calls.go_on.set()
    await first


async def test_a_key_is_its_callers_own(ask: Ask) -> None:
    calls = Calls(whole(b"1"), whole(b"2"))
    assert (await ask(calls)).body == b"1"
    assert (await ask(calls, who=caller(key_id=2))).body == b"2"


async def test_one_key_is_not_another(ask: Ask) -> None:
    calls = Calls(whole(b"1"), whole(b"2"))
    prefix = uuid4().hex
    assert [(await ask(calls, key=f"{prefix}{end}")).body for end in "ab"] == [b"1", b"2"]


@pytest.mark.parametrize("key", [b"", b" ", b"a b", b"x" * 256, b"a\n", "ä".encode(), b"\x7f", b"a\x00"])
async def test_a_key_that_is_none(key: bytes) -> None:
    asked = Incoming("POST", "/", {b"idempotency-key": key})
    calls = Calls()
    with pytest.raises(InvalidRequest) as caught:
        await once(build_idempotency(""), ME, asked, "req_test", calls, complete=nothing_left)
    assert (caught.value.status, caught.value.code, calls.made) == (400, "invalid_idempotency_key", 0)


@pytest.mark.parametrize("key", ["!", "~" * 255])
async def test_a_key_may_be_anything_visible(key: str) -> None:
    calls = Calls(whole())
    answers = build_idempotency("")
    for _ in range(2):
        await once(answers, ME, incoming(CHAT, idempotency_key=key), "req_test", calls, complete=nothing_left)
    assert calls.made == 1


PARTS = st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]), max_size=4)] * 3, st.binary(max_size=4))


@given(PARTS, PARTS)
def test_no_two_requests_have_one_fingerprint(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    def digest(method: str, path: str, query: str, body: bytes) -> bytes:
        return module._digest(Incoming(method, path, {}, body=body, query=query))

    assert (digest(*one) == digest(*other)) == (one == other)


# Duplicates at the same time


async def test_duplicates_wait_for_the_first(ask: Ask) -> None:
    calls = Calls(whole())
    calls.hold()
    asked = [asyncio.ensure_future(ask(calls)) for _ in range(30)]
    await calls.begun.wait()
    calls.go_on.set()
    replies = await asyncio.gather(*asked)
    assert calls.made == 1
    assert [replayed(reply) for reply in replies].count(False) == 1
    assert {reply.body for reply in replies} == {b'{"n":1}'}


async def test_duplicates_wait_for_the_end_of_a_stream(ask: Ask) -> None:
    rest = asyncio.Event()
    calls = Calls(streamed(b"a", rest, b"b"))
    first = await ask(calls)
    duplicates = [asyncio.ensure_future(ask(calls)) for _ in range(3)]
    reading = asyncio.ensure_future(read(first))
    await asyncio.sleep(0.01)
    assert not any(duplicate.done() for duplicate in duplicates)
    rest.set()
    assert await reading == b"ab"
    assert [await read(await duplicate) for duplicate in duplicates] == [b"ab"] * 3
    assert calls.made == 1


async def test_one_of_those_who_waited_tries_anew_where_the_first_failed(ask: Ask) -> None:
    calls = Calls(UpstreamTimeout("too slow"), whole())
    calls.hold()
    asked = [asyncio.ensure_future(ask(calls)) for _ in range(5)]
    await calls.begun.wait()
    calls.go_on.set()
    replies = await asyncio.gather(*asked, return_exceptions=True)
    assert calls.made == 2
    assert [isinstance(reply, UpstreamTimeout) for reply in replies].count(True) == 1
    assert [isinstance(reply, Reply) and replayed(reply) for reply in replies].count(True) == 3


async def test_one_who_waits_and_hangs_up_changes_nothing(ask: Ask) -> None:
    calls = Calls(whole())
    calls.hold()
    first = asyncio.ensure_future(ask(calls))
    await calls.begun.wait()
    waiting = asyncio.ensure_future(ask(calls))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    calls.go_on.set()
    assert not replayed(await first)
    assert replayed(await ask(calls))
    assert calls.made == 1


async def test_nobody_waits_for_ever(answers: Idempotency, ask: Ask) -> None:
    impatient = Idempotency(answers.store, Bounds(wait_s_max=0.01))
    key = uuid4().hex
    calls = Calls(whole())
    calls.hold()
    first = asyncio.ensure_future(ask(calls, key=key))
    await calls.begun.wait()
    with pytest.raises(IdempotencyInProgress) as caught:
        await once(impatient, ME, incoming(CHAT, idempotency_key=key), "req_test", calls, complete=nothing_left)
    error = caught.value
    assert (error.status, error.code, error.retry_after_s) == (409, "idempotency_in_progress", 5)
    calls.go_on.set()
    await first


# What is no success is not kept


@pytest.mark.parametrize(
    "failure", [UpstreamTimeout("too slow"), InvalidRequest("no"), ZeroDivisionError(), asyncio.CancelledError()]
)
async def test_another_try_after_a_failure_is_a_real_one(ask: Ask, failure: BaseException) -> None:
    calls = Calls(failure, whole())
    with pytest.raises(type(failure)):
        await ask(calls)
    assert not replayed(await ask(calls))
    assert replayed(await ask(calls))
    assert calls.made == 2


@pytest.mark.parametrize("status", [199, 300, 404, 500])
async def test_an_answer_that_is_an_error_is_not_kept(ask: Ask, status: int) -> None:
    calls = Calls(whole(status=status), whole())
    assert (await ask(calls)).status == status
    assert (await ask(calls)).status == 200
    assert calls.made == 2


async def test_the_first_who_hangs_up_frees_the_key(ask: Ask) -> None:
    calls = Calls(whole())
    calls.hold()
    first = asyncio.ensure_future(ask(calls))
    await calls.begun.wait()
    waiting = asyncio.ensure_future(ask(calls))
    await asyncio.sleep(0.01)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    calls.go_on.set()
    assert not replayed(await waiting)
    assert calls.made == 2


async def test_a_cut_stream_is_not_kept(ask: Ask) -> None:
    calls = Calls(streamed(b"a", b"error", cut=True), streamed(b"ab"))
    assert await read(await ask(calls)) == b"aerror"
    assert await read(await ask(calls)) == b"ab"
    assert calls.made == 2


async def test_a_stream_nobody_reads_to_its_end_is_not_kept(ask: Ask) -> None:
    given_up = streamed(b"a", asyncio.Event())
    calls = Calls(given_up, streamed(b"ab"))
    upstream = given_up.chunks
    reply = await ask(calls)
    assert reply.chunks is not None
    assert await anext(reply.chunks) == b"a"
    await reply.chunks.aclose()
    assert isinstance(upstream, Stream)
    assert upstream.closed == 1
    assert await read(await ask(calls)) == b"ab"


# An answer that is too large


@pytest.mark.parametrize("stream", [False, True])
async def test_one_that_is_too_large_is_not_paid_for_twice(answers: Idempotency, stream: bool) -> None:
    small = Idempotency(answers.store, Bounds(answer_bytes_max=200))
    asked = incoming(CHAT, idempotency_key=uuid4().hex)
    body = b"x" * 200
    calls = Calls(streamed(body) if stream else whole(body))
    first = await once(small, ME, asked, "req_test", calls, complete=nothing_left)
    assert (await read(first) if stream else first.body) == body
    with pytest.raises(IdempotencyInProgress) as caught:
        await once(small, ME, asked, "req_test", calls, complete=nothing_left)
    assert (caught.value.status, caught.value.code) == (409, "idempotency_answer_too_large")
    assert (b"x-should-retry", b"false") in caught.value.headers
    with pytest.raises(IdempotencyConflict):
        await once(small, ME, msgspec.structs.replace(asked, body=b"{}"), "req_test", calls, complete=nothing_left)
    assert calls.made == 1


# The store is away


class Away(MemoryAnswers):
    """A store that takes claims and can't say so."""

    async def claim(self, name: bytes, claim: Running) -> Running | Kept | None:
        await super().claim(name, claim)
        raise Unavailable("away", code="idempotency_unavailable")


async def test_no_call_is_made_where_nobody_can_tell_whether_it_was() -> None:
    store = Away(Bounds())
    calls = Calls(whole())
    for _ in range(2):
        with pytest.raises(GatewayError) as caught:
            await once(
                Idempotency(store), ME, incoming(CHAT, idempotency_key="k"), "req_test", calls, complete=nothing_left
            )
        assert (caught.value.status, caught.value.code) == (503, "idempotency_unavailable")
    assert calls.made == 0
    await asyncio.sleep(0)  # what came through all the same is undone
    assert len(store) == 0


class Gone(Away):
    """One that can't be told afterwards either."""

    async def release(self, name: bytes, claim: Running) -> None:
        raise Unavailable("away")


async def test_a_claim_that_cant_be_undone_ends_by_itself() -> None:
    asked = incoming(CHAT, idempotency_key="k")
    with pytest.raises(Unavailable):
        await once(Idempotency(Gone(Bounds())), ME, asked, "req_test", Calls(), complete=nothing_left)
    await asyncio.sleep(0)


async def test_a_worker_that_dies_leaves_the_key_to_the_next(redis_url: str) -> None:
    bounds = Bounds(lease_s=0.05)
    answers = Idempotency(RedisAnswers(connect(redis_url), bounds), bounds)
    asked = incoming(CHAT, idempotency_key=uuid4().hex)
    name = module._name(ME, asked.headers[b"idempotency-key"])
    await answers.store.claim(name, Running(module._digest(asked), b"the dead one's"))
    calls = Calls(whole())
    assert not replayed(await once(answers, ME, asked, "req_test", calls, complete=nothing_left))
    assert isinstance(await answers.store.claim(name, Running(b"", b"")), Kept)
    await answers.aclose()


def test_redis_is_used_where_there_is_one() -> None:
    assert isinstance(build_idempotency("").store, MemoryAnswers)
    assert isinstance(build_idempotency("redis://127.0.0.1:1").store, RedisAnswers)


def test_headers_count_as_part_of_an_answer() -> None:
    assert Answer(200, ((b"name", b"value"),), b"12345", streamed=False).size_bytes == 14
