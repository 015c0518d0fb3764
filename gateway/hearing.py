"""What a request asks for: from its bytes to a Call that may be made."""

from typing import Final

from msgspec.structs import replace

from gateway import access
from gateway.call import Call
from gateway.messages import Incoming
from gateway.plane import DataPlane
from providers.dialects.canonical import Head, Operation
from providers.dialects.door import Door
from routing.attempts.wire import Said
from tenants.keys import Caller

# What a provider who speaks the client's dialect hears of the client's own headers.
VENDOR_HEADERS: Final = (b"anthropic-beta", b"anthropic-version", b"openai-beta")


def hear(
    plane: DataPlane, caller: Caller, door: Door, incoming: Incoming, request_id: str, *, started_ns: int = 0
) -> Call:
    """Return the call. Raises InvalidRequest, RouteUnknown, PermissionRefused for a route the key may not use."""
    snapshot = plane.snapshot
    head = _read_head(door, incoming)
    route = access.find_route(snapshot, caller, head.model)
    given = incoming.headers
    said = Said(
        door=door,
        head=head,
        body=incoming.body,
        path=incoming.said,
        own_body=incoming.own_body,
        headers=tuple([(name, given[name]) for name in VENDOR_HEADERS if name in given]),
    )
    return Call(request_id, caller, snapshot, route, said, started_ns, upload=incoming.upload)


def _read_head(door: Door, incoming: Incoming) -> Head:
    head = door.heads.decode_head(incoming.body, incoming.said)
    if door.operation is Operation.TOKEN_COUNT:  # nothing is generated, and nobody bills for the question
        return replace(head, input_tokens_most=0, max_output_tokens=0)
    return head
