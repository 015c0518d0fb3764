"""Compacting a conversation for models whose provider doesn't: a call that sums it up, made and paid like any other."""

from msgspec.structs import replace

from gateway import pipeline
from gateway.messages import Incoming, Reply
from gateway.plane import DataPlane
from providers.dialects import doors
from providers.dialects.openai_responses import compaction
from routing.snapshot import Route
from tenants.keys import Caller


def is_compacted_there(route: Route) -> bool:
    """Tell whether the provider that a route prefers compacts by itself."""
    first, door = route.groups[0][0], doors.COMPACT_RESPONSE
    return first.connection.preset.dialect_for(door.operation, first.model, door.dialect) is door.dialect


async def summarise(plane: DataPlane, caller: Caller, incoming: Incoming, request_id: str) -> Reply:
    """Return the compaction of a conversation that the route's model has summed up. Raises GatewayError."""
    asked = replace(incoming, body=compaction.summary_request(incoming.body), own_body=None)
    reply = await pipeline.serve(plane, caller, doors.RESPONSES, asked, request_id)
    reply.body = compaction.compacted(reply.body)
    return reply
