"""The journey of a raw request: admission, one attempt, settlement. No retries, no fallbacks, and nothing changed."""

import asyncio
import time

from gateway.beginning import begin, require_journal
from gateway.call import Attempt, Call, Outcome
from gateway.messages import Incoming, Reply
from gateway.passthrough import bounds
from gateway.passthrough.accounts import lost_record, settle_failed, settle_hung_up
from gateway.passthrough.headers import returned_headers
from gateway.passthrough.relay import PassingRelay
from gateway.passthrough.requests import Passage, exchange_of, make_call
from gateway.pipeline import facts_of, limits_of
from gateway.plane import DataPlane
from gateway.reservation import read_max_cost
from gateway.settlement import settle_cancelled
from kernel.errors import GatewayError, InternalError, UpstreamFailed
from providers.adapters.base import Adapter, Exchange, UpstreamAnswer, translate
from providers.adapters.http import UpstreamIOError
from tenants.keys import Caller

ERROR_BYTES_MAX = 1024 * 1024
_OUR_CREDENTIAL = (401, 403)  # the operator's: the caller's is another one, and was fine


async def serve(plane: DataPlane, caller: Caller, passage: Passage, incoming: Incoming, request_id: str) -> Reply:
    """Take an authenticated request to its provider. Raises GatewayError where no answer comes of it."""
    started_ns = time.perf_counter_ns()
    require_journal(plane)
    call, passage = make_call(plane, caller, passage, incoming, request_id, started_ns=started_ns)
    try:
        call.max_cost_nanos = read_max_cost(incoming, call.head)
        await bounds.admit(plane, call, passage)
        return await _pass(plane, call, passage)
    except GatewayError as error:
        error.headers = [*error.headers, *facts_of(call), *limits_of(plane, call)]
        _end_call(plane, call, error.status, error)
        raise
    except asyncio.CancelledError:  # the caller hung up
        _settle_hung_up(plane, call, passage)
        _end_call(plane, call, 499, None)
        raise
    except Exception:  # a fault of our own: the endpoint answers for it, what was used is settled all the same
        fault = InternalError("The gateway failed to serve this request.")
        for attempt in _open(call):
            settle_failed(plane, call, attempt, passage, fault)
        _end_call(plane, call, fault.status, fault)
        raise


async def _pass(plane: DataPlane, call: Call, passage: Passage) -> Reply:
    attempt = Attempt(number=1, target=call.route.groups[0][0], because="named in the path")
    await begin(plane, call, attempt, lambda: lost_record(plane, call, attempt, passage))
    adapter = plane.adapters[passage.connection.preset.adapter]
    try:
        answer = await _send(adapter, exchange_of(call, passage, attempt.attempt_id))
    except UpstreamFailed as error:
        settle_failed(plane, call, attempt, passage, error)
        raise
    attempt.first_byte_ns = time.perf_counter_ns()
    headers = [*returned_headers(answer.headers), *facts_of(call), *limits_of(plane, call)]
    relay = PassingRelay(plane, call, attempt, passage, answer)
    return Reply(answer.status, [*headers, (b"x-accel-buffering", b"no")], chunks=relay)


async def _send(adapter: Adapter, exchange: Exchange) -> UpstreamAnswer:
    """Return the answer once its head is in. Raises UpstreamFailed, also where the operator's credential is refused."""
    try:
        answer = await adapter.send(exchange)
        if answer.status not in _OUR_CREDENTIAL:
            return answer
        try:
            said = await answer.read(ERROR_BYTES_MAX)
        finally:
            answer.close()
    except UpstreamIOError as error:
        raise translate(error, provider=exchange.connection.slug, region=exchange.region) from error
    raise adapter.explain(exchange, answer, said)


def _settle_hung_up(plane: DataPlane, call: Call, passage: Passage) -> None:
    for attempt in _open(call):
        if passage.told.door is not None:
            settle_cancelled(plane, call)
        else:
            settle_hung_up(plane, call, attempt)


def _open(call: Call) -> list[Attempt]:
    return [attempt for attempt in call.attempts if not attempt.written]


def _end_call(plane: DataPlane, call: Call, status: int, error: GatewayError | None) -> None:
    plane.call_ended(Outcome(call, status, error, time.perf_counter_ns() - call.started_ns))
