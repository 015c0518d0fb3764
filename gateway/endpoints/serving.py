"""The way from a request at any inference door into the journey of a call: who, what, once, or only a dry run."""

from collections.abc import Callable
from functools import partial

from gateway import dry_run, pipeline
from gateway.endpoints.edge import caller_of, require_plain_body
from gateway.idempotency.once import once
from gateway.manner import BY_DIALECT
from gateway.messages import Incoming, Reply
from gateway.plane import DataPlane
from providers.dialects.door import Door

Check = Callable[[Incoming], object]  # raises InvalidRequest


async def serve_call(
    plane: DataPlane, incoming: Incoming, request_id: str, door: Door, *, check: Check | None = None
) -> Reply:
    """Return the answer to a call that passes the check of its door. Raises GatewayError."""
    caller = await caller_of(plane, incoming, manner=BY_DIALECT[door.dialect])
    require_plain_body(incoming)
    if check is not None:
        check(incoming)
    if dry_run.is_asked(incoming):
        return await dry_run.answer(plane, caller, door, incoming, request_id)
    serve = partial(pipeline.serve, plane, caller, door, incoming, request_id)
    return await once(plane.idempotency, caller, incoming, request_id, serve, complete=plane.turn.end)
