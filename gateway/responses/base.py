"""The contract of a store of responses: what is kept of a turn, and the conversation that leads to one.

A conversation is a chain of turns, each naming the one before. It is read back whole, so its length is bounded; a turn
is only ever seen by the tenant who made it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.openai_responses.keeping import turn_items

KEPT_FOR = timedelta(days=30)


class Bounds(msgspec.Struct, frozen=True):
    """How long a conversation may grow, in turns and in bytes of JSON."""

    turns_max: int = 1_000
    bytes_max: int = 32 * 1024 * 1024


class StoredTurn(msgspec.Struct, frozen=True):
    """One turn. `input` is a JSON list of the items given in it, `response` the response as JSON.

    `previous_id` is empty where a conversation begins. `provider` is the slug of the one who keeps the response itself,
    under `upstream_id`; empty where only the gateway does.
    """

    id: str
    tenant_id: int
    key_id: int
    created_at: datetime
    expires_at: datetime
    input: bytes
    response: bytes
    previous_id: str = ""
    provider: str = ""
    upstream_id: str = ""

    @property
    def size_bytes(self) -> int:
        """Return the size of what is kept."""
        return len(self.input) + len(self.response)


class ResponseStore(Protocol):
    """Keeps turns. Every method may raise Unavailable."""

    async def save(self, turn: StoredTurn) -> None:
        """Keep a turn; returns when it is kept. A turn whose id is there already stays as it was."""

    async def find(self, tenant_id: int, response_id: str) -> StoredTurn | None:
        """Return a tenant's turn; None where there is none, or none any more."""

    async def delete(self, tenant_id: int, response_id: str) -> bool:
        """Forget a turn, and tell whether there was one."""

    async def chain(self, tenant_id: int, response_id: str) -> list[msgspec.Raw]:
        """Return the items of a conversation up to a response, oldest first.

        Raises InvalidRequest where the response, or one before it, is not kept, and where there are too many.
        """


def items_of(turns: Iterable[StoredTurn]) -> list[msgspec.Raw]:
    """Return the items of turns, in their order."""
    return [item for turn in turns for item in turn_items(turn.input, turn.response)]


def not_found(response_id: str) -> InvalidRequest:
    """Return the error for a response that nobody can go on from."""
    return InvalidRequest(
        f"Previous response with id '{response_id}' not found.",
        code="previous_response_not_found",
        param="previous_response_id",
    )


def too_long(bounds: Bounds) -> InvalidRequest:
    """Return the error for a conversation beyond its bounds."""
    return InvalidRequest(
        f"The conversation is longer than {bounds.turns_max} turns or {bounds.bytes_max} bytes; begin a new one.",
        code="conversation_too_long",
        param="previous_response_id",
    )
