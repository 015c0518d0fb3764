import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.access import KeyDirectory
from gateway.endpoints.websocket import Conversation, Limits
from gateway.endpoints.websocket_line import PeerGone
from gateway.plane import DataPlane
from kernel.errors import Unavailable
from kernel.money import format_usd
from tenants.keys import Caller
from tests.builders import SECRET, Recorder, caller, key_directory, route, snapshot, target
from tests.scripted import Answer, Upstream, delta, event, refusal, spoken, stream
from usage.records import AttemptRecord

LIMITS = Limits(frame_bytes_max=100_000)
BEARER = {b"authorization": b"Bearer " + SECRET.encode()}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
MakePlane = Callable[..., DataPlane]


class Peer:
    """The other end: keeps what it hears; it can stop taking anything, or be gone."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.closed_with: int | None = None
        self.takes = asyncio.Event()
        self.takes.set()
        self.gone = False

    async def send_text(self, text: str) -> None:
        if self.gone:
            raise OSError("gone")
        await self.takes.wait()
        self.heard.put_nowait(json.loads(text))

    async def close_with(self, code: int) -> None:
        self.closed_with = code

    async def hear(self, *types: str) -> dict[str, Any]:
        """Return the next frame, which has one of these types."""
        frame = await asyncio.wait_for(self.heard.get(), 5)
        assert frame["type"] in types, frame
        return frame

    async def hear_answer(self) -> list[dict[str, Any]]:
        """Return the frames of an answer up to its end."""
        heard = []
        while True:
            heard.append(await asyncio.wait_for(self.heard.get(), 5))
            if heard[-1]["type"] in ("done", "cancelled", "error"):
                return heard


class Talk:
    """A conversation and its peer."""

    def __init__(self, plane: DataPlane, limits: Limits = LIMITS) -> None:
        self.peer = Peer()
        self.conversation = Conversation(plane, self.peer, limits)

    async def say(self, type_: str, **fields: Any) -> None:
        await self.conversation.receive(json.dumps({"type": type_, **fields}))

    async def ask(self, content: Any = "hello", **fields: Any) -> dict[str, Any]:
        """Ask and return how it ended."""
        await self.say("chat", **{"model": "m", "content": content} | fields)
        return (await self.peer.hear_answer())[-1]


@asynccontextmanager
async def talking(
    plane: DataPlane, *, limits: Limits = LIMITS, headers: dict[bytes, bytes] | None = None
) -> AsyncIterator[Talk]:
    talk = Talk(plane, limits)
    headers = BEARER if headers is None else headers
    await talk.conversation.open(headers)
    if headers == BEARER:
        await talk.peer.hear("ready")
    yield talk
    await talk.conversation.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for knows of no event
            await asyncio.sleep(0)


def sent(upstream: Upstream, number: int = -1) -> dict[str, Any]:
    """Return the body of an exchange."""
    body: dict[str, Any] = json.loads(upstream.exchanges[number].body)
    return body


# Who is there


@pytest.mark.parametrize("header", [b"api-key", b"x-api-key", b"x-goog-api-key"])
async def test_key_in_the_handshake_begins_at_once(make_plane: MakePlane, header: bytes) -> None:
    async with talking(make_plane(), headers={header: SECRET.encode()}) as talk:
        ready = await talk.peer.hear("ready")
    assert ready["models"] == ["m"]
    assert ready["conversation_id"].startswith("conv_")


async def test_key_in_the_first_frame(make_plane: MakePlane) -> None:
    async with talking(make_plane(), headers={}) as talk:
        assert talk.peer.heard.empty()
        await talk.say("authenticate", key=SECRET)
        assert (await talk.peer.hear("ready"))["models"] == ["m"]


@pytest.mark.parametrize(
    ("fields", "code", "closed_with"),
    [
        ({"revoked": True}, "revoked_api_key", 4401),
        ({"expires_at_s": 1.0}, "expired_api_key", 4401),
        ({"tenant_active": False}, "tenant_suspended", 4403),
        ({"scopes": frozenset({"usage"})}, "insufficient_scope", 4403),
    ],
)
async def test_refused_keys_end_the_socket(
    make_plane: MakePlane, fields: dict[str, Any], code: str, closed_with: int
) -> None:
    async with talking(make_plane(keys=key_directory(sk_gw_test=caller(**fields))), headers={}) as talk:
        await talk.say("authenticate", key=SECRET)
        failed = await talk.peer.hear("error")
    assert failed["error"]["code"] == code
    assert failed["error"]["request_id"].startswith("req_")
    assert talk.peer.closed_with == closed_with


async def test_wrong_key_in_the_handshake(make_plane: MakePlane) -> None:
    async with talking(make_plane(), headers={b"api-key": b"sk-nobody"}) as talk:
        assert (await talk.peer.hear("error"))["error"]["code"] == "invalid_api_key"
    assert talk.peer.closed_with == 4401


async def test_anything_before_authenticate_ends_the_socket(make_plane: MakePlane) -> None:
    async with talking(make_plane(), headers={}) as talk:
        await talk.say("ping")
        assert (await talk.peer.hear("error"))["error"]["code"] == "not_authenticated"
    assert talk.peer.closed_with == 4401


async def test_no_key_in_time(make_plane: MakePlane) -> None:
    async with talking(make_plane(), headers={}, limits=replace(LIMITS, authenticate_s=0.01)) as talk:
        assert (await talk.peer.hear("error"))["error"]["code"] == "authentication_timeout"
        await until(lambda: talk.peer.closed_with is not None)
    assert talk.peer.closed_with == 4401


async def test_idle_sockets_end(make_plane: MakePlane) -> None:
    async with talking(make_plane(), limits=replace(LIMITS, authenticate_s=0.05, idle_s=0.05)) as talk:
        assert (await talk.peer.hear("error"))["error"]["code"] == "idle_timeout"
        await until(lambda: talk.peer.closed_with is not None)
    assert talk.peer.closed_with == 4408


async def test_authenticating_twice_is_refused(make_plane: MakePlane) -> None:
    async with talking(make_plane()) as talk:
        await talk.say("authenticate", key=SECRET)
        assert (await talk.peer.hear("error"))["error"]["code"] == "already_authenticated"
    assert talk.peer.closed_with is None


async def test_key_revoked_between_turns_ends_the_socket(make_plane: MakePlane) -> None:
    found = caller()

    async def look_up(digest: str) -> Caller:
        return found

    keys = KeyDirectory(look_up)
    async with talking(make_plane(Upstream(stream(*spoken("hi"))), keys=keys)) as talk:
        assert (await talk.ask())["type"] == "done"
        found = caller(revoked=True)
        keys._known.clear()  # what a push of the revocation does
        assert (await talk.ask())["error"]["code"] == "revoked_api_key"
    assert talk.peer.closed_with == 4401


async def test_keys_that_cannot_be_looked_up(make_plane: MakePlane) -> None:
    async def look_up(digest: str) -> Caller:
        raise Unavailable("no database", retry_after_s=1)

    async with talking(make_plane(keys=KeyDirectory(look_up)), headers={b"api-key": b"sk-x"}) as talk:
        failed = await talk.peer.hear("error")
    assert failed["retryable"] is True
    assert failed["retry_after_s"] == 1
    assert talk.peer.closed_with == 1013


# Answers


async def test_answer_from_started_to_done(make_plane: MakePlane, recorder: Recorder) -> None:
    upstream = Upstream(stream(*spoken("he", "llo", usage=USAGE)))
    async with talking(make_plane(upstream)) as talk:
        await talk.say("chat", model="m", content="hi", id="mine", max_tokens=9, parameters={"temperature": 0.5})
        started, *deltas, done = await talk.peer.hear_answer()

    assert started["type"] == "started"
    assert started["target"] == "mock/mock-small"
    assert "".join(one["content"] for one in deltas) == "hello"
    assert {frame["request_id"] for frame in (started, *deltas, done)} == {recorder.attempts[0].request_id}
    assert {frame["id"] for frame in (started, *deltas, done)} == {"mine"}
    assert done["finish_reason"] == "stop"
    assert done["usage"] == {
        "input_tokens": 7,
        "cached_input_tokens": 0,
        "cache_write_tokens": 0,
        "output_tokens": 3,
        "reasoning_tokens": 0,
        "total_tokens": 10,
        "estimated": False,
    }
    assert done["cost_usd"] == done["conversation_cost_usd"] == "0.000013"
    assert done["attempts"] == 1
    assert sent(upstream) == {
        "model": "mock-small",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
    }


async def test_final_cost_is_what_was_journaled(
    make_plane: MakePlane, journaled: Callable[[], list[AttemptRecord]]
) -> None:
    async with talking(make_plane(Upstream(stream(*spoken("hi", usage=USAGE))))) as talk:
        done = await talk.ask()
    (record,) = journaled()
    assert record.cost_nanos is not None
    assert (done["request_id"], done["cost_usd"]) == (record.request_id, format_usd(record.cost_nanos))


async def test_running_cost_grows_with_the_answer(make_plane: MakePlane) -> None:
    async with talking(make_plane(Upstream(stream(*spoken("x" * 40, "x" * 40, "", "x"))))) as talk:
        await talk.say("chat", model="m", content="hi")
        _, *deltas, done = await talk.peer.hear_answer()
    costs = [float(one["cost_usd"]) for one in deltas]
    assert len(costs) == 3
    assert costs == sorted(costs)
    assert costs[1] - costs[0] == pytest.approx(10 * 2e-6)
    assert float(done["cost_usd"]) == pytest.approx(costs[-1])  # without reported usage the estimate is what counts


async def test_running_cost_counts_earlier_attempts(make_plane: MakePlane) -> None:
    found = snapshot(route((target(),), (target("other"),)))
    broken = Answer([b"nonsense"], headers=[(b"content-type", b"text/html")])
    async with talking(make_plane(Upstream(broken, stream(*spoken("hi", usage=USAGE))), found)) as talk:
        await talk.say("chat", model="m", content="hi")
        started, first, done = await talk.peer.hear_answer()
    assert started["target"] == "other/mock-small"
    assert done["attempts"] == 2
    assert float(first["cost_usd"]) > 3e-6, "more than the second attempt alone has cost by then"
    assert float(done["cost_usd"]) > 13e-6, "more than the second attempt alone has cost in the end"


async def test_model_without_a_price(make_plane: MakePlane) -> None:
    found = replace(snapshot(route()), price_book=lambda vendor, model: _NO_PRICES)
    async with talking(make_plane(Upstream(stream(*spoken("hi", usage=USAGE))), found)) as talk:
        await talk.say("chat", model="m", content="hi")
        _, first, done = await talk.peer.hear_answer()
    assert first["cost_usd"] is done["cost_usd"] is done["conversation_cost_usd"] is None


class _NoPrices:
    @staticmethod
    def price_at(tenant_id: int | None, now_s: float) -> None:
        return None


_NO_PRICES: Any = _NoPrices()


async def test_turns_are_remembered(make_plane: MakePlane) -> None:
    answers = [stream(*spoken("one", usage=USAGE)), stream(*spoken("two", usage=USAGE))]
    upstream = Upstream(*answers)
    async with talking(make_plane(upstream)) as talk:
        system = {"role": "system", "content": "be brief"}
        await talk.say("chat", model="m", messages=[system, {"role": "user", "content": "first"}])
        await talk.peer.hear_answer()
        done = await talk.ask([{"type": "text", "text": "second"}])
    assert sent(upstream)["messages"] == [
        system,
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "one"},
        {"role": "user", "content": [{"type": "text", "text": "second"}]},
    ]
    assert done["cost_usd"] == "0.000013"
    assert done["conversation_cost_usd"] == "0.000026"


async def test_tool_calls_are_relayed_and_remembered(make_plane: MakePlane) -> None:
    def piece(finish: str | None = None, **call: Any) -> bytes:
        return event({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": finish}]})

    upstream = Upstream(
        stream(
            piece(index=0, id="c1", type="function", function={"name": "weather", "arguments": ""}),
            piece(index=0, function={"arguments": '{"city":'}),
            piece(finish="tool_calls", index=0, function={"arguments": '"Rome"}'}),
            b"data: [DONE]\n\n",
        ),
        stream(*spoken("sunny")),
    )
    async with talking(make_plane(upstream)) as talk:
        await talk.say("chat", model="m", content="weather?")
        _, first, *_, done = await talk.peer.hear_answer()
        await talk.say("chat", model="m", messages=[{"role": "tool", "tool_call_id": "c1", "content": "22"}])
        await talk.peer.hear_answer()
    named = {"index": 0, "id": "c1", "type": "function", "function": {"name": "weather", "arguments": ""}}
    assert first["tool_calls"] == [named]
    assert "content" not in first
    assert done["finish_reason"] == "tool_calls"
    function = {"name": "weather", "arguments": '{"city":"Rome"}'}
    assert sent(upstream)["messages"][1] == {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": function}],
    }


async def test_reasoning_is_shown_and_not_remembered(make_plane: MakePlane) -> None:
    thought = event({"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]})
    upstream = Upstream(stream(thought, *spoken("yes")), stream(*spoken("no")))
    async with talking(make_plane(upstream)) as talk:
        await talk.say("chat", model="m", content="?")
        _, first, *_ = await talk.peer.hear_answer()
        await talk.ask("and?")
    assert first["reasoning"] == "hm"
    assert sent(upstream)["messages"][1] == {"role": "assistant", "content": "yes"}


async def test_reset_forgets(make_plane: MakePlane) -> None:
    upstream = Upstream(stream(*spoken("one", usage=USAGE)), stream(*spoken("two", usage=USAGE)))
    async with talking(make_plane(upstream)) as talk:
        await talk.ask("first")
        await talk.say("reset")
        await talk.peer.hear("ready")
        done = await talk.ask("second")
    assert sent(upstream)["messages"] == [{"role": "user", "content": "second"}]
    assert done["conversation_cost_usd"] == done["cost_usd"]


async def test_one_answer_at_a_time(make_plane: MakePlane) -> None:
    more = asyncio.Event()
    async with talking(make_plane(Upstream(stream(delta("a"), more, *spoken("b"))))) as talk:
        await talk.say("chat", model="m", content="hi")
        await talk.peer.hear("started")
        await talk.peer.hear("delta")
        await talk.say("chat", model="m", content="again", id="second")
        refused = await talk.peer.hear("error")
        await talk.say("reset")
        assert (await talk.peer.hear("error"))["error"]["code"] == "answer_in_progress"
        await talk.say("ping")
        await talk.peer.hear("pong")
        more.set()
        assert (await talk.peer.hear_answer())[-1]["type"] == "done"
    assert (refused["error"]["code"], refused["id"]) == ("answer_in_progress", "second")


# Ends before the end


async def test_cancel_stops_the_upstream_and_settles(make_plane: MakePlane, recorder: Recorder) -> None:
    never = asyncio.Event()
    answer = stream(delta("a" * 40), never)
    upstream = Upstream(answer, stream(*spoken("b", usage=USAGE)))
    async with talking(make_plane(upstream)) as talk:
        await talk.say("chat", model="m", content="hi", id="mine")
        await talk.peer.hear("started")
        last = await talk.peer.hear("delta")
        await talk.say("cancel")
        cancelled = await talk.peer.hear("cancelled")
        done = await talk.ask("go on")

    assert answer.closed == 1
    assert recorder.endings == ["cancelled", "completed"]
    assert cancelled["id"] == "mine"
    assert cancelled["usage"]["output_tokens"] == 10
    assert cancelled["usage"]["estimated"] is True
    assert cancelled["cost_usd"] == last["cost_usd"] == format_usd(recorder.attempts[0].cost_nanos or 0)
    assert sent(upstream)["messages"] == [{"role": "user", "content": "go on"}]
    assert float(done["conversation_cost_usd"]) == pytest.approx(float(cancelled["cost_usd"]) + 13e-6)


async def test_cancel_before_the_upstream_answers(make_plane: MakePlane, recorder: Recorder) -> None:
    upstream = Upstream(asyncio.Event())
    async with talking(make_plane(upstream)) as talk:
        await talk.say("chat", model="m", content="hi")
        await until(lambda: bool(upstream.exchanges))
        await talk.say("cancel")
        cancelled = await talk.peer.hear("cancelled")
    assert recorder.endings == ["cancelled"]
    assert cancelled["cost_usd"] == format_usd(recorder.attempts[0].cost_nanos or 0) != "0"


async def test_cancel_of_nothing(make_plane: MakePlane) -> None:
    async with talking(make_plane()) as talk:
        await talk.say("cancel")
        assert (await talk.peer.hear("error"))["error"]["code"] == "nothing_to_cancel"


async def test_closing_stops_the_upstream_and_settles(make_plane: MakePlane, recorder: Recorder) -> None:
    answer = stream(delta("a"), asyncio.Event())
    async with talking(make_plane(Upstream(answer))) as talk:
        await talk.say("chat", model="m", content="hi")
        await talk.peer.hear("started")
        await talk.peer.hear("delta")
    assert answer.closed == 1
    assert recorder.endings == ["cancelled"]


async def test_peer_that_is_gone_ends_the_answer(make_plane: MakePlane, recorder: Recorder) -> None:
    more = asyncio.Event()
    answer = stream(delta("a"), more, delta("b"), asyncio.Event())
    async with talking(make_plane(Upstream(answer))) as talk:
        await talk.say("chat", model="m", content="hi")
        await talk.peer.hear("started")
        await talk.peer.hear("delta")
        talk.peer.gone = True
        more.set()
        await until(lambda: bool(recorder.endings))
        with pytest.raises(PeerGone):
            await talk.say("ping")
    assert recorder.endings == ["cancelled"]


async def test_slow_peer_holds_the_upstream_back(make_plane: MakePlane) -> None:
    answer = stream(*spoken(*"abcdefgh"))
    pieces = len(answer.pieces)
    async with talking(make_plane(Upstream(answer))) as talk:
        talk.peer.takes.clear()
        await talk.say("chat", model="m", content="hi")
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(answer.pieces) >= pieces - 2
        talk.peer.takes.set()
        assert (await talk.peer.hear_answer())[-1]["type"] == "done"


async def test_peer_that_takes_nothing_is_given_up(make_plane: MakePlane, recorder: Recorder) -> None:
    limits = replace(LIMITS, send_s=0.02)
    async with talking(make_plane(Upstream(stream(*spoken("a", "b")))), limits=limits) as talk:
        talk.peer.takes.clear()
        await talk.say("chat", model="m", content="hi")
        await until(lambda: bool(recorder.endings))
    assert recorder.endings == ["cancelled"]


# What goes wrong


async def test_unknown_model(make_plane: MakePlane) -> None:
    async with talking(make_plane()) as talk:
        failed = await talk.ask(model="nope", id="mine")
    assert failed["error"]["code"] == "model_not_found"
    assert failed["error"]["param"] == "model"
    assert failed["retryable"] is False
    assert (failed["id"], failed["cost_usd"]) == ("mine", "0")
    assert talk.peer.closed_with is None


async def test_model_the_key_may_not_use_keeps_the_socket(make_plane: MakePlane) -> None:
    keys = key_directory(sk_gw_test=caller(allowed_routes=("other",)))
    async with talking(make_plane(keys=keys)) as talk:
        assert (await talk.ask())["error"]["code"] == "model_not_allowed"
    assert talk.peer.closed_with is None


async def test_refusal_of_the_provider(make_plane: MakePlane) -> None:
    async with talking(make_plane(Upstream(refusal(400, code="bad_words")))) as talk:
        failed = await talk.ask()
    assert failed["error"]["message"] == "said the provider"
    assert failed["error"]["code"] == "bad_words"


async def test_error_within_the_stream_leaves_the_conversation_as_it_was(
    make_plane: MakePlane, recorder: Recorder
) -> None:
    broken = stream(delta("a"), event({"error": {"message": "gave up", "type": "t", "code": "c"}}))
    upstream = Upstream(broken, stream(*spoken("b")))
    async with talking(make_plane(upstream)) as talk:
        failed = await talk.ask("first")
        await talk.ask("second")
    assert (failed["error"]["message"], failed["error"]["code"]) == ("gave up", "c")
    assert failed["retryable"] is True
    assert recorder.endings == ["cut", "completed"]
    assert failed["cost_usd"] == format_usd(recorder.attempts[0].cost_nanos or 0) != "0"
    assert sent(upstream)["messages"] == [{"role": "user", "content": "second"}]


async def test_cut_stream_is_no_success(make_plane: MakePlane) -> None:
    async with talking(make_plane(Upstream(stream(delta("a"))))) as talk:
        failed = await talk.ask()
    assert failed["error"]["code"] == "upstream_cut"


async def test_fault_of_the_gateway_is_told_without_its_details(
    make_plane: MakePlane, caplog: pytest.LogCaptureFixture
) -> None:
    async with talking(make_plane(Upstream(RuntimeError("private"), stream(*spoken("a"))))) as talk:
        failed = await talk.ask()
        assert failed["error"]["code"] == "internal_error"
        assert "private" not in json.dumps(failed)
        assert (await talk.ask())["type"] == "done"
    assert caplog.records[-1].exc_info is not None


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("nonsense", "invalid_json"),
        ("", "invalid_json"),
        ("[" * 100_000, "invalid_frame"),
        ('{"type":"chat","model":"m","content":' + "[" * 90_000, "invalid_json"),
        ('"chat"', "invalid_frame"),
        ("{}", "invalid_frame"),
        ('{"type":"dance"}', "invalid_frame"),
        ('{"type":7}', "invalid_frame"),
        ('{"type":"ping","more":1}', "invalid_frame"),
        ('{"type":"chat","content":"x"}', "invalid_frame"),
        ('{"type":"chat","model":1,"content":"x"}', "invalid_frame"),
        ('{"type":"chat","model":"m"}', "invalid_frame"),
        ('{"type":"chat","model":"m","content":7}', "invalid_frame"),
        ('{"type":"chat","model":"m","content":"x","messages":[]}', "invalid_frame"),
        ('{"type":"chat","model":"m","messages":[]}', "invalid_frame"),
        ('{"type":"chat","model":"m","messages":["x"]}', "invalid_frame"),
        ('{"type":"chat","model":"m","messages":[{"content":"x"}]}', "invalid_frame"),
        ('{"type":"chat","model":"m","content":"x","max_tokens":"many"}', "invalid_frame"),
        ('{"type":"chat","model":"m","content":"x","parameters":{"n":2}}', "invalid_frame"),
        ('{"type":"chat","model":"m","content":"x","parameters":{"stream":false}}', "invalid_frame"),
        ('{"type":"chat","model":"m","content":"x","id":"' + "i" * 129 + '"}', "invalid_frame"),
        ('{"type":"chat","model":"m","content":"' + "x" * 100_000 + '"}', "request_too_large"),
        (None, "invalid_frame"),
    ],
)
async def test_garbage_is_told(make_plane: MakePlane, frame: str | None, code: str) -> None:
    async with talking(make_plane()) as talk:
        await talk.conversation.receive(frame)
        failed = await talk.peer.hear("error")
        await talk.say("ping")
        await talk.peer.hear("pong")
    assert failed["error"]["code"] == code
    assert failed["error"]["request_id"].startswith("req_")


async def test_too_much_garbage_in_a_row_ends_the_socket(make_plane: MakePlane) -> None:
    async with talking(make_plane()) as talk:
        for _ in range(9):
            await talk.conversation.receive("garbage")
        await talk.say("ping")
        for _ in range(9):
            await talk.conversation.receive("garbage")
        assert talk.peer.closed_with is None
        await talk.conversation.receive("garbage")
        assert talk.peer.closed_with == 1008
        heard = talk.peer.heard.qsize()
        await talk.say("ping")
        assert talk.peer.heard.qsize() == heard


async def test_long_first_frames_are_not_read(make_plane: MakePlane) -> None:
    async with talking(make_plane(), headers={}) as talk:
        await talk.say("authenticate", key="k" * 5000)
        assert (await talk.peer.hear("error"))["error"]["code"] == "request_too_large"


@pytest.mark.parametrize("limits", [{"conversation_messages_max": 3}, {"conversation_bytes_max": 60}])
async def test_conversation_that_grows_too_long_is_refused_until_reset(
    make_plane: MakePlane, limits: dict[str, int]
) -> None:
    upstream = Upstream(*[stream(*spoken("one")) for _ in range(2)])
    async with talking(make_plane(upstream), limits=replace(LIMITS, **limits)) as talk:
        assert (await talk.ask("x"))["type"] == "done"
        failed = await talk.ask("x")
        assert failed["error"]["code"] == "conversation_too_long"
        assert "reset" in failed["error"]["message"]
        await talk.say("reset")
        await talk.peer.hear("ready")
        assert (await talk.ask("x"))["type"] == "done"


async def test_endless_answers_are_cut(make_plane: MakePlane, recorder: Recorder) -> None:
    limits = replace(LIMITS, conversation_bytes_max=50)
    async with talking(make_plane(Upstream(stream(*spoken(*["x" * 20] * 9)))), limits=limits) as talk:
        failed = await talk.ask("x")
    assert failed["error"]["code"] == "conversation_too_long"
    assert recorder.endings == ["cancelled"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FRAMES = st.fixed_dictionaries(
    {"type": st.sampled_from(["authenticate", "chat", "cancel", "reset", "ping", "x"]) | _JSON},
    optional=dict.fromkeys(("key", "model", "content", "messages", "max_tokens", "parameters", "id"), _JSON),
)
_GARBAGE = st.one_of(st.none(), st.text(max_size=40), st.builds(json.dumps, _JSON), st.builds(json.dumps, _FRAMES))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.lists(_GARBAGE, max_size=8))
def test_no_garbage_breaks_a_conversation(
    make_plane: MakePlane, garbage: list[str | None], caplog: pytest.LogCaptureFixture
) -> None:
    async def send_all() -> None:
        async with talking(make_plane()) as talk:
            for frame in garbage:
                await talk.conversation.receive(frame)
            await talk.say("ping")
            while (await asyncio.wait_for(talk.peer.heard.get(), 5))["type"] != "pong":
                pass

    asyncio.run(send_all())
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
