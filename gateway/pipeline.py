"""The journey of a call, in the one order that is safe.

access -> (prompts) -> admission -> (guardrails, reuse) -> routing and attempts -> settle; what stands in parentheses
are later floors of this journey.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway import access, reservation
from gateway.call import Attempt, Call, Outcome
from gateway.messages import Headers, Incoming, Reply
from gateway.plane import DataPlane
from gateway.relay import StreamRelay
from gateway.settlement import (
    conclude_failed,
    price_usage,
    record_if_lost,
    settle_cancelled,
    settle_fault,
    settle_whole,
)
from kernel.errors import GatewayError, InternalError, Unavailable, UpstreamBusy, UpstreamFailed
from kernel.money import format_usd
from providers.adapters.base import Adapter, Exchange
from providers.dialects.canonical import Operation, Usage
from providers.dialects.openai_chat import request as wire
from providers.dialects.openai_chat.response import PASSED_HEADERS
from providers.dialects.openai_chat.stream import StreamReader
from routing import strategies
from routing.attempts.retry import Plan, Try
from routing.attempts.single import OpenStream, WholeAnswer, fetch_whole, open_stream
from routing.snapshot import Target
from tenants.keys import Caller
from usage import admission

R = TypeVar("R")
SEND = Callable[[Adapter, Exchange, Call, Attempt], Awaitable[R]]


async def serve(plane: DataPlane, caller: Caller, operation: Operation, incoming: Incoming, request_id: str) -> Reply:
    """Take an authenticated call through its journey. Raises GatewayError where no answer comes of it."""
    started_ns = time.perf_counter_ns()
    access.require_scope(caller, "inference")
    if not plane.journal.accepting:
        raise Unavailable("Usage can't be written down now; no call is served unmetered.", code="journal_full")
    snapshot = plane.snapshot
    head = wire.decode_head(operation, incoming.body)
    route = access.find_route(snapshot, caller, head.model)
    call = Call(request_id, operation, caller, snapshot, route, head, incoming.body, started_ns)
    try:
        call.max_cost_nanos = reservation.read_max_cost(incoming, head)
        targets = await reservation.admit(plane, call)
        return await (_serve_stream if head.stream else _serve_whole)(plane, call, targets)
    except GatewayError as error:
        error.headers = [*error.headers, *facts_of(call), *limits_of(plane, call)]
        plane.call_ended(Outcome(call, error.status, error, time.perf_counter_ns() - started_ns))
        raise
    except asyncio.CancelledError:  # the caller hung up: what is under way is settled, then the wave goes on
        settle_cancelled(plane, call)
        plane.call_ended(Outcome(call, 499, None, time.perf_counter_ns() - started_ns))
        raise
    except Exception:  # a fault of our own: the endpoint answers for it, what was used is settled all the same
        fault = InternalError("The gateway failed to serve this request.")
        settle_fault(plane, call, fault)
        plane.call_ended(Outcome(call, fault.status, fault, time.perf_counter_ns() - started_ns))
        raise


def facts_of(call: Call) -> Headers:
    """Return the headers that say where a call went and, once it is settled, what it cost."""
    headers = [(b"x-gateway-attempts", b"%d" % len(call.attempts))]
    if call.attempts:
        headers.append((b"x-gateway-target", call.attempts[-1].target.name.encode("ascii", "replace")))
    if all(attempt.ending is not None for attempt in call.attempts):
        cost = call.cost_nanos
        headers.append((b"x-gateway-cost-usd", b"unknown" if cost is None else format_usd(cost).encode()))
    return headers


def limits_of(plane: DataPlane, call: Call) -> Headers:
    """Return the headers that say what is left of the limits and budgets that hold for a call."""
    return call.grant.headers(plane.counters.now_s()) if call.grant is not None else []


async def _serve_whole(plane: DataPlane, call: Call, targets: list[Target]) -> Reply:
    attempt, whole = await _attempt(plane, call, targets, _fetch)
    settle_whole(plane, call, attempt, whole.facts)
    plane.call_ended(Outcome(call, 200, None, time.perf_counter_ns() - call.started_ns))
    return Reply(200, [*_passed(whole.headers), *facts_of(call), *limits_of(plane, call)], body=whole.body)


async def _serve_stream(plane: DataPlane, call: Call, targets: list[Target]) -> Reply:
    attempt, stream = await _attempt(plane, call, targets, _open)
    headers = [
        (b"content-type", stream.answer.header(b"content-type") or b"text/event-stream"),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
        *facts_of(call),
        *limits_of(plane, call),
    ]
    return Reply(200, headers, chunks=StreamRelay(plane, call, attempt, stream))


async def _attempt(plane: DataPlane, call: Call, targets: list[Target], send: SEND[R]) -> tuple[Attempt, R]:
    """Try targets until one answers. Raises the last UpstreamFailed."""
    plan = Plan(targets, call.route.max_attempts, plane.chance)
    current: Try | None = plan.first_try(strategies.explain(call.route, targets[0]))
    while True:
        assert current is not None
        if current.wait_s:
            await asyncio.sleep(current.wait_s)
        attempt: Attempt | None = None
        try:
            attempt = await _begin(plane, call, current)
            return attempt, await send(_adapter(plane, attempt), _exchange(plane, call, attempt), call, attempt)
        except UpstreamFailed as error:
            current = await _next_try(plane, call, plan, attempt, error)
            if current is None:
                raise


async def _begin(plane: DataPlane, call: Call, current: Try) -> Attempt:
    """Write an attempt down before anything is sent, so that no crash can lose it. Raises UpstreamBusy."""
    limits = call.snapshot.policy.providers.get(current.target.connection.slug, ())
    if limits and not await admission.enter_provider(plane.counters, limits):
        raise UpstreamBusy(f"provider {current.target.connection.slug} serves as many calls as it may", retry_after_s=1)
    attempt = Attempt(number=len(call.attempts) + 1, target=current.target, because=current.because)
    attempt.entered = limits
    call.attempts.append(attempt)
    try:
        attempt.slot = plane.journal.begin(record_if_lost(plane, call, attempt))
    except OSError as error:
        call.attempts.pop()
        admission.leave_provider(plane.counters, limits)
        message = "Usage can't be written down now; no call is served unmetered."
        raise Unavailable(message, code="journal_full") from error
    return attempt


async def _next_try(
    plane: DataPlane, call: Call, plan: Plan, attempt: Attempt | None, error: UpstreamFailed
) -> Try | None:
    """Settle an attempt that failed and return the next try, where there is one that the budgets still bear."""
    if attempt is not None:
        conclude_failed(plane, call, attempt, error)
    following = plan.next_try(error)
    while following is not None and not await reservation.bears(plane, call, following.target):
        following = plan.next_try(error)
    if attempt is not None:
        attempt.closing = following is None
        plane.attempt_ended(call, attempt)
    return following


async def _fetch(adapter: Adapter, exchange: Exchange, call: Call, attempt: Attempt) -> WholeAnswer:
    whole = await fetch_whole(adapter, exchange)
    attempt.first_byte_ns = time.perf_counter_ns()
    return whole


async def _open(adapter: Adapter, exchange: Exchange, call: Call, attempt: Attempt) -> OpenStream:
    def cost_of(usage: Usage) -> bytes | None:
        nanos, _ = price_usage(call, attempt, usage)
        earlier = [other.cost_nanos for other in call.attempts if other is not attempt]
        known = [cost for cost in (nanos, *earlier) if cost is not None]
        return format_usd(sum(known)).encode() if len(known) == len(call.attempts) else None

    reader = StreamReader(wants_usage=call.head.wants_stream_usage, cost_of=cost_of)
    stream = await open_stream(adapter, exchange, reader)
    attempt.first_byte_ns = time.perf_counter_ns()
    return stream


def _adapter(plane: DataPlane, attempt: Attempt) -> Adapter:
    return plane.adapters[attempt.target.connection.preset.adapter]


def _exchange(plane: DataPlane, call: Call, attempt: Attempt) -> Exchange:
    target, head = attempt.target, call.head
    ask_usage = head.stream and not head.wants_stream_usage and target.connection.preset.accepts_stream_options
    other_model = head.model != target.model or wire.names_model_twice(call.body)
    reserved = call.grant is not None  # also where the call names its own max_cost_usd
    body = wire.patch(
        call.body,
        model=target.model if other_model else None,
        include_usage=ask_usage,
        output_cap=reservation.longest_output(plane, call, target).cap if reserved else None,
        cap_fields=target.connection.preset.cap_fields_of(call.operation),
        once=reserved,
    )
    return Exchange(
        connection=target.connection,
        operation=call.operation,
        body=body,
        stream=head.stream,
        request_id=call.request_id,
        attempt_id=attempt.attempt_id,
        timeouts=target.timeouts,
    )


def _passed(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name in PASSED_HEADERS]
