"""What a call may take is reserved before anything is sent, and what it took is all that stays counted."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from gateway.endpoints import native, openai
from gateway.messages import Reply
from gateway.plane import DataPlane
from providers.adapters.http import BrokenResponse, FirstByteTimeout
from providers.prices import PriceBook
from routing.snapshot import Snapshot
from tests.builders import CHAT, Recorder, incoming, price_book, quiet_plane, route, snapshot, target
from tests.scripted import Upstream, refusal, spoken, stream, whole
from usage.counters.memory import MemoryCounters
from usage.policy import BudgetRule, LimitRule, Policy, ProviderLimit, Scope, limit_window
from usage.records import AttemptRecord, Charge, DenialRecord
from usage.windows import HELD, LIFETIME

SHORT = CHAT | {"max_tokens": 10}
ASKED = {"prompt_tokens": 2, "completion_tokens": 3}
ASKED_NANOS = 2 * 1_000 + 3 * 2_000
WORST_NANOS = 2 * 1_000 + 10 * 2_000  # counted, with ten tokens out
BOUND_NANOS = 200_000  # about what the bound of the same call comes to: some 180 tokens in
MakePlane = Callable[..., DataPlane]


def budget(limit_nanos: int = 10**9, **fields: Any) -> BudgetRule:
    usual: dict[str, Any] = {"id": 1, "name": "b", "scope": Scope(), "window": LIFETIME, "limit_nanos": limit_nanos}
    return BudgetRule(**(usual | fields))


def limit(measure: Any, value: int, **fields: Any) -> LimitRule:
    usual: dict[str, Any] = {"id": 2, "name": "l", "scope": Scope(), "window": limit_window(measure, 60.0)}
    return LimitRule(**(usual | {"measure": measure, "value": value} | fields))


def ruled(*rules: BudgetRule | LimitRule, found: Snapshot | None = None, **providers: ProviderLimit) -> Snapshot:
    policy = Policy(
        budgets=tuple(rule for rule in rules if isinstance(rule, BudgetRule)),
        limits=tuple(rule for rule in rules if isinstance(rule, LimitRule)),
        providers={slug: (one,) for slug, one in providers.items()},
    )
    return replace(found or snapshot(route()), policy=policy)


def plane_of(upstream: Upstream, found: Snapshot, **fields: Any) -> tuple[DataPlane, Recorder]:
    recorder = Recorder()
    return quiet_plane(found, adapters={"mock": upstream}, observers=[recorder], **fields), recorder


async def chat(plane: DataPlane, body: Any = SHORT, **headers: str) -> Reply:
    return await openai.chat_completions(plane, incoming(body, **headers))


async def under_way(plane: DataPlane, upstream: Upstream) -> "asyncio.Future[Reply]":
    """Return a call that has been sent and waits for its answer."""
    asked = asyncio.ensure_future(chat(plane))
    while not upstream.exchanges:  # noqa: ASYNC110 - a list has no event
        await asyncio.sleep(0)
    return asked


def error(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(reply.body)["error"]
    return found


def spent(plane: DataPlane, number: int = 1) -> int:
    assert isinstance(plane.counters, MemoryCounters)
    name = f"b{number}.0."
    return plane.counters.sums([(name, LIFETIME)])[0]


def journaled(plane: DataPlane) -> list[AttemptRecord | DenialRecord]:
    plane.denials.flush()
    kept: list[AttemptRecord | DenialRecord] = plane.journal.kept  # type: ignore[attr-defined]  # the quiet plane's
    return kept


async def test_what_is_not_used_comes_back_and_the_record_says_so() -> None:
    plane, recorder = plane_of(Upstream(whole(ASKED)), ruled(budget()))
    reply = await chat(plane)
    assert reply.status == 200
    assert spent(plane) == ASKED_NANOS
    [record] = recorder.attempts
    assert record.charges == (Charge("b1.0.", 0),)
    assert record.reserved_nanos == record.released_nanos + ASKED_NANOS
    assert dict(reply.headers)[b"x-gateway-budget-remaining-usd"] == b"0.999992"


async def test_a_stream_costs_the_budget_what_it_costs() -> None:
    plane, _ = plane_of(Upstream(stream(*spoken("hi", usage=ASKED))), ruled(budget()))
    reply = await chat(plane, SHORT | {"stream": True})
    assert reply.chunks is not None
    assert spent(plane) > ASKED_NANOS
    _ = [chunk async for chunk in reply.chunks]
    assert spent(plane) == ASKED_NANOS


async def test_a_budget_refuses_before_anything_is_sent_and_it_is_noted() -> None:
    upstream = Upstream()
    plane, recorder = plane_of(upstream, ruled(budget(WORST_NANOS - 1)))
    reply = await chat(plane, x_request_id="mine")
    assert (reply.status, error(reply)["type"], error(reply)["code"]) == (429, "insufficient_quota", "budget_exceeded")
    assert dict(reply.headers)[b"x-should-retry"] == b"false"
    assert (upstream.exchanges, spent(plane), recorder.attempts) == ([], 0, [])
    [denial] = journaled(plane)
    assert isinstance(denial, DenialRecord)
    assert (denial.request_id, denial.rule, denial.remaining, denial.count) == ("mine", "b", WORST_NANOS - 1, 1)
    assert [outcome.status for outcome in recorder.outcomes] == [429]


async def test_where_the_bound_does_not_fit_the_prompt_is_counted() -> None:
    plane, _ = plane_of(Upstream(whole(ASKED)), ruled(budget(WORST_NANOS)))
    assert (await chat(plane)).status == 200
    assert spent(plane) == ASKED_NANOS


async def test_a_cap_of_ours_is_written_into_the_request() -> None:
    upstream = Upstream(whole(ASKED), whole(ASKED))
    plane, _ = plane_of(upstream, ruled(budget()), usual_output_cap=77)
    await chat(plane, CHAT)
    await chat(plane, SHORT)
    sent = [msgspec.json.decode(exchange.body) for exchange in upstream.exchanges]
    assert [body["max_tokens"] for body in sent] == [77, 10]


async def test_without_rules_the_body_stays_as_it_is() -> None:
    upstream = Upstream(whole(ASKED))
    plane, _ = plane_of(upstream, snapshot(route()))
    await chat(plane, CHAT)
    assert "max_tokens" not in msgspec.json.decode(upstream.exchanges[0].body)


async def test_under_a_budget_a_model_without_a_price_is_refused() -> None:
    plane, _ = plane_of(Upstream(), ruled(budget(), found=snapshot(route(), book=PriceBook())))
    reply = await chat(plane)
    assert (reply.status, error(reply)["code"], error(reply)["param"]) == (403, "model_not_priced", "model")
    [denial] = journaled(plane)
    assert isinstance(denial, DenialRecord)
    assert (denial.code, denial.rule, denial.remaining) == ("model_not_priced", "price", 0)


async def test_a_fallback_without_a_price_is_not_reached() -> None:
    priced = price_book()
    found = replace(
        snapshot(route((target("a", "a"),), (target("b", "b"),))),
        price_book=lambda vendor, model: priced if model == "a" else PriceBook(),
    )
    upstream = Upstream(refusal(500), whole(ASKED))
    plane, recorder = plane_of(upstream, ruled(budget(), found=found))
    assert (await chat(plane)).status == 200
    assert [record.target for record in recorder.attempts] == ["a/a", "a/a"]


async def test_tries_that_used_tokens_are_all_posted_within_what_is_reserved() -> None:
    found = snapshot(route((target("a"),), (target("b"),)))
    plane, recorder = plane_of(Upstream(BrokenResponse("cut", sent=True), whole(ASKED)), ruled(budget(), found=found))
    assert (await chat(plane)).status == 200
    first, second = recorder.attempts
    assert first.cost_nanos == 2_000
    assert (first.reserved_nanos, first.released_nanos) == (None, 0)
    assert second.reserved_nanos is not None
    assert second.reserved_nanos - second.released_nanos == 2_000 + ASKED_NANOS == spent(plane)


async def test_a_try_that_the_budget_does_not_bear_is_not_made() -> None:
    found = snapshot(route((target("a"),), (target("b"),)))
    upstream = Upstream(FirstByteTimeout("slow", sent=True))
    plane, recorder = plane_of(upstream, ruled(budget(WORST_NANOS), found=found))
    reply = await chat(plane)
    assert (reply.status, error(reply)["code"]) == (504, "upstream_timeout")
    [record] = recorder.attempts
    assert (record.reserved_nanos, record.released_nanos) == (WORST_NANOS, WORST_NANOS - 2_000)
    assert spent(plane) == 2_000


@pytest.mark.parametrize("where", ["header", "body"])
async def test_a_call_may_name_the_most_it_may_cost(where: str) -> None:
    upstream = Upstream(whole(ASKED))
    plane, _ = plane_of(upstream, snapshot(route()))

    async def ask(usd: str) -> Reply:
        if where == "header":
            return await chat(plane, SHORT, x_gateway_max_cost_usd=usd)
        return await chat(plane, SHORT | {"max_cost_usd": float(usd)})

    refused = await ask("0.000021")
    assert (refused.status, error(refused)["code"], error(refused)["param"]) == (429, "budget_exceeded", "max_cost_usd")
    assert (await ask("0.000022")).status == 200
    assert "max_cost_usd" not in msgspec.json.decode(upstream.exchanges[0].body)


async def test_the_most_a_call_may_cost_holds_over_its_tries() -> None:
    found = snapshot(route((target("a"),), (target("b"),)))
    upstream = Upstream(FirstByteTimeout("slow", sent=True), whole(ASKED))
    plane, recorder = plane_of(upstream, found)
    reply = await chat(plane, SHORT | {"max_cost_usd": 0.000023})  # a try and its input again would be 0.000024
    assert (reply.status, len(recorder.attempts)) == (504, 1)


@pytest.mark.parametrize("given", ["-1", "nan", "much", "1e30", "\xff"])
async def test_an_amount_that_is_none_is_refused(given: str) -> None:
    plane, _ = plane_of(Upstream(), snapshot(route()))
    reply = await openai.chat_completions(plane, incoming(SHORT, x_gateway_max_cost_usd=given))
    assert (reply.status, error(reply)["param"]) == (400, "max_cost_usd")


async def test_a_limit_of_requests() -> None:
    plane, _ = plane_of(Upstream(whole(ASKED), whole(ASKED)), ruled(limit("requests", 2)))
    replies = [await chat(plane) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert [dict(reply.headers)[b"x-ratelimit-remaining-requests"] for reply in replies] == [b"1", b"0", b"0"]
    assert error(replies[2])["code"] == "rate_limit_exceeded"
    assert 60 <= int(dict(replies[2].headers)[b"retry-after"]) <= 62


async def test_a_limit_of_tokens_counts_what_was_used() -> None:
    plane, _ = plane_of(Upstream(*(whole(ASKED) for _ in range(9))), ruled(limit("tokens", 26)))
    statuses = [(await chat(plane)).status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]  # 5 tokens used a call, 12 reserved: 15 + 12 no longer fit
    assert dict((await chat(plane)).headers)[b"x-ratelimit-remaining-tokens"] == b"11"


async def test_calls_at_once_are_given_back_however_they_end() -> None:
    answering = asyncio.Event()
    upstream = Upstream(answering, whole(ASKED), refusal(400), whole(ASKED))
    plane, _ = plane_of(upstream, ruled(limit("parallel_calls", 1)))
    first = await under_way(plane, upstream)
    second = await chat(plane)
    assert (second.status, error(second)["code"]) == (429, "rate_limit_exceeded")
    answering.set()
    assert (await first).status == 200
    assert (await chat(plane)).status == 400
    assert (await chat(plane)).status == 200


async def test_a_full_provider_is_passed_by() -> None:
    answering = asyncio.Event()
    found = ruled(
        found=snapshot(route((target("a"),), (target("b"),), max_attempts=2)), a=ProviderLimit(9, "full", "a", 1)
    )
    upstream = Upstream(answering, whole(ASKED), whole(ASKED))
    plane, recorder = plane_of(upstream, found)
    first = await under_way(plane, upstream)
    second = await chat(plane)
    answering.set()
    assert (await first).status == second.status == 200
    assert {record.target for record in recorder.attempts} == {"a/mock-small", "b/mock-small"}
    assert plane.counters.sums([("l9..p", HELD)]) == [0]  # type: ignore[attr-defined]  # in memory


async def test_where_every_provider_is_full_the_caller_is_asked_to_come_again() -> None:
    plane, recorder = plane_of(
        Upstream(), ruled(found=snapshot(route(max_attempts=1)), mock=ProviderLimit(9, "full", "mock", 0))
    )
    reply = await chat(plane)
    assert (reply.status, error(reply)["code"], recorder.attempts) == (429, "provider_busy", [])
    assert dict(reply.headers)[b"retry-after"] == b"1"


async def test_a_dry_run_calls_nobody_and_holds_nothing() -> None:
    upstream = Upstream()
    plane, recorder = plane_of(upstream, ruled(budget(WORST_NANOS + 5), limit("requests", 3)))
    by_header = await chat(plane, SHORT, x_gateway_dry_run="true")
    by_path = await native.try_dry(plane, incoming(SHORT, path="/v1/gateway/dry-run"))
    for reply in (by_header, by_path):
        report = msgspec.json.decode(reply.body)
        assert (reply.status, report["verdict"], report["error"]) == (200, "admitted", None)
        assert report["targets"][0]["worst_case_cost_usd"] == "0.000022"
        assert report["budgets"][0]["would_remain"] == "0.000000005"
        assert (report["limits"][0]["used"], report["limits"][0]["would_remain"]) == (0, 2)
    assert (upstream.exchanges, recorder.outcomes, spent(plane), journaled(plane)) == ([], [], 0, [])


async def test_a_dry_run_tells_what_would_refuse() -> None:
    plane, _ = plane_of(Upstream(), ruled(budget(WORST_NANOS - 1)))
    report = msgspec.json.decode((await chat(plane, SHORT, x_gateway_dry_run="1")).body)
    assert (report["verdict"], report["error"]["code"], report["budgets"][0]["fits"]) == (
        "refused",
        "budget_exceeded",
        False,
    )
    assert journaled(plane) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"nonsense", "invalid_json"),
        ({"model": "m"}, "missing_required_parameter"),
        (CHAT | {"model": "x"}, "model_not_found"),
    ],
)
async def test_a_dry_run_of_a_bad_request_gets_its_error(body: Any, code: str) -> None:
    plane, _ = plane_of(Upstream(), snapshot(route()))
    reply = await native.try_dry(plane, incoming(body, path="/v1/gateway/dry-run"))
    assert error(reply)["code"] == code
    unclear = await chat(plane, SHORT, x_gateway_dry_run="perhaps")
    assert error(unclear)["param"] == "x-gateway-dry-run"
