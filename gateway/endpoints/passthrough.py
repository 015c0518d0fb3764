"""The door for what has no door: any method and path under `/passthrough/{provider}/`."""

from functools import partial

from msgspec.structs import replace

from gateway import dry_run
from gateway.endpoints.edge import caller_of, endpoint_in
from gateway.idempotency.once import once
from gateway.manner import manner_of
from gateway.messages import Incoming, Reply
from gateway.passthrough import journey
from gateway.passthrough.requests import Address, find_connection, read_passage
from gateway.plane import DataPlane
from kernel.errors import InvalidRequest


async def pass_through(plane: DataPlane, incoming: Incoming, provider: str, rest: str, raw_path: bytes) -> Reply:
    """Answer any request under a provider's name, in the manner of the vendor whose path `rest` is.

    `raw_path` is the whole path as it stands on the request line.
    """
    return await _answer(plane, replace(incoming, path=f"/{rest}"), incoming, Address(provider, raw_path))


@endpoint_in(None)
async def _answer(plane: DataPlane, theirs: Incoming, request_id: str, incoming: Incoming, address: Address) -> Reply:
    caller = await caller_of(plane, incoming, manner=manner_of(theirs))
    connection = find_connection(plane, caller, address.slug)
    passage = read_passage(connection, incoming, raw_path=address.raw_path)
    if dry_run.is_asked(incoming):
        raise InvalidRequest("What becomes of a raw request can't be told before it is made.", code="no_dry_run")
    serve = partial(journey.serve, plane, caller, passage, incoming, request_id)
    return await once(plane.idempotency, caller, incoming, request_id, serve, complete=plane.turn.end)
