"""The journey of a call: its order, its tries, what they cost, and that each is settled exactly once."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import pipeline
from gateway.endpoints import openai
from gateway.messages import Reply
from gateway.plane import DataPlane
from kernel.errors import UpstreamFailed
from providers.adapters.http import BrokenResponse, ConnectFailed, FirstByteTimeout
from providers.dialects.canonical import Operation, Usage
from providers.presets import PRESETS
from providers.prices import Price, PriceBook, Rates, cost_nanos
from routing.snapshot import RouteTable, Snapshot
from tests.builders import (
    CHAT,
    ONE_AND_TWO,
    Recorder,
    caller,
    connection,
    incoming,
    key_directory,
    price_book,
    quiet_plane,
    route,
    snapshot,
    target,
)
from tests.scripted import DONE, Upstream, delta, refusal, spoken, stream, usage_event, whole
from usage.journal.journal import Journal
from usage.records import AttemptRecord

BODY = msgspec.json.encode(CHAT)
PROMPT_TOKENS = 2  # as the mock counts "hello": four bytes a token
PROMPT_NANOS = PROMPT_TOKENS * 1_000
TEN_AND_FIVE = {"prompt_tokens": 10, "completion_tokens": 5}
TEN_AND_FIVE_NANOS = 10 * 1_000 + 5 * 2_000
STREAM = CHAT | {"stream": True}
STREAM_WITH_USAGE = STREAM | {"stream_options": {"include_usage": True}}
NO_STREAM_OPTIONS = next(name for name, preset in PRESETS.items() if not preset.accepts_stream_options)

MakePlane = Callable[..., DataPlane]
Journaled = Callable[[], list[AttemptRecord]]


async def serve(plane: DataPlane, body: Any = CHAT, **headers: str) -> Reply:
    return await openai.chat_completions(plane, incoming(body, **headers))


async def drain(reply: Reply) -> bytes:
    assert reply.chunks is not None
    try:
        return b"".join([chunk async for chunk in reply.chunks])
    finally:
        await reply.chunks.aclose()


def header(reply: Reply, name: bytes) -> str | None:
    return next((value.decode() for key, value in reply.headers if key == name), None)


def code(reply: Reply) -> str:
    return str(msgspec.json.decode(reply.body)["error"]["code"])


def ticks(times: int = 20) -> Any:
    async def wait() -> None:
        for _ in range(times):
            await asyncio.sleep(0)

    return wait()


def two_targets() -> Snapshot:
    return snapshot(route((target("a", "m"),), (target("b", "m"),)))


# Order


class Closed(Journal):
    """A journal without room."""

    accepting = False  # type: ignore[assignment]

    def __init__(self) -> None:
        """Open nothing."""

    def append(self, record: AttemptRecord) -> None:
        raise AssertionError("nothing was attempted")


async def test_every_gate_stands_before_the_next_and_all_before_the_upstream(
    make_plane: MakePlane, recorder: Recorder
) -> None:
    upstream = Upstream(whole(TEN_AND_FIVE))
    found = snapshot(route((target("a", "m"),), name="m"), route(name="other"))
    nothing = caller(scopes=frozenset(), allowed_routes=("other",))
    no_route = caller(allowed_routes=("other",))
    keys = key_directory(all_wrong=nothing, limited=no_route, good=caller())
    wrong: dict[str, Any] = {"found": found, "keys": keys}
    full = make_plane(upstream, **wrong, journal=Closed())
    open_ = make_plane(upstream, **wrong)
    steps: list[tuple[DataPlane, Any, dict[str, Any], tuple[int, str]]] = [
        (full, b"{", {"secret": None, "content_encoding": "gzip"}, (401, "missing_api_key")),
        (full, b"{", {"secret": "wrong", "content_encoding": "gzip"}, (401, "invalid_api_key")),
        (full, b"{", {"secret": "all-wrong", "content_encoding": "gzip"}, (400, "unsupported_content_encoding")),
        (full, b"{", {"secret": "all-wrong"}, (403, "insufficient_scope")),
        (full, b"{", {"secret": "limited"}, (503, "journal_full")),
        (open_, b"{", {"secret": "limited"}, (400, "invalid_json")),
        (open_, CHAT | {"model": "nope"}, {"secret": "limited"}, (404, "model_not_found")),
        (open_, CHAT, {"secret": "limited"}, (403, "model_not_allowed")),
    ]
    for plane, body, fields, expected in steps:
        reply = await openai.chat_completions(plane, incoming(body, **fields))
        assert (reply.status, code(reply)) == expected
    assert upstream.exchanges == []
    assert recorder.attempts == recorder.outcomes == []
    assert (await openai.chat_completions(open_, incoming(CHAT, secret="good"))).status == 200
    assert len(upstream.exchanges) == 1


async def test_a_journal_that_is_closed_takes_no_calls(make_plane: MakePlane, journal: Journal) -> None:
    upstream = Upstream()
    plane = make_plane(upstream)
    journal.close()
    reply = await serve(plane)
    assert (reply.status, code(reply)) == (503, "journal_full")
    assert upstream.exchanges == []


# A whole answer


async def test_an_answer_passes_untouched_and_its_cost_is_exact(
    make_plane: MakePlane, recorder: Recorder, journaled: Journaled
) -> None:
    answer = whole(TEN_AND_FIVE, openai_version="v", set_cookie="secret", x_request_id="theirs")
    sent = answer.pieces[0]
    plane = make_plane(Upstream(answer), snapshot(route((target("a", "m"),))))
    reply = await serve(plane, x_request_id="mine")
    assert (reply.status, reply.body) == (200, sent)
    assert header(reply, b"content-type") == "application/json"
    assert header(reply, b"openai-version") == "v"
    assert header(reply, b"set-cookie") is None
    assert header(reply, b"x-request-id") == "mine"
    assert header(reply, b"x-gateway-target") == "a/m"
    assert header(reply, b"x-gateway-attempts") == "1"
    assert header(reply, b"x-gateway-cost-usd") == "0.00002"
    [record] = journaled()
    assert record == recorder.attempts[0]
    assert (record.ending, record.cost_nanos, record.status) == ("completed", TEN_AND_FIVE_NANOS, 200)
    assert (record.request_id, record.route, record.target, record.model) == ("mine", "m", "a/m", "m")
    assert record.usage == Usage(input_tokens=10, output_tokens=5)
    assert record.price_id == 1
    assert record.first_byte_us is not None
    assert [(outcome.status, outcome.error) for outcome in recorder.outcomes] == [(200, None)]
    assert answer.closed == 1


async def test_a_missing_usage_is_estimated_and_marked(make_plane: MakePlane, recorder: Recorder) -> None:
    reply = await serve(make_plane(Upstream(whole(None, "x" * 9))))
    [record] = recorder.attempts
    assert record.usage == Usage(input_tokens=PROMPT_TOKENS, output_tokens=3, estimated=True)
    assert record.cost_nanos == PROMPT_NANOS + 3 * 2_000
    assert header(reply, b"x-gateway-cost-usd") == f"{record.cost_nanos / 1e9:f}".rstrip("0")


async def test_without_a_price_the_cost_is_unknown_never_zero(make_plane: MakePlane, recorder: Recorder) -> None:
    reply = await serve(make_plane(Upstream(whole(TEN_AND_FIVE)), snapshot(route(), book=PriceBook())))
    assert header(reply, b"x-gateway-cost-usd") == "unknown"
    assert (recorder.attempts[0].cost_nanos, recorder.attempts[0].price_id) == (None, None)


# Several tries


@pytest.mark.parametrize(
    ("first", "ending", "error_code", "status", "first_nanos"),
    [
        (refusal(500), "refused", "nope", 500, 0),
        (refusal(429, retry_after="1"), "refused", "rate_limit_exceeded", 429, 0),
        (refusal(401), "refused", "upstream_authentication_failed", 502, 0),
        (ConnectFailed("no", sent=False), "failed", "upstream_unreachable", None, 0),
        (FirstByteTimeout("no", sent=True), "failed", "upstream_timeout", None, PROMPT_NANOS),
        (BrokenResponse("no", sent=True), "failed", "upstream_cut", None, PROMPT_NANOS),
        (whole(status=204), "failed", "upstream_invalid_response", None, PROMPT_NANOS),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_the_next_target_answers_and_each_try_is_settled_once(  # noqa: PLR0917 - one a parameter
    make_plane: MakePlane,
    recorder: Recorder,
    journaled: Journaled,
    first: Any,
    ending: str,
    error_code: str,
    status: int | None,
    first_nanos: int,
    streamed: bool,
) -> None:
    if not isinstance(first, Exception):
        first.pieces = [bytes(piece) for piece in refusal(500).pieces]
    second = stream(*spoken("hi", usage=TEN_AND_FIVE)) if streamed else whole(TEN_AND_FIVE)
    reply = await serve(make_plane(Upstream(first, second), two_targets()), STREAM_WITH_USAGE if streamed else CHAT)
    body = await drain(reply) if streamed else reply.body
    tries = journaled()
    assert [(r.attempt_number, r.target, r.ending) for r in tries] == [(1, "a/m", ending), (2, "b/m", "completed")]
    assert (tries[0].error_code, tries[0].status, tries[0].cost_nanos) == (error_code, status, first_nanos)
    assert tries[0].usage.estimated is bool(first_nanos)
    assert tries[1].cost_nanos == TEN_AND_FIVE_NANOS
    assert tries[1].chosen_because == f"try 2 after {error_code}"
    assert header(reply, b"x-gateway-attempts") == "2"
    assert header(reply, b"x-gateway-target") == "b/m"
    total = msgspec.json.encode((first_nanos + TEN_AND_FIVE_NANOS) / 1e9)
    if streamed:
        assert b'"cost":' in body
        [told] = [line for line in body.split(b"\n\n") if b'"cost":' in line]
        assert msgspec.json.decode(told[6:])["usage"]["cost"] == msgspec.json.decode(total)
    else:
        assert float(header(reply, b"x-gateway-cost-usd") or "nan") == msgspec.json.decode(total)
    assert [outcome.status for outcome in recorder.outcomes] == [200]


async def test_a_final_refusal_passes_as_the_provider_said_it(make_plane: MakePlane, recorder: Recorder) -> None:
    answer = refusal(400, code="content_filter")
    said = answer.pieces[0]
    reply = await serve(make_plane(Upstream(answer), two_targets()))
    assert (reply.status, reply.body) == (400, said)
    assert header(reply, b"x-gateway-cost-usd") == "0"
    assert recorder.endings == ["refused"]
    [outcome] = recorder.outcomes
    assert (outcome.status, outcome.error and outcome.error.code) == (400, "content_filter")


async def test_the_last_failure_is_the_answer_and_says_how_many_tries_there_were(
    make_plane: MakePlane, recorder: Recorder
) -> None:
    upstream = Upstream(ConnectFailed("10.0.0.1", sent=False), FirstByteTimeout("10.0.0.2", sent=True))
    reply = await serve(make_plane(upstream, snapshot(route((target("a"),), (target("b"),), max_attempts=2))))
    assert (reply.status, code(reply)) == (504, "upstream_timeout")
    assert b"10.0.0" not in reply.body
    assert header(reply, b"x-gateway-attempts") == "2"
    assert header(reply, b"x-gateway-target") == "b/mock-small"
    assert recorder.endings == ["failed", "failed"]
    assert isinstance(recorder.outcomes[0].error, UpstreamFailed)


async def test_one_unpriced_try_makes_the_whole_unknown_on_streams_too(make_plane: MakePlane) -> None:
    upstream = Upstream(FirstByteTimeout("slow", sent=True), stream(*spoken("hi", usage=TEN_AND_FIVE)))
    priced = price_book()
    table = two_targets()
    books = {"a": PriceBook(), "b": priced}
    groups = tuple((target(slug, slug),) for slug in books)
    found = Snapshot(
        version=1,
        shared=RouteTable(exact={"m": route(*groups)}, wildcards=()),
        by_tenant={},
        price_book=lambda vendor, model: books[model],
        provider_slugs=table.provider_slugs,
    )
    body = await drain(await serve(make_plane(upstream, found), STREAM_WITH_USAGE))
    assert b'"cost"' not in body
    assert b'"prompt_tokens":10' in body


async def test_a_fault_of_our_own_is_settled_too(
    make_plane: MakePlane, recorder: Recorder, journaled: Journaled
) -> None:
    reply = await serve(make_plane(Upstream(RuntimeError("a bug"))))
    assert (reply.status, code(reply)) == (500, "internal_error")
    assert b"a bug" not in reply.body
    assert [(record.ending, record.error_code) for record in journaled()] == [("failed", "internal_error")]
    assert [outcome.status for outcome in recorder.outcomes] == [500]


# The caller hangs up


async def _cancel(task: "asyncio.Task[Reply]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("body", [CHAT, STREAM])
async def test_hanging_up_before_the_head_is_settled_once(
    make_plane: MakePlane, recorder: Recorder, journaled: Journaled, body: Any
) -> None:
    task = asyncio.ensure_future(serve(make_plane(Upstream(asyncio.Event())), body))
    await ticks()
    await _cancel(task)
    [record] = journaled()
    assert (record.ending, record.error_code, record.usage.estimated) == ("cancelled", "client_disconnected", True)
    assert record.cost_nanos == PROMPT_NANOS
    assert [outcome.status for outcome in recorder.outcomes] == [499]


async def test_hanging_up_between_tries_settles_nothing_twice(
    make_plane: MakePlane, recorder: Recorder, journaled: Journaled
) -> None:
    upstream = Upstream(refusal(500), whole(TEN_AND_FIVE))
    task = asyncio.ensure_future(serve(make_plane(upstream)))
    await ticks()
    assert recorder.endings == ["refused"]
    await _cancel(task)
    assert [record.ending for record in journaled()] == ["refused"]
    assert len(upstream.exchanges) == 1
    assert [outcome.status for outcome in recorder.outcomes] == [499]


async def test_hanging_up_while_the_body_comes_closes_the_upstream(make_plane: MakePlane, recorder: Recorder) -> None:
    answer = whole()
    answer.pieces.append(asyncio.Event())
    task = asyncio.ensure_future(serve(make_plane(Upstream(answer))))
    await ticks()
    await _cancel(task)
    assert answer.closed == 1
    assert recorder.endings == ["cancelled"]


async def test_hanging_up_before_the_first_event_closes_the_upstream(make_plane: MakePlane, recorder: Recorder) -> None:
    answer = stream(b": hold on", asyncio.Event())
    task = asyncio.ensure_future(serve(make_plane(Upstream(answer)), STREAM))
    await ticks()
    await _cancel(task)
    assert answer.closed == 1
    assert recorder.endings == ["cancelled"]


# What is sent


async def _sent(make_plane: MakePlane, body: Any, *, model: str = "m", kind: str = "mock", answer: Any = None) -> bytes:
    upstream = Upstream(answer or (stream(*spoken("hi")) if msgspec.json.decode(body).get("stream") else whole()))
    found = snapshot(route((target("a", model, connection=connection("a", kind)),)))
    reply = await openai.chat_completions(make_plane(upstream, found), incoming(body))
    assert reply.status == 200
    if reply.chunks is not None:
        await drain(reply)
    return upstream.exchanges[0].body


@pytest.mark.parametrize("body", [CHAT, STREAM_WITH_USAGE])
async def test_a_body_that_needs_no_change_is_the_callers_own(make_plane: MakePlane, body: Any) -> None:
    raw = msgspec.json.encode(body | {"temperature": 0.10, "future": [1.50]}).replace(b":", b" :  ")
    assert await _sent(make_plane, raw) is raw


async def test_only_the_model_is_replaced(make_plane: MakePlane) -> None:
    raw = b'{"model":"m","messages":[{"role":"user","content":"\xc3\xa4"}],"seed":1.0e0,"x":{"b":1,"a":2}}'
    assert await _sent(make_plane, raw, model="upstream-model") == raw.replace(b'"m"', b'"upstream-model"', 1)


async def test_usage_is_asked_of_streams_and_hidden_from_callers_who_did_not_ask(make_plane: MakePlane) -> None:
    raw = msgspec.json.encode(STREAM)
    sent = await _sent(make_plane, raw)
    assert msgspec.json.decode(sent) == STREAM_WITH_USAGE
    told = list(spoken("hi", usage=TEN_AND_FIVE))
    body = await drain(await serve(make_plane(Upstream(stream(*told))), STREAM))
    assert body == b"".join(piece for piece in told if b"prompt_tokens" not in piece)
    assert body.endswith(DONE)


async def test_stream_options_are_not_sent_where_they_are_not_understood(
    make_plane: MakePlane, recorder: Recorder
) -> None:
    raw = msgspec.json.encode(STREAM)
    answer = stream(*spoken("hi", usage=TEN_AND_FIVE))
    assert await _sent(make_plane, raw, kind=NO_STREAM_OPTIONS, answer=answer) == raw
    assert recorder.attempts[0].usage == Usage(input_tokens=10, output_tokens=5)


async def test_a_body_that_names_its_model_twice_says_it_once_upstream(make_plane: MakePlane) -> None:
    raw = b'{"model":"else","messages":[{"role":"user","content":"x"}],"model":"m"}'
    sent = await _sent(make_plane, raw)
    assert sent.count(b'"model"') == 1
    assert msgspec.json.decode(sent)["model"] == "m"


async def test_the_targets_timeouts_and_the_request_id_go_along(make_plane: MakePlane) -> None:
    upstream = Upstream(whole())
    to = target("a", "m")
    await serve(make_plane(upstream, snapshot(route((to,)))), x_request_id="mine")
    [exchange] = upstream.exchanges
    assert (exchange.timeouts, exchange.request_id, exchange.connection) == (to.timeouts, "mine", to.connection)
    assert (exchange.operation, exchange.stream) == (Operation.CHAT, False)


# Unary and streamed calls cost the same

EVERY_RATE = Rates(
    input=3_000_000_000_000,
    cached_input=300_000_000_001,
    cache_write=3_750_000_000_000,
    output=15_000_000_000_000,
    reasoning=15_000_000_000_003,
    audio_input=40_000_000_000_000,
    audio_output=80_000_000_000_000,
    request=1,
)
COUNTS = st.integers(0, 100_000)


@st.composite
def wire_usages(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "prompt_tokens": draw(COUNTS),
        "completion_tokens": draw(COUNTS),
        "prompt_tokens_details": {
            "cached_tokens": draw(COUNTS),
            "cache_write_tokens": draw(COUNTS),
            "audio_tokens": draw(COUNTS),
        },
        "completion_tokens_details": {"reasoning_tokens": draw(COUNTS), "audio_tokens": draw(COUNTS)},
    }


@given(wire_usages())
def test_a_stream_costs_what_a_whole_answer_costs(usage: dict[str, Any]) -> None:
    async def both() -> None:
        heard = Recorder()
        upstream = Upstream(whole(usage), stream(*spoken("hi", usage=usage)))
        found = snapshot(route(), book=price_book(EVERY_RATE))
        made = quiet_plane(found, adapters={"mock": upstream}, observers=[heard])
        unary = await serve(made)
        body = await drain(await serve(made, STREAM_WITH_USAGE))
        first, second = heard.attempts
        assert first.usage == second.usage
        assert first.cost_nanos == second.cost_nanos
        [told] = [line for line in body.split(b"\n\n") if b'"cost":' in line]
        raw = msgspec.json.decode(told[6:], type=dict[str, msgspec.Raw])["usage"]
        shown = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])["cost"]
        assert bytes(shown).decode() == header(unary, b"x-gateway-cost-usd")

    asyncio.run(both())


async def test_every_class_of_token_by_hand(make_plane: MakePlane, recorder: Recorder) -> None:
    usage = {
        "prompt_tokens": 1_000,
        "completion_tokens": 500,
        "prompt_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 100, "audio_tokens": 50},
        "completion_tokens_details": {"reasoning_tokens": 200, "audio_tokens": 30},
    }
    await serve(make_plane(Upstream(whole(usage)), snapshot(route(), book=price_book(EVERY_RATE))))
    # 450 plain input, 400 cached, 100 written, 50 audio; 270 plain output, 200 reasoning, 30 audio; one request
    attos = 450 * 3_000_000_000_000 + 400 * 300_000_000_001 + 100 * 3_750_000_000_000 + 50 * 40_000_000_000_000
    attos += 270 * 15_000_000_000_000 + 200 * 15_000_000_000_003 + 30 * 80_000_000_000_000 + 1
    assert attos % 1_000_000_000 == 400 + 600 + 1
    assert recorder.attempts[0].cost_nanos == attos // 1_000_000_000 == 13_295_000
    price = Price(id=1, vendor="mock", model="m", rates=EVERY_RATE)
    assert cost_nanos(recorder.attempts[0].usage, price) == 13_295_000


async def test_a_stream_without_usage_is_estimated_from_what_was_said(
    make_plane: MakePlane, recorder: Recorder
) -> None:
    assert ONE_AND_TWO.output == 2_000_000_000_000
    await drain(await serve(make_plane(Upstream(stream(*spoken("four", "more!")))), STREAM))
    [record] = recorder.attempts
    assert (record.usage.output_tokens, record.usage.estimated, record.ending) == (3, True, "completed")
    assert record.cost_nanos == PROMPT_NANOS + 3 * 2_000


async def test_a_stream_is_told_its_target_but_no_cost_before_it_has_one(make_plane: MakePlane) -> None:
    reply = await serve(make_plane(Upstream(stream(*spoken("hi")))), STREAM)
    assert header(reply, b"content-type") == "text/event-stream"
    assert header(reply, b"x-gateway-target") == "mock/mock-small"
    assert header(reply, b"x-gateway-cost-usd") is None
    await drain(reply)


async def test_a_stream_that_fails_before_its_first_event_keeps_its_status(
    make_plane: MakePlane, recorder: Recorder
) -> None:
    upstream = Upstream(stream(usage_event(TEN_AND_FIVE), BrokenResponse("cut", sent=True)))
    reply = await serve(make_plane(upstream, snapshot(route(max_attempts=1))), STREAM)
    assert (reply.status, code(reply)) == (502, "upstream_cut")
    assert recorder.endings == ["failed"]


async def test_the_facts_of_a_call_without_tries_cost_nothing() -> None:
    from tests.builders import call

    assert pipeline.facts_of(call()) == [(b"x-gateway-attempts", b"0"), (b"x-gateway-cost-usd", b"0")]


async def test_a_stream_of_one_unfinished_event_has_one_done(make_plane: MakePlane) -> None:
    reply = await serve(make_plane(Upstream(stream(delta("hi", finish="stop")[:-2]))), STREAM)
    body = await drain(reply)
    assert body.count(DONE) == 1
    assert body.endswith(DONE)
