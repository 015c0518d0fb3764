"""Counting the tokens of a request that is not made: by the provider where it counts for the asking, else here."""

from gateway import access
from gateway.endpoints.edge import caller_of, require_plain_body
from gateway.endpoints.serving import Check, serve_call
from gateway.manner import BY_DIALECT
from gateway.messages import JSON, Incoming, Reply
from gateway.plane import DataPlane
from providers import tokens
from providers.dialects.canonical import Head
from providers.dialects.door import Door
from providers.dialects.table import BACKS
from routing.snapshot import Route, Target

ESTIMATED = (b"x-gateway-tokens-estimated", b"true")


async def count_tokens(
    plane: DataPlane, incoming: Incoming, request_id: str, door: Door, *, check: Check | None = None
) -> Reply:
    """Return how many tokens a request would take in. Raises GatewayError.

    What the gateway counts is exact for text where the model's tokenizer is known; else a header says that it is not.
    """
    caller = await caller_of(plane, incoming, manner=BY_DIALECT[door.dialect])
    access.require_scope(caller, "inference")
    require_plain_body(incoming)
    if check is not None:
        check(incoming)
    head = door.heads.decode_head(incoming.body, incoming.said)
    route = access.find_route(plane.snapshot, caller, head.model)
    if _counts_itself(route, door):
        return await serve_call(plane, incoming, request_id, door)
    assert door.encode_count is not None
    counted, exact = await _count(door, incoming.body, head, route.groups[0][0])
    return Reply(200, [JSON] if exact else [JSON, ESTIMATED], body=door.encode_count(counted))


def _counts_itself(route: Route, door: Door) -> bool:
    first = route.groups[0][0]
    dialect = first.connection.preset.dialect_for(door.operation, first.model, door.dialect)
    if dialect is None or dialect is door.dialect:
        return dialect is not None
    return door.front is not None and (dialect, door.operation) in BACKS


async def _count(door: Door, body: bytes, head: Head, target: Target) -> tuple[int, bool]:
    prompt = door.heads.read_prompt(body)
    name = target.connection.preset.tokenizer_of(target.model)
    if tokens.TOKENIZERS[name].guessed:
        return tokens.estimate_prompt(prompt, tokenizer=name), False
    return await tokens.count_prompt(prompt, tokenizer=name, most=head.input_tokens_most), True
