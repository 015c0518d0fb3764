"""A stream on its way: untouched when well, an error event when cut, settled once however it ends."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Attempt, Call
from gateway.plane import DataPlane
from gateway.relay import StreamRelay
from providers.adapters.http import BrokenResponse, IdleTimeout
from providers.dialects.canonical import Usage
from providers.dialects.openai_chat.stream import StreamReader
from routing.attempts.single import OpenStream
from tests.builders import Recorder, UnwrittenJournal, call, quiet_plane, target
from tests.scripted import DONE, Answer, delta, event, spoken, stream, usage_event

MakePlane = Callable[..., DataPlane]
CUT = BrokenResponse("10.0.0.1:443 reset", sent=True)
REPORTED = event({"error": {"message": "overloaded", "type": "server_error", "code": "busy"}})
USAGE = {"prompt_tokens": 7, "completion_tokens": 3}


def open_relay(plane: DataPlane, answer: Answer, *, first: bytes = b"", wants_usage: bool = False) -> StreamRelay:
    under_way: Call = call(stream=True)
    attempt = Attempt(number=1, target=target("a", "m"), because="test")
    under_way.attempts.append(attempt)
    reader = StreamReader(wants_usage=wants_usage, cost_of=lambda usage: b"0.5")
    passed = reader.feed(first) if first else b""
    return StreamRelay(plane, under_way, attempt, OpenStream(answer=answer, first=passed, reader=reader))


async def read(relay: StreamRelay) -> list[bytes]:
    return [chunk async for chunk in relay]


def error_of(data: bytes) -> dict[str, Any]:
    assert data.startswith(b"data: ")
    assert data.endswith(b"\n\n")
    return dict(msgspec.json.decode(data[6:])["error"])


async def test_a_whole_stream_passes_and_is_settled_once(make_plane: MakePlane, recorder: Recorder) -> None:
    events = list(spoken("a", "b", usage=USAGE))
    answer = stream(*events[1:])
    relay = open_relay(make_plane(), answer, first=events[0])
    assert b"".join(await read(relay)) == b"".join(e for e in events if b"prompt_tokens" not in e)
    await relay.aclose()
    await relay.aclose()
    assert recorder.endings == ["completed"]
    assert recorder.attempts[0].usage == Usage(input_tokens=7, output_tokens=3)
    assert (recorder.attempts[0].finish_reason, recorder.attempts[0].status) == ("stop", 200)
    assert len(recorder.outcomes) == 1
    assert answer.closed == 1
    with pytest.raises(StopAsyncIteration):
        await anext(relay)


async def test_the_usage_that_was_asked_for_comes_with_the_cost(make_plane: MakePlane) -> None:
    relay = open_relay(make_plane(), stream(*spoken("a", usage=USAGE)), wants_usage=True)
    [told] = [chunk for chunk in await read(relay) if b"prompt_tokens" in chunk]
    assert msgspec.json.decode(told[6:])["usage"] == USAGE | {"cost": 0.5}


@pytest.mark.parametrize(
    ("pieces", "code", "message"),
    [
        ([delta("a"), CUT], "upstream_cut", "provider a broke the connection off"),
        ([delta("a"), IdleTimeout("10.0.0.1", sent=True)], "upstream_timeout", "provider a took too long"),
        ([delta("a"), REPORTED, delta("never")], "busy", "overloaded"),
        ([delta("a"), b"data: {oops\n\n"], "upstream_invalid_response", ""),
        ([delta("a")], "upstream_cut", ""),
        ([delta("a") + b"data: {"], "upstream_invalid_response", ""),
    ],
)
async def test_a_cut_ends_in_one_error_event_and_no_done(
    make_plane: MakePlane, recorder: Recorder, pieces: list[Any], code: str, message: str
) -> None:
    answer = stream(*pieces)
    relay = open_relay(make_plane(), answer)
    chunks = await read(relay)
    error = error_of(chunks[-1])
    assert (error["code"], error["request_id"]) == (code, "req_test")
    assert message in error["message"]
    assert b"10.0.0.1" not in chunks[-1]
    assert b"".join(chunks[:-1]) == delta("a")
    assert recorder.endings == ["cut"]
    assert recorder.attempts[0].error_code == code
    assert recorder.attempts[0].usage == Usage(input_tokens=100, output_tokens=1, estimated=True)
    [outcome] = recorder.outcomes
    assert (outcome.status, outcome.error and outcome.error.code) == (200, code)
    await relay.aclose()
    assert recorder.endings == ["cut"]
    assert answer.closed == 1


async def test_a_cut_after_the_usage_costs_what_was_reported(make_plane: MakePlane, recorder: Recorder) -> None:
    await read(open_relay(make_plane(), stream(delta("a"), usage_event(USAGE), CUT)))
    assert recorder.attempts[0].usage == Usage(input_tokens=7, output_tokens=3)


@pytest.mark.parametrize("after", [CUT, REPORTED, b"data: {oops\n\n"])
async def test_nothing_is_wrong_after_done(make_plane: MakePlane, recorder: Recorder, after: Any) -> None:
    chunks = await read(open_relay(make_plane(), stream(*spoken("a"), after)))
    assert b"".join(chunks) == b"".join(spoken("a"))
    assert recorder.endings == ["completed"]


async def test_a_stream_with_every_finish_and_no_done_gets_one(make_plane: MakePlane, recorder: Recorder) -> None:
    chunks = await read(open_relay(make_plane(), stream(delta("a"), delta("", finish="stop"))))
    assert chunks[-1] == DONE
    assert recorder.endings == ["completed"]


# The caller hangs up


@pytest.mark.parametrize("first", [b"", delta("a"), b"".join(spoken("a"))])
async def test_closing_before_the_first_iteration_cancels(
    make_plane: MakePlane, recorder: Recorder, first: bytes
) -> None:
    answer = stream(asyncio.Event())
    relay = open_relay(make_plane(), answer, first=first)
    await relay.aclose()
    await relay.aclose()
    assert recorder.endings == ["cancelled"]
    assert recorder.attempts[0].error_code == "client_disconnected"
    assert answer.closed == 1
    assert len(recorder.outcomes) == 1


async def test_closing_in_the_middle_settles_what_was_used(make_plane: MakePlane, recorder: Recorder) -> None:
    answer = stream(delta("four"), delta("more!"), asyncio.Event(), delta("never"))
    relay = open_relay(make_plane(), answer)
    assert [await anext(relay), await anext(relay)] == [delta("four"), delta("more!")]
    waiting = asyncio.ensure_future(anext(relay))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await relay.aclose()
    assert recorder.endings == ["cancelled"]
    assert recorder.attempts[0].usage == Usage(input_tokens=100, output_tokens=3, estimated=True)
    assert recorder.attempts[0].cost_nanos == 100 * 1_000 + 3 * 2_000
    assert answer.closed == 1
    with pytest.raises(StopAsyncIteration):
        await anext(relay)


async def test_a_caller_that_has_it_all_has_not_hung_up(make_plane: MakePlane, recorder: Recorder) -> None:
    answer = stream(*spoken("a"), asyncio.Event())
    relay = open_relay(make_plane(), answer)
    while await anext(relay) != DONE:
        pass
    await relay.aclose()
    assert recorder.endings == ["completed"]
    assert answer.closed == 1


WHOLE = b"".join(spoken("ab", "ä", usage=USAGE))


@given(
    cuts=st.lists(st.integers(1, len(WHOLE) - 1), max_size=6),
    fails_at=st.one_of(st.none(), st.integers(0, len(WHOLE))),
    stops_after=st.one_of(st.none(), st.integers(0, 8)),
)
def test_however_it_goes_it_is_settled_once_and_never_a_success_by_mistake(
    cuts: list[int], fails_at: int | None, stops_after: int | None
) -> None:
    data = WHOLE if fails_at is None else WHOLE[:fails_at]
    edges = [0, *sorted({cut for cut in cuts if cut < len(data)}), len(data)]
    pieces: list[Any] = [data[start:end] for start, end in pairwise(edges) if start < end]
    answer = stream(*pieces, *([] if fails_at is None else [CUT]))
    journal = UnwrittenJournal()
    made = quiet_plane(journal=journal)

    async def go() -> bytes:
        relay = open_relay(made, answer)
        got: list[bytes] = []
        try:
            async for chunk in relay:
                got.append(chunk)
                if stops_after is not None and len(got) > stops_after:
                    break
        finally:
            await relay.aclose()
        return b"".join(got)

    got = asyncio.run(go())
    [record] = journal.kept
    assert answer.closed == 1
    assert (record.ending == "completed") == (DONE in got)
    if record.ending == "cut":
        assert b'"error"' in got
