"""Turns over a socket, without the socket."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.endpoints.responses_session import ResponsesSession, SocketEnds, describe_error
from gateway.plane import DataPlane
from gateway.responses.base import StoredTurn
from gateway.responses.volatile import VolatileResponses
from kernel.errors import RateLimited, Unavailable
from tests.builders import SECRET, Recorder, caller, connection, key_directory, route, snapshot, target
from tests.scripted import Upstream, delta, refusal, spoken, stream

MakePlane = Callable[..., DataPlane]
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


class Talk:
    """A session and what its peer heard of the last event it sent."""

    def __init__(self, plane: DataPlane, headers: dict[bytes, bytes] | None = None) -> None:
        self.plane = plane
        self.heard: list[dict[str, Any]] = []
        self.session = ResponsesSession(plane, self._hear, secret=SECRET, headers=headers or {})

    async def _hear(self, text: str) -> None:
        self.heard.append(json.loads(text))

    async def send(self, event: bytes) -> list[dict[str, Any]]:
        self.heard = []
        await self.session.take(event)
        return self.heard

    async def create(self, text: Any = "hello", **fields: Any) -> dict[str, Any]:
        """Create a response and return how it ended."""
        event = {"type": "response.create", "model": "m", "input": text, **fields}
        return (await self.send(json.dumps(event).encode()))[-1]


def said_to(upstream: Upstream, number: int = -1) -> list[str]:
    body = upstream.exchanges[number].body
    assert isinstance(body, bytes)
    return [message["content"] for message in json.loads(body)["messages"]]


def answers(*texts: str) -> Upstream:
    return Upstream(*[stream(*spoken(text, usage=USAGE)) for text in texts])


async def test_a_turn_is_told_as_the_events_of_a_stream(make_plane: MakePlane, recorder: Recorder) -> None:
    talk = Talk(make_plane(answers("hi")))
    last = await talk.create()
    types = [event["type"] for event in talk.heard]
    assert types[:2] == ["response.created", "response.in_progress"]
    assert types[-1] == "response.completed"
    assert [event["sequence_number"] for event in talk.heard] == list(range(len(types)))
    assert last["response"]["output"][0]["content"][0]["text"] == "hi"
    assert last["response"]["usage"]["cost"] == pytest.approx(13e-6)
    assert recorder.endings == ["completed"]


async def test_what_is_not_kept_lasts_as_long_as_the_session(make_plane: MakePlane) -> None:
    upstream = answers("one", "two", "three")
    plane = make_plane(upstream)
    talk = Talk(plane)
    first = (await talk.create(store=False))["response"]["id"]
    second = (await talk.create("and?", store=False, previous_response_id=first))["response"]
    assert second["previous_response_id"] == first
    assert said_to(upstream) == ["hello", "one", "and?"]
    assert await plane.responses.find(1, first) is None
    elsewhere = await Talk(plane).create(previous_response_id=first)
    assert (elsewhere["type"], elsewhere["status"], elsewhere["error"]["code"]) == (
        "error",
        400,
        "previous_response_not_found",
    )
    assert elsewhere["error"]["param"] == "previous_response_id"


async def test_what_is_kept_is_there_for_everybody(make_plane: MakePlane) -> None:
    plane = make_plane(answers("one", "two"))
    first = (await Talk(plane).create())["response"]["id"]
    assert await plane.responses.find(1, first) is not None
    assert (await Talk(plane).create(previous_response_id=first))["type"] == "response.completed"


async def test_a_turn_that_fails_forgets_the_one_it_went_on_from(make_plane: MakePlane) -> None:
    upstream = Upstream(stream(*spoken("one")), refusal(400), stream(*spoken("two")), stream(delta("cut")))
    talk = Talk(make_plane(upstream))
    for _ in range(2):
        first = (await talk.create(store=False))["response"]["id"]
        failed = await talk.create(store=False, previous_response_id=first)
        assert failed["type"] in ("error", "response.failed")
        again = await talk.create(store=False, previous_response_id=first)
        assert again["error"]["code"] == "previous_response_not_found"


async def test_what_the_database_does_not_take_lasts_as_long_as_the_session(make_plane: MakePlane) -> None:
    class Away(VolatileResponses):
        async def save(self, turn: StoredTurn) -> None:
            raise Unavailable("away")

    talk = Talk(make_plane(answers("one", "two"), responses=Away()))
    first = (await talk.create())["response"]["id"]
    assert (await talk.create(previous_response_id=first))["type"] == "response.completed"


async def test_a_turn_can_be_prepared_without_an_answer(make_plane: MakePlane, recorder: Recorder) -> None:
    upstream = answers("one")
    talk = Talk(make_plane(upstream))
    prepared = await talk.create("first", generate=False, store=False)
    assert (prepared["type"], prepared["response"]["output"]) == ("response.completed", [])
    assert recorder.attempts == []
    await talk.create("second", previous_response_id=prepared["response"]["id"])
    assert said_to(upstream) == ["first", "second"]
    refused = await talk.create(generate=False, model="nope")
    assert refused["error"]["code"] == "model_not_found"


async def test_events_say_which_lane_they_belong_to(make_plane: MakePlane) -> None:
    talk = Talk(make_plane(answers("one")))
    await talk.create(stream_id='a"b')
    assert {event["stream_id"] for event in talk.heard} == {'a"b'}
    assert (await talk.create(model="nope", stream_id="c"))["stream_id"] == "c"


async def test_the_handshakes_own_headers_hold_for_every_turn(make_plane: MakePlane) -> None:
    talk = Talk(make_plane(answers("one")), {b"x-gateway-max-cost-usd": b"0.000000001", b"cookie": b"x"})
    failed = await talk.create()
    assert failed["status"] == 429, failed


async def test_a_provider_hears_of_vendors_headers_but_of_no_socket(make_plane: MakePlane) -> None:
    upstream = Upstream(*[refusal(400) for _ in range(2)])
    found = snapshot(route((target("theirs", "gpt", connection=connection("theirs", "openai")),)))
    plane = make_plane(upstream, found, adapters={"openai_compatible": upstream})
    await Talk(plane, {b"openai-beta": b"responses_websockets=2026-02-06"}).create()
    await Talk(plane, {b"openai-beta": b"other=v1"}).create()
    assert [exchange.headers for exchange in upstream.exchanges] == [(), ((b"openai-beta", b"other=v1"),)]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_json"),
        (b"\xff", "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b"{}", "missing_required_parameter"),
        (b'{"type":7}', "invalid_type"),
        (b'{"type":"response.steer","previous_response_id":"r","input":[]}', "unknown_event"),
        (b'{"type":"response.create"}', "missing_required_parameter"),
        (b'{"type":"response.create","model":"m"}', "missing_required_parameter"),
        (b'{"type":"response.create","model":"nope","input":"x"}', "model_not_found"),
        (b'{"type":"response.create","model":"m","input":"x","background":true}', "unsupported_parameter"),
    ],
)
async def test_garbage_is_told(make_plane: MakePlane, event: bytes, code: str) -> None:
    talk = Talk(make_plane(answers("one")))
    [failed] = await talk.send(event)
    assert (failed["type"], failed["error"]["code"]) == ("error", code)
    assert failed["error"]["message"]
    assert failed["error"]["request_id"].startswith("req_")
    assert (await talk.create())["type"] == "response.completed"


async def test_a_fault_of_the_gateway_is_told_without_its_details(
    make_plane: MakePlane, caplog: pytest.LogCaptureFixture
) -> None:
    failed = await Talk(make_plane(Upstream(RuntimeError("private")))).create()
    assert (failed["status"], failed["error"]["code"]) == (500, "internal_error")
    assert "private" not in json.dumps(failed)
    assert caplog.records[-1].exc_info is not None


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"revoked": True}, 4401), ({"tenant_active": False}, 4403), ({"scopes": frozenset({"usage"})}, 4403)],
)
async def test_a_key_that_is_no_longer_good_ends_the_socket(
    make_plane: MakePlane, fields: dict[str, Any], code: int
) -> None:
    talk = Talk(make_plane(keys=key_directory(sk_gw_test=caller(**fields))))
    with pytest.raises(SocketEnds) as ended:
        await talk.create()
    assert ended.value.code == code


def test_an_error_says_when_to_try_again() -> None:
    described = json.loads(describe_error(RateLimited("slow down", retry_after_s=4.6), request_id="req_1"))
    assert (described["status"], described["error"]["headers"]) == (429, {"retry-after": "5"})


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_ITEM = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["message", "reasoning", "compaction", "x"]) | _JSON,
        "role": _JSON,
        "content": _JSON,
    },
)
_EVENTS = st.fixed_dictionaries(
    {"type": st.just("response.create"), "model": st.just("m")},
    optional={
        "input": st.lists(_ITEM, max_size=3) | st.text(max_size=5) | _JSON,
        "stream_id": st.text(max_size=4) | _JSON,
        "generate": st.booleans() | _JSON,
        "store": st.booleans() | _JSON,
        "tools": _JSON,
        "text": _JSON,
        "reasoning": _JSON,
    },
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(_EVENTS.map(json.dumps) | _JSON.map(json.dumps) | st.text(max_size=20), max_size=5))
def test_no_garbage_breaks_a_session(
    make_plane: MakePlane, events: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def send_all() -> None:
        talk, previous = Talk(make_plane()), ""
        for event in events:
            heard = await talk.send(event.encode(errors="replace"))
            previous = heard[-1].get("response", {}).get("id") or previous
        if previous:
            await talk.create("more", previous_response_id=previous)

    asyncio.run(send_all())
    assert [record.exc_info for record in caplog.records if record.levelname == "ERROR"] == []
