"""A raw request from the door to the journal: passed as it is, recorded once, whatever happens."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.endpoints import passthrough
from gateway.messages import Incoming, Reply, StreamCut
from gateway.plane import DataPlane
from providers.adapters.http import BrokenResponse, ConnectFailed, IdleTimeout
from providers.dialects.canonical import Usage
from providers.prices import PriceBook
from tests.builders import Recorder
from tests.gateway.passthrough.passages import CHAT, NANOS, USAGE, MakePlane, ask, budget, passing, rights
from tests.scripted import Answer, Upstream, delta, event, refusal, spoken, stream, whole
from usage.policy import LimitRule, Policy, ProviderLimit, Scope
from usage.records import AttemptRecord
from usage.windows import Window

Journaled = Callable[[], list[AttemptRecord]]
CUT = BrokenResponse("10.0.0.1:443 reset", sent=True)
FORM = b"--b\r\ncontent-disposition: form-data; name=purpose\r\n\r\nbatch\r\n--b--\r\n"


async def send(plane: DataPlane, incoming: Incoming) -> Reply:
    slug, _, rest = incoming.path.removeprefix("/passthrough/").partition("/")
    return await passthrough.pass_through(plane, incoming, slug, rest, incoming.path.encode())


async def body_of(reply: Reply) -> bytes:
    if reply.chunks is None:
        return reply.body
    data = b"".join([chunk async for chunk in reply.chunks])
    await reply.chunks.aclose()
    return data


def code_of(reply: Reply) -> Any:
    return msgspec.json.decode(reply.body)["error"]["code"]


def plane_of(make_plane: MakePlane, *answers: Any, **fields: Any) -> tuple[DataPlane, Upstream]:
    upstream = Upstream(*answers)
    return make_plane(upstream, passing(**fields), **rights()), upstream


async def test_everything_goes_as_it_came(make_plane: MakePlane, recorder: Recorder) -> None:
    said = Answer([b'{"id":', b'"file-1"}'], status=201, headers=[(b"content-type", b"application/json"), (b"x", b"y")])
    plane, upstream = plane_of(make_plane, said)
    incoming = ask("files", FORM, query="a=1", content_type="multipart/form-data; boundary=b", openai_beta="x")
    reply = await send(plane, incoming)
    assert (reply.status, await body_of(reply)) == (201, b'{"id":"file-1"}')
    headers = dict(reply.headers)
    assert headers[b"content-type"] == b"application/json"
    assert b"x" not in headers
    assert headers[b"x-gateway-target"] == b"mock"
    [exchange] = upstream.exchanges
    assert exchange.raw is not None
    assert (exchange.raw.method, exchange.raw.path, exchange.raw.query, exchange.body) == (
        "POST",
        b"/files",
        b"a=1",
        FORM,
    )
    assert dict(exchange.headers) == {b"content-type": b"multipart/form-data; boundary=b", b"openai-beta": b"x"}
    [record] = recorder.attempts
    assert (record.operation, record.route, record.target) == ("passthrough", "passthrough/mock", "mock")
    assert (record.ending, record.status, record.cost_nanos, record.usage) == ("completed", 201, None, Usage())
    assert (record.finish_reason, len(recorder.outcomes), said.closed) == ("", 1, 1)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_methods_without_a_body(make_plane: MakePlane, recorder: Recorder, method: str) -> None:
    plane, upstream = plane_of(make_plane, Answer([b"[]"]))
    assert await body_of(await send(plane, ask("files/f1", method=method))) == b"[]"
    assert upstream.exchanges[0].raw is not None
    assert upstream.exchanges[0].raw.method == method
    assert recorder.attempts[0].cost_nanos is None


async def test_a_chat_stream_is_metered_and_keeps_its_bytes(make_plane: MakePlane, recorder: Recorder) -> None:
    events = list(spoken("a", "b", usage=USAGE))
    plane, _ = plane_of(make_plane, stream(*events))
    reply = await send(plane, ask("v1/chat/completions", CHAT | {"stream": True}))
    assert await body_of(reply) == b"".join(events)
    [record] = recorder.attempts
    assert (record.ending, record.model, record.cost_nanos, record.streamed) == ("completed", "m", NANOS, True)
    assert (record.usage, record.finish_reason) == (Usage(input_tokens=7, output_tokens=3), "stop")


async def test_a_known_door_that_reports_nothing_is_estimated(make_plane: MakePlane, recorder: Recorder) -> None:
    plane, _ = plane_of(make_plane, whole(text="four"))
    await body_of(await send(plane, ask("chat/completions", CHAT)))
    [record] = recorder.attempts
    assert (record.usage.estimated, record.usage.output_tokens) == (True, 1)
    assert record.cost_nanos


async def test_the_model_is_the_answers_where_that_has_a_price(make_plane: MakePlane, recorder: Recorder) -> None:
    answers = [Answer([msgspec.json.encode({"model": model, "usage": USAGE})]) for model in ("dated", "unpriced")]

    def books(vendor: str, model: str) -> PriceBook:
        return PriceBook() if model == "unpriced" else passing().price_book(vendor, model)

    plane, _ = plane_of(make_plane, *answers, price_book=books)
    for _ in answers:
        await body_of(await send(plane, ask("runs", {"model": "asked"})))
    assert [(record.model, record.target, record.cost_nanos) for record in recorder.attempts] == [
        ("dated", "mock/dated", NANOS),
        ("asked", "mock/asked", NANOS),
    ]


@pytest.mark.parametrize("status", [400, 404, 429, 500, 529])
async def test_errors_are_the_providers_own_words_and_free(
    make_plane: MakePlane, recorder: Recorder, status: int
) -> None:
    said = refusal(status)
    words = b"".join(piece for piece in said.pieces if isinstance(piece, bytes))
    plane, _ = plane_of(make_plane, said)
    reply = await send(plane, ask("chat/completions", CHAT))
    assert (reply.status, await body_of(reply)) == (status, words)
    [record] = recorder.attempts
    assert (record.ending, record.status, record.cost_nanos) == ("refused", status, 0)
    assert record.error_code == "upstream_refused"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("rest", ["files", "v1/messages"])
async def test_a_refused_credential_is_the_operators(
    make_plane: MakePlane, recorder: Recorder, status: int, rest: str
) -> None:
    said = refusal(status)
    plane, _ = plane_of(make_plane, said)
    reply = await send(plane, ask(rest, {"x": 1}))
    assert reply.status == 502
    assert b"said the provider" not in reply.body
    [record] = recorder.attempts
    assert (record.ending, record.error_code, record.cost_nanos) == ("refused", "upstream_authentication_failed", 0)
    assert said.closed == 1


async def test_redirects_are_handed_on(make_plane: MakePlane, recorder: Recorder) -> None:
    plane, _ = plane_of(make_plane, Answer([], status=302, headers=[(b"location", b"https://elsewhere.example/f")]))
    reply = await send(plane, ask("files/f1/content"))
    assert (reply.status, dict(reply.headers)[b"location"]) == (302, b"https://elsewhere.example/f")
    await body_of(reply)
    assert recorder.endings == ["completed"]


@pytest.mark.parametrize(
    ("error", "status", "cost_nanos"),
    [
        (ConnectFailed("no", sent=False), 502, 0),
        (CUT, 502, None),
        (IdleTimeout("slow", sent=True), 504, None),
    ],
)
async def test_no_answer(
    make_plane: MakePlane, recorder: Recorder, error: Exception, status: int, cost_nanos: int | None
) -> None:
    plane, upstream = plane_of(make_plane, error)
    assert (await send(plane, ask("files", b"x"))).status == status
    [record] = recorder.attempts
    assert (record.ending, record.cost_nanos) == ("failed", cost_nanos)
    assert (len(upstream.exchanges), len(recorder.outcomes)) == (1, 1)


async def test_no_answer_at_a_known_door_costs_its_prompt(make_plane: MakePlane, recorder: Recorder) -> None:
    plane, _ = plane_of(make_plane, CUT)
    await send(plane, ask("chat/completions", CHAT))
    assert recorder.attempts[0].cost_nanos


async def test_a_provider_that_breaks_off_cuts_the_caller(make_plane: MakePlane, recorder: Recorder) -> None:
    plane, _ = plane_of(make_plane, stream(delta("hello"), CUT))
    reply = await send(plane, ask("chat/completions", CHAT | {"stream": True}))
    with pytest.raises(StreamCut):
        await body_of(reply)
    [record] = recorder.attempts
    assert (record.ending, record.error_code, record.usage.output_tokens) == ("cut", "upstream_cut", 2)


@pytest.mark.parametrize(("rest", "cost_is_known"), [("chat/completions", True), ("files", False)])
async def test_a_caller_who_hangs_up_in_the_middle(
    make_plane: MakePlane, recorder: Recorder, rest: str, cost_is_known: bool
) -> None:
    said = stream(delta("hello"), asyncio.Event())
    plane, _ = plane_of(make_plane, said)
    reply = await send(plane, ask(rest, CHAT | {"stream": True}))
    assert reply.chunks is not None
    await anext(reply.chunks)
    await reply.chunks.aclose()
    await reply.chunks.aclose()
    [record] = recorder.attempts
    assert (record.ending, record.error_code, record.cost_nanos is not None) == (
        "cancelled",
        "client_disconnected",
        cost_is_known,
    )
    assert (said.closed, len(recorder.outcomes)) == (1, 1)


@pytest.mark.parametrize(("rest", "cost_is_known"), [("chat/completions", True), ("files", False)])
async def test_a_caller_who_hangs_up_before_an_answer(
    make_plane: MakePlane, recorder: Recorder, rest: str, cost_is_known: bool
) -> None:
    plane, upstream = plane_of(make_plane, asyncio.Event(), whole())
    task = asyncio.ensure_future(send(plane, ask(rest, CHAT)))
    for _ in range(20):
        await asyncio.sleep(0)
    assert upstream.exchanges
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [record] = recorder.attempts
    assert (record.ending, record.cost_nanos is not None) == ("cancelled", cost_is_known)
    assert recorder.outcomes[0].status == 499


@pytest.mark.parametrize("rest", ["chat/completions", "files"])
async def test_a_fault_of_our_own_is_settled(make_plane: MakePlane, recorder: Recorder, rest: str) -> None:
    plane, _ = plane_of(make_plane, RuntimeError("a fault"))
    assert (await send(plane, ask(rest, CHAT))).status == 500
    assert (recorder.endings, len(recorder.outcomes)) == (["failed"], 1)


async def test_it_is_written_down_before_it_is_sent(make_plane: MakePlane, journaled: Journaled) -> None:
    plane, upstream = plane_of(make_plane, Answer([b"{}"]))
    begun: list[AttemptRecord] = []
    begin = plane.journal.begin

    def note(record: AttemptRecord) -> int:
        assert not upstream.exchanges
        begun.append(record)
        return begin(record)

    plane.journal.begin = note  # type: ignore[method-assign]
    await body_of(await send(plane, ask("files")))
    assert [(record.ending, record.cost_nanos) for record in begun] == [("lost", None)]
    assert [record.ending for record in journaled()] == ["completed"]


async def test_under_a_budget_the_worst_case_is_held_and_the_rest_given_back(
    make_plane: MakePlane, recorder: Recorder
) -> None:
    answer = Answer([msgspec.json.encode({"model": "other", "choices": [], "usage": USAGE})])
    plane, upstream = plane_of(make_plane, answer, policy=budget())
    refused = await send(plane, ask("chat/completions", CHAT))
    assert (refused.status, code_of(refused)) == (403, "cost_unknown")
    assert not upstream.exchanges
    stated = CHAT | {"max_tokens": 50}
    reply = await send(plane, ask("chat/completions", stated))
    await body_of(reply)
    assert upstream.exchanges[0].body == msgspec.json.encode(stated)
    [record] = recorder.attempts
    assert (record.model, record.cost_nanos) == ("m", NANOS)
    assert record.reserved_nanos is not None
    assert record.reserved_nanos >= 50 * 2000
    assert record.released_nanos == record.reserved_nanos - NANOS


@pytest.mark.parametrize(
    ("incoming", "status", "code"),
    [
        (ask("files", authorization="Bearer nobody"), 401, "invalid_api_key"),
        (ask("files", slug="none"), 404, "unknown_provider"),
        (ask("files/%2e%2e/x"), 400, "unsafe_path"),
        (ask("files", x_gateway_dry_run="true"), 400, "no_dry_run"),
        (ask("files", x_gateway_max_cost_usd="1"), 403, "cost_unknown"),
    ],
)
async def test_what_is_not_sent(make_plane: MakePlane, incoming: Incoming, status: int, code: str) -> None:
    plane, upstream = plane_of(make_plane)
    reply = await send(plane, incoming)
    assert (reply.status, code_of(reply)) == (status, code)
    assert not upstream.exchanges


async def test_refusals_are_said_as_the_vendor_would(make_plane: MakePlane) -> None:
    plane, _ = plane_of(make_plane)
    told = msgspec.json.decode((await send(plane, ask("v1/messages", {}, slug="none"))).body)
    assert told["type"] == "error"


async def test_an_idempotency_key_gets_the_first_answer_again(make_plane: MakePlane, recorder: Recorder) -> None:
    plane, upstream = plane_of(make_plane, Answer([b'{"id": 1}']), Answer([b"never"]))
    incoming = ask("batches", {"x": 1}, idempotency_key="once")
    first = await body_of(await send(plane, incoming))
    again = await send(plane, incoming)
    assert (await body_of(again), (b"idempotency-replayed", b"true") in again.headers) == (first, True)
    assert (len(upstream.exchanges), len(recorder.attempts)) == (1, 1)


async def test_a_long_stream_tells_the_journal_how_far_it_is(make_plane: MakePlane, recorder: Recorder) -> None:
    plane, _ = plane_of(make_plane, stream(*[event({"x": 1})] * 70))
    revised: list[AttemptRecord] = []
    plane.journal.revise = lambda slot, record: revised.append(record)  # type: ignore[method-assign]
    await body_of(await send(plane, ask("events", {"stream": True})))
    assert [record.cost_nanos for record in revised] == [None, None]
    assert recorder.endings == ["completed"]


async def test_a_provider_that_is_busy_is_not_asked_and_a_place_is_given_back(make_plane: MakePlane) -> None:
    policy = Policy(providers={"mock": (ProviderLimit(1, "one", "mock", 1),)})
    plane, upstream = plane_of(make_plane, Answer([b"{}"]), Answer([b"{}"]), policy=policy)
    first = await send(plane, ask("files"))
    busy = await send(plane, ask("files"))
    assert (busy.status, code_of(busy), len(upstream.exchanges)) == (429, "provider_busy", 1)
    await body_of(first)
    assert (await send(plane, ask("files"))).status == 200


async def test_parallel_calls_are_counted_until_the_answer_has_passed(make_plane: MakePlane) -> None:
    policy = Policy(limits=(LimitRule(1, "one", Scope(), "parallel_calls", Window("held"), 1),))
    plane, _ = plane_of(make_plane, Answer([b"{}"]), Answer([b"{}"]), policy=policy)
    first = await send(plane, ask("files"))
    assert (await send(plane, ask("files"))).status == 429
    await body_of(first)
    assert (await send(plane, ask("files"))).status == 200
