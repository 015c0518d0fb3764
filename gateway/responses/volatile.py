"""Responses that last as long as a socket: what `store: false` leaves to go on from.

In memory and bounded: the oldest turns go first. A conversation that began with a stored response goes on from there
(`behind`). Whoever fails to continue a response evicts it, as OpenAI's sockets do.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec

from gateway.responses.base import Bounds, ResponseStore, StoredTurn, items_of, not_found, too_long
from kernel import clock


class VolatileResponses:
    """A `base.ResponseStore` of one socket."""

    def __init__(
        self,
        *,
        behind: ResponseStore | None = None,
        bounds: Bounds | None = None,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._behind = behind
        self._bounds = bounds or Bounds()
        self._now = now
        self._turns: dict[str, StoredTurn] = {}
        self._size_bytes = 0

    async def save(self, turn: StoredTurn) -> None:
        """Keep a turn, and let go of the oldest where there are too many."""
        if turn.id in self._turns:
            return
        self._turns[turn.id] = turn
        self._size_bytes += turn.size_bytes
        while len(self._turns) > self._bounds.turns_max or self._size_bytes > self._bounds.bytes_max:
            self._drop(next(iter(self._turns)))

    async def find(self, tenant_id: int, response_id: str) -> StoredTurn | None:
        """Return a tenant's turn, of the socket's or of those behind it."""
        turn = self._own(tenant_id, response_id)
        if turn is None and self._behind is not None:
            return await self._behind.find(tenant_id, response_id)
        return turn

    async def delete(self, tenant_id: int, response_id: str) -> bool:
        """Forget a turn, and tell whether there was one."""
        if self._own(tenant_id, response_id) is not None:
            self._drop(response_id)
            return True
        return self._behind is not None and await self._behind.delete(tenant_id, response_id)

    async def chain(self, tenant_id: int, response_id: str) -> list[msgspec.Raw]:
        """Return the items of a conversation up to a response, oldest first. Raises InvalidRequest."""
        turns: list[StoredTurn] = []
        missing, size_bytes = response_id, 0
        while missing and (turn := self._own(tenant_id, missing)) is not None:
            turns.append(turn)
            missing, size_bytes = turn.previous_id, size_bytes + turn.size_bytes
            if len(turns) > self._bounds.turns_max or size_bytes > self._bounds.bytes_max:
                raise too_long(self._bounds)
        if not missing:
            return items_of(reversed(turns))
        if self._behind is None:
            raise not_found(missing)
        return await self._behind.chain(tenant_id, missing) + items_of(reversed(turns))

    def evict(self, response_id: str) -> None:
        """Forget a response that could not be continued; those that are stored stay."""
        if response_id in self._turns:
            self._drop(response_id)

    def _own(self, tenant_id: int, response_id: str) -> StoredTurn | None:
        turn = self._turns.get(response_id)
        if turn is None or turn.tenant_id != tenant_id or turn.expires_at <= self._now():
            return None
        return turn

    def _drop(self, response_id: str) -> None:
        self._size_bytes -= self._turns.pop(response_id).size_bytes
