"""What an attempt cost, said once: the usage that was reported or estimated, priced, written down."""

import time

from msgspec.structs import replace

from gateway.call import Attempt, Call
from gateway.plane import DataPlane
from gateway.reservation import input_tokens, longest_output
from kernel.errors import GatewayError, UpstreamRefused, UpstreamUnreachable
from providers.dialects.canonical import Operation, Usage, estimate_tokens
from providers.dialects.codec import Facts, StreamReader
from providers.dialects.units import MEASURED_IN_UNITS, with_units
from providers.prices import cost_nanos
from providers.tokens import estimate_prompt
from usage.records import AttemptRecord, Ending


def settle_whole(plane: DataPlane, call: Call, attempt: Attempt, facts: Facts) -> None:
    """Settle an attempt that brought a whole answer."""
    attempt.finish_reason = facts.finish_reason
    attempt.status = 200
    usage = facts.usage or _estimate(plane, call, attempt, output_bytes=facts.output_bytes)
    _settle(plane, call, attempt, "completed", usage)


def settle_stream(plane: DataPlane, call: Call, attempt: Attempt, reader: StreamReader, ending: Ending) -> None:
    """Settle an attempt whose stream has ended, well or not."""
    attempt.finish_reason = reader.finish_reason
    attempt.status = 200
    usage = reader.usage or _estimate(plane, call, attempt, output_bytes=reader.output_bytes)
    if ending != "completed" and reader.usage is not None and not reader.finish_reason:
        # It broke off, and some vendors report usage before anything is generated.
        passed = _passed_tokens(plane, call, attempt, reader.output_bytes)
        if passed > usage.output_tokens:
            usage = replace(usage, output_tokens=passed, estimated=True)
    _settle(plane, call, attempt, ending, usage)


def conclude_failed(plane: DataPlane, call: Call, attempt: Attempt, error: GatewayError) -> None:
    """Say what an attempt that brought nothing used: nothing where the provider refused or never heard of it.

    It is written down afterwards, when it is known whether another try follows.
    """
    attempt.error_code = error.code
    if isinstance(error, UpstreamRefused):
        attempt.status = error.status
        _conclude(call, attempt, "refused", Usage())
    elif isinstance(error, UpstreamUnreachable):
        _conclude(call, attempt, "failed", Usage())
    else:
        _conclude(call, attempt, "failed", _estimate(plane, call, attempt, output_bytes=0))


def settle_fault(plane: DataPlane, call: Call, error: GatewayError) -> None:
    """Settle what a fault of the gateway left open."""
    attempt = _open_attempt(call)
    if attempt is not None:
        if attempt.ending is None:
            conclude_failed(plane, call, attempt, error)
        plane.attempt_ended(call, attempt)


def settle_cancelled(plane: DataPlane, call: Call) -> None:
    """Settle what a caller left open who hung up before an answer came: the provider has read the prompt."""
    attempt = _open_attempt(call)
    if attempt is not None:
        if attempt.ending is None:
            attempt.error_code = "client_disconnected"
            _conclude(call, attempt, "cancelled", _estimate(plane, call, attempt, output_bytes=0))
        plane.attempt_ended(call, attempt)


def record_if_lost(plane: DataPlane, call: Call, attempt: Attempt, *, output_bytes: int | None = None) -> AttemptRecord:
    """Return what is true of an attempt if this worker dies now: an estimate.

    Of a stream it counts what has passed, because a provider stops when its client is gone. A whole answer is paid
    for in full whoever waits for it, so it counts with the longest one the call allows.
    """
    output_tokens = _passed_tokens(plane, call, attempt, output_bytes) if output_bytes else 0
    if not call.head.stream:
        bounded = call.grant is not None or call.head.max_output_tokens is not None
        output_tokens = longest_output(plane, call, attempt.target).tokens if bounded else 0
    taken = min(estimate_tokens(call.head.input_bytes), input_tokens(call, attempt.target))
    usage = Usage(input_tokens=taken, output_tokens=output_tokens, estimated=True)
    if call.operation in MEASURED_IN_UNITS:
        usage = with_units(usage, call.head)
    return attempt.record_if_lost(call, usage, *price_usage(call, attempt, usage))


def _open_attempt(call: Call) -> Attempt | None:
    """Return the attempt that is not written down yet; only the last one can be."""
    return call.attempts[-1] if call.attempts and not call.attempts[-1].written else None


def price_usage(call: Call, attempt: Attempt, usage: Usage) -> tuple[int | None, int | None]:
    """Return the cost in nano-dollars and the id of the price used; None and None where there is no price."""
    if call.operation is Operation.TOKEN_COUNT:
        return 0, None  # no vendor bills for the question
    price = call.prices.get(attempt.target.name)
    if price is None:
        tenant_id = call.caller.tenant_id
        price = call.snapshot.price_of(attempt.target, tenant_id=tenant_id, now_s=attempt.started_at_ns / 1e9)
        if price is None:
            return None, None
        call.prices[attempt.target.name] = price
    cost = cost_nanos(usage, price)
    if cost is None and call.grant is not None and call.grant.reserved_nanos is not None:
        cost = call.worst_nanos.get(attempt.target.name)  # used what the list has no price for: never free
    return cost, price.id


def _passed_tokens(plane: DataPlane, call: Call, attempt: Attempt, output_bytes: int) -> int:
    """Return how many tokens a text probably was, never more than was reserved for them."""
    tokens = estimate_tokens(output_bytes)
    return tokens if call.grant is None else min(tokens, longest_output(plane, call, attempt.target).tokens)


def _estimate(plane: DataPlane, call: Call, attempt: Attempt, *, output_bytes: int) -> Usage:
    """Return what an attempt probably used whose provider reported nothing, within what was reserved for it."""
    target = attempt.target
    tokenizer = target.connection.preset.tokenizer_of(target.model)
    counted = estimate_prompt(call.said.door.heads.read_prompt(call.body), tokenizer=tokenizer)
    output_tokens = _passed_tokens(plane, call, attempt, output_bytes)
    estimated = Usage(
        input_tokens=min(counted, input_tokens(call, target)), output_tokens=output_tokens, estimated=True
    )
    return with_units(estimated, call.head) if call.operation in MEASURED_IN_UNITS else estimated


def _settle(plane: DataPlane, call: Call, attempt: Attempt, ending: Ending, usage: Usage) -> None:
    _conclude(call, attempt, ending, usage)
    plane.attempt_ended(call, attempt)


def _conclude(call: Call, attempt: Attempt, ending: Ending, usage: Usage) -> None:
    assert attempt.ending is None, "an attempt is settled once"
    attempt.ending = ending
    attempt.usage = usage
    attempt.ended_ns = time.perf_counter_ns()
    if usage.used_anything or ending == "completed":
        attempt.cost_nanos, attempt.price_id = price_usage(call, attempt, usage)
