"""An answer on its way: untouched, and settled once however it ends."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Attempt
from gateway.messages import StreamCut
from gateway.passthrough.relay import PassingRelay
from providers.adapters.http import BrokenResponse
from tests.builders import Recorder, quiet_plane
from tests.gateway.passthrough.passages import CHAT, ask, passing, under_way
from tests.scripted import DONE, Answer, delta, stream

CUT = BrokenResponse("reset", sent=True)


def relay_of(answer: Answer, rest: str = "files") -> tuple[PassingRelay, Recorder]:
    recorder = Recorder()
    plane, call, passage = under_way(ask(rest, CHAT | {"stream": True}), quiet_plane(passing(), observers=[recorder]))
    attempt = Attempt(number=1, target=call.route.groups[0][0], because="test")
    call.attempts.append(attempt)
    return PassingRelay(plane, call, attempt, passage, answer), recorder


async def read(relay: PassingRelay) -> list[bytes]:
    return [chunk async for chunk in relay]


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=20), max_size=6), status=st.sampled_from([200, 204, 302, 404, 500])
)
def test_bytes_pass_and_are_settled_once(pieces: list[Any], status: int) -> None:
    async def go() -> None:
        answer = Answer(list(pieces), status=status)
        relay, recorder = relay_of(answer)
        assert await read(relay) == pieces
        await relay.aclose()
        assert await read(relay) == []
        assert recorder.endings == (["refused"] if status >= 400 else ["completed"])
        assert (relay.whole, answer.closed, len(recorder.outcomes)) == (status < 400, 1, 1)
        assert recorder.outcomes[0].status == status

    asyncio.run(go())


async def test_a_cut_is_said_by_cutting() -> None:
    relay, recorder = relay_of(Answer([b"a", CUT]))
    assert await anext(relay) == b"a"
    with pytest.raises(StreamCut):
        await anext(relay)
    await relay.aclose()
    assert (recorder.endings, relay.whole) == (["cut"], False)
    assert recorder.outcomes[0].error is not None


async def test_a_stream_that_ends_too_early_is_recorded_as_cut() -> None:
    relay, recorder = relay_of(stream(delta("a")), "chat/completions")
    assert await read(relay) == [delta("a")]
    assert (recorder.endings, relay.whole) == (["cut"], False)


async def test_what_becomes_of_the_connection_after_a_whole_answer_is_nobodys_business() -> None:
    relay, recorder = relay_of(stream(delta("a", finish="stop"), DONE, CUT), "chat/completions")
    assert len(await read(relay)) == 2
    assert (recorder.endings, relay.whole) == (["completed"], True)


async def test_a_caller_who_has_it_all_need_not_wait_for_the_end() -> None:
    relay, recorder = relay_of(stream(delta("a", finish="stop"), DONE, CUT), "chat/completions")
    await anext(relay)
    await anext(relay)
    await relay.aclose()
    assert recorder.endings == ["completed"]
