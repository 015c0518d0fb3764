"""The journey of a call, in the one order that is safe.

access -> (prompts) -> admission -> (guardrails, reuse) -> routing and attempts -> settle; what stands in parentheses
are later floors of this journey.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeAlias, TypeVar

from gateway import access, reservation
from gateway.beginning import begin, require_journal
from gateway.call import Attempt, Call, Outcome
from gateway.hearing import hear
from gateway.limit_headers import refusal_headers
from gateway.manner import BY_DIALECT
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
from kernel.errors import GatewayError, InternalError, InvalidRequest, UpstreamFailed
from kernel.money import format_usd
from providers.adapters.base import Adapter, Exchange
from providers.dialects.canonical import Usage
from providers.dialects.codec import Facts
from providers.dialects.door import Door
from routing import strategies
from routing.attempts.retry import Plan, Try
from routing.attempts.single import OpenStream, WholeAnswer, fetch_whole, open_stream
from routing.attempts.wire import Wire, lay
from routing.snapshot import Target
from tenants.keys import Caller

R = TypeVar("R")
# What a client hears of the headers of a provider who speaks its dialect.
PASSED_HEADERS = frozenset({b"content-type", b"openai-processing-ms", b"openai-version"})
Step: TypeAlias = tuple[Try, Wire]
SEND = Callable[[Adapter, Exchange, Wire, Call, Attempt], Awaitable[R]]


async def serve(plane: DataPlane, caller: Caller, door: Door, incoming: Incoming, request_id: str) -> Reply:
    """Take an authenticated call through its journey. Raises GatewayError where no answer comes of it."""
    started_ns = time.perf_counter_ns()
    access.require_scope(caller, "inference")
    require_journal(plane)
    call = hear(plane, caller, door, incoming, request_id, started_ns=started_ns)
    try:
        call.max_cost_nanos = reservation.read_max_cost(incoming, call.head)
        await plane.turn.meet()
        targets = await reservation.admit(plane, call)
        return await (_serve_stream if call.head.stream else _serve_whole)(plane, call, targets)
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
        last = call.attempts[-1]
        headers.append((b"x-gateway-target", last.target.name.encode("ascii", "replace")))
        if last.lost:
            headers.append((b"x-gateway-dropped-params", ", ".join(last.lost).encode("ascii", "replace")))
    if all(attempt.ending is not None for attempt in call.attempts):
        cost = call.cost_nanos
        headers.append((b"x-gateway-cost-usd", b"unknown" if cost is None else format_usd(cost).encode()))
    return headers


def limits_of(plane: DataPlane, call: Call) -> Headers:
    """Return the headers that say how the limits and budgets stand that hold for a call, and which refused it."""
    write, now_s = BY_DIALECT[call.said.door.dialect].write_limits, plane.counters.now_s()
    if call.refusal is not None:
        return [*refusal_headers(call.refusal), *write(call.refusal.standings, now_s)]
    return write(call.grant.standings(now_s), now_s) if call.grant is not None else []


async def _serve_whole(plane: DataPlane, call: Call, targets: list[Target]) -> Reply:
    attempt, whole = await _attempt(plane, call, targets, _fetch)
    headers = _passed(whole.headers)
    plane.turn.write_down(partial(_end_whole, plane, call, attempt, whole.facts, headers))
    return Reply(200, headers, body=whole.body)


def _end_whole(plane: DataPlane, call: Call, attempt: Attempt, facts: Facts, headers: Headers) -> None:
    """Settle a call that was answered, and tell its caller so in the head of the answer."""
    try:
        settle_whole(plane, call, attempt, facts)
    except Exception:  # a fault of our own: the answer is there, and what was used is settled all the same
        settle_fault(plane, call, InternalError("The gateway failed to settle this call."))
        raise
    finally:
        plane.call_ended(Outcome(call, 200, None, time.perf_counter_ns() - call.started_ns))
    headers += facts_of(call)
    headers += limits_of(plane, call)


async def _serve_stream(plane: DataPlane, call: Call, targets: list[Target]) -> Reply:
    attempt, stream = await _attempt(plane, call, targets, _open)
    headers = [
        (b"content-type", stream.reader.content_type or stream.answer.header(b"content-type") or b"text/event-stream"),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
        *facts_of(call),
        *limits_of(plane, call),
    ]
    return Reply(200, headers, chunks=StreamRelay(plane, call, attempt, stream))


async def _attempt(plane: DataPlane, call: Call, targets: list[Target], send: SEND[R]) -> tuple[Attempt, R]:
    """Try targets until one answers. Raises the last UpstreamFailed, InvalidRequest where none can be told the call."""
    plan = Plan(targets, call.route.max_attempts, plane.chance)
    step: Step | None = _first_step(plane, call, plan, plan.first_try(strategies.explain(call.route, targets[0])))
    while True:
        assert step is not None
        current, wire = step
        if current.wait_s:
            await asyncio.sleep(current.wait_s)
        attempt: Attempt | None = None
        try:
            attempt = await _begin(plane, call, current, wire)
            return attempt, await send(_adapter(plane, attempt), _exchange(call, attempt, wire), wire, call, attempt)
        except UpstreamFailed as error:
            step = await _next_step(plane, call, plan, attempt, error)
            if step is None:
                raise


def _first_step(plane: DataPlane, call: Call, plan: Plan, current: Try | None) -> Step:
    """Return the first target that can be told the call. Raises InvalidRequest where none can."""
    refusal: InvalidRequest | None = None
    while current is not None:
        try:
            return current, _lay(plane, call, current.target)
        except InvalidRequest as error:
            refusal, current = refusal or error, plan.pass_over()
    assert refusal is not None
    raise refusal


def _lay(plane: DataPlane, call: Call, target: Target) -> Wire:
    reserved = call.grant is not None  # also where the call names its own max_cost_usd
    cap = reservation.longest_output(plane, call, target).cap if reserved else None
    return lay(call.said, call.route, target, cap=cap, once=reserved)


async def _begin(plane: DataPlane, call: Call, current: Try, wire: Wire) -> Attempt:
    number = len(call.attempts) + 1
    attempt = Attempt(number=number, target=current.target, because=current.because, lost=wire.lost)
    await begin(plane, call, attempt, lambda: record_if_lost(plane, call, attempt))
    return attempt


async def _next_step(
    plane: DataPlane, call: Call, plan: Plan, attempt: Attempt | None, error: UpstreamFailed
) -> Step | None:
    """Settle an attempt that failed and return the next one, where the budgets still bear it and it can be told."""
    if attempt is not None:
        conclude_failed(plane, call, attempt, error)
    step: Step | None = None
    while step is None and (following := plan.next_try(error)) is not None:
        with suppress(InvalidRequest):
            wire = _lay(plane, call, following.target)
            if await reservation.bears(plane, call, following.target):
                step = following, wire
    if attempt is not None:
        attempt.closing = step is None
        plane.attempt_ended(call, attempt)
    return step


async def _fetch(adapter: Adapter, exchange: Exchange, wire: Wire, call: Call, attempt: Attempt) -> WholeAnswer:
    whole = await fetch_whole(adapter, exchange, wire)
    attempt.first_byte_ns = time.perf_counter_ns()
    return whole


async def _open(adapter: Adapter, exchange: Exchange, wire: Wire, call: Call, attempt: Attempt) -> OpenStream:
    def cost_of(usage: Usage) -> bytes | None:
        nanos, _ = price_usage(call, attempt, usage)
        earlier = [other.cost_nanos for other in call.attempts if other is not attempt]
        known = [cost for cost in (nanos, *earlier) if cost is not None]
        return format_usd(sum(known)).encode() if len(known) == len(call.attempts) else None

    stream = await open_stream(adapter, exchange, wire, cost_of)
    attempt.first_byte_ns = time.perf_counter_ns()
    return stream


def _adapter(plane: DataPlane, attempt: Attempt) -> Adapter:
    return plane.adapters[attempt.target.connection.preset.adapter]


def _exchange(call: Call, attempt: Attempt, wire: Wire) -> Exchange:
    target = attempt.target
    return Exchange(
        connection=target.connection,
        operation=wire.operation,
        body=wire.body if call.upload is None else call.upload.segments(wire.body),
        stream=call.head.stream,
        request_id=call.request_id,
        attempt_id=attempt.attempt_id,
        timeouts=target.timeouts,
        dialect=wire.dialect,
        model=target.model,
        options=target.options,
        headers=wire.headers,
        variant=call.said.door.variant if wire.back is None else "",
    )


def _passed(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name in PASSED_HEADERS]
