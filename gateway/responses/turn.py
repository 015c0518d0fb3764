"""One turn of a conversation that the gateway keeps: what it goes on from before the call, what is kept after it."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from gateway.messages import Incoming
from gateway.responses.base import KEPT_FOR, ResponseStore, StoredTurn
from providers.dialects.openai_responses import keeping
from tenants.keys import Caller

Save = Callable[[StoredTurn], Awaitable[None]]


class Turn(msgspec.Struct, frozen=True):
    """A request for a response, as far as turns are concerned; `body` is the client's own."""

    caller: Caller
    body: bytes
    previous_id: str
    is_kept: bool


def read_turn(caller: Caller, incoming: Incoming) -> Turn:
    """Return what a request says of turns. Raises InvalidRequest."""
    wish = keeping.read_wish(incoming.body)
    return Turn(caller, incoming.body, wish.previous_response_id or "", wish.is_kept)


async def resume(store: ResponseStore, turn: Turn, incoming: Incoming) -> Incoming:
    """Return the request with the earlier turns put before its input, so that all of it is counted.

    Raises InvalidRequest where they are not kept, Unavailable where nobody can tell.
    """
    if not turn.previous_id:
        return incoming
    items = await store.chain(turn.caller.tenant_id, turn.previous_id)
    return replace(incoming, body=keeping.with_history(turn.body, items), own_body=turn.body)


def finish(turn: Turn, response: bytes, now: datetime) -> StoredTurn | None:
    """Return what is kept of a turn that was answered; None where the provider gave its answer no id."""
    response_id = keeping.id_of(response)
    if response_id is None:
        return None
    return StoredTurn(
        id=response_id,
        tenant_id=turn.caller.tenant_id,
        key_id=turn.caller.key_id,
        created_at=now,
        expires_at=now + KEPT_FOR,
        input=msgspec.json.encode(keeping.input_items(turn.body, response_id)),
        response=keeping.told(response, previous_id=turn.previous_id, store=turn.is_kept),
        previous_id=turn.previous_id,
    )
