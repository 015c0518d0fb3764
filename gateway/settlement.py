"""What an attempt cost, said once: the usage that was reported or estimated, priced, written down."""

import time

from gateway.call import Attempt, Call
from gateway.plane import DataPlane
from kernel.errors import GatewayError, UpstreamRefused, UpstreamUnreachable
from providers.dialects.canonical import Usage, estimate_tokens
from providers.dialects.openai_chat.response import Answer
from providers.dialects.openai_chat.stream import StreamReader
from providers.prices import cost_nanos
from usage.records import Ending


def settle_whole(plane: DataPlane, call: Call, attempt: Attempt, facts: Answer) -> None:
    """Settle an attempt that brought a whole answer."""
    attempt.finish_reason = facts.finish_reason
    attempt.status = 200
    usage = facts.usage or _estimate(call, output_bytes=facts.output_bytes)
    _settle(plane, call, attempt, "completed", usage)


def settle_stream(plane: DataPlane, call: Call, attempt: Attempt, reader: StreamReader, ending: Ending) -> None:
    """Settle an attempt whose stream has ended, well or not."""
    attempt.finish_reason = reader.finish_reason
    attempt.status = 200
    usage = reader.usage or _estimate(call, output_bytes=reader.output_bytes)
    _settle(plane, call, attempt, ending, usage)


def settle_failed(plane: DataPlane, call: Call, attempt: Attempt, error: GatewayError) -> None:
    """Settle an attempt that brought nothing: free where the provider refused or never heard of it."""
    attempt.error_code = error.code
    if isinstance(error, UpstreamRefused):
        attempt.status = error.status
        _settle(plane, call, attempt, "refused", Usage())
    elif isinstance(error, UpstreamUnreachable):
        _settle(plane, call, attempt, "failed", Usage())
    else:
        _settle(plane, call, attempt, "failed", _estimate(call, output_bytes=0))


def settle_cancelled(plane: DataPlane, call: Call, attempt: Attempt) -> None:
    """Settle an attempt whose caller hung up before an answer came: the provider has read the prompt."""
    attempt.error_code = "client_disconnected"
    _settle(plane, call, attempt, "cancelled", _estimate(call, output_bytes=0))


def price_usage(call: Call, attempt: Attempt, usage: Usage) -> tuple[int | None, int | None]:
    """Return the cost in nano-dollars and the id of the price used; None and None where there is no price."""
    tenant_id = call.caller.tenant_id
    price = call.snapshot.price_of(attempt.target, tenant_id=tenant_id, now_s=attempt.started_at_ns / 1e9)
    if price is None:
        return None, None
    return cost_nanos(usage, price), price.id


def _estimate(call: Call, *, output_bytes: int) -> Usage:
    return Usage(
        input_tokens=estimate_tokens(call.head.input_bytes),
        output_tokens=estimate_tokens(output_bytes),
        estimated=True,
    )


def _settle(plane: DataPlane, call: Call, attempt: Attempt, ending: Ending, usage: Usage) -> None:
    assert attempt.ending is None, "an attempt is settled once"
    attempt.ending = ending
    attempt.usage = usage
    attempt.ended_ns = time.perf_counter_ns()
    if usage.total_tokens or ending == "completed":
        attempt.cost_nanos, attempt.price_id = price_usage(call, attempt, usage)
    plane.attempt_ended(call, attempt)
