"""The end of a raw request in the journal: what it used, what it cost, once.

Where a door could read it, it is settled as at that door. Otherwise, without usage in the answer, its cost is unknown
(None), and never nothing.
"""

import time
from dataclasses import replace

from gateway.call import NOTHING_USED, Attempt, Call
from gateway.passthrough.metering import Meter
from gateway.passthrough.requests import Passage, target_of
from gateway.plane import DataPlane
from gateway.settlement import conclude_failed, price_usage, record_if_lost, settle_stream
from kernel.errors import GatewayError, UpstreamRefused, UpstreamUnreachable
from providers.dialects.canonical import Usage
from usage.records import AttemptRecord, Ending

HUNG_UP = "client_disconnected"


def settle_answer(plane: DataPlane, call: Call, attempt: Attempt, meter: Meter, ending: Ending, *, status: int) -> None:
    """Settle an attempt whose answer has passed, wholly or not."""
    meter.close()
    _name_model(call, attempt, meter.model)
    if meter.readable:
        settle_stream(plane, call, attempt, meter, ending)
        return
    attempt.status = status
    _write(plane, call, attempt, ending, meter.usage, free=ending == "refused")


def settle_failed(plane: DataPlane, call: Call, attempt: Attempt, passage: Passage, error: GatewayError) -> None:
    """Settle an attempt that brought no answer."""
    if passage.told.door is not None:
        conclude_failed(plane, call, attempt, error)
        plane.attempt_ended(call, attempt)
        return
    attempt.error_code = error.code
    refused = isinstance(error, UpstreamRefused)
    attempt.status = error.status if refused else None
    free = refused or isinstance(error, UpstreamUnreachable)
    _write(plane, call, attempt, "refused" if refused else "failed", None, free=free)


def settle_hung_up(plane: DataPlane, call: Call, attempt: Attempt) -> None:
    """Settle an attempt that no door reads, and whose caller hung up before an answer came."""
    attempt.error_code = HUNG_UP
    _write(plane, call, attempt, "cancelled", None, free=False)


def lost_record(
    plane: DataPlane, call: Call, attempt: Attempt, passage: Passage, *, output_bytes: int | None = None
) -> AttemptRecord:
    """Return what is true of an attempt if this worker dies now."""
    if passage.told.door is None:
        return attempt.record_if_lost(call, Usage(estimated=True), None, None)
    return record_if_lost(plane, call, attempt, output_bytes=output_bytes)


def _name_model(call: Call, attempt: Attempt, answered: str) -> None:
    """Go by the model that the answer names, if it has a price or the request named none.

    What was reserved stands at the price it was reserved at.
    """
    asked = attempt.target
    if not answered or answered == asked.model or asked.name in call.worst_nanos:
        return
    found = target_of(asked.connection, answered)
    at_s = attempt.started_at_ns / 1e9
    if asked.model and call.snapshot.price_of(found, tenant_id=call.caller.tenant_id, now_s=at_s) is None:
        return
    attempt.target = replace(found, timeouts=asked.timeouts)
    attempt.begun = None


def _write(plane: DataPlane, call: Call, attempt: Attempt, ending: Ending, usage: Usage | None, *, free: bool) -> None:
    assert attempt.ending is None, "an attempt is settled once"
    attempt.ending = ending
    attempt.usage = usage or NOTHING_USED
    attempt.ended_ns = time.perf_counter_ns()
    if usage is not None:
        attempt.cost_nanos, attempt.price_id = price_usage(call, attempt, usage)
    else:
        attempt.cost_nanos = 0 if free else None
    plane.attempt_ended(call, attempt)
