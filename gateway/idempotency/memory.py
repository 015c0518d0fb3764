"""Answers kept in the process: for a gateway of one worker. They end with it."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from gateway.idempotency.base import Bounds, Kept, Running

ENTRY_BYTES = 1024  # what an entry weighs beside its answer


@dataclass(slots=True)
class _Call:
    claim: Running
    lease_ends_s: float
    settled: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class _Entry:
    kept: Kept
    ends_s: float

    @property
    def size_bytes(self) -> int:
        answer = self.kept.answer
        return ENTRY_BYTES + (0 if answer is None else answer.size_bytes)


class MemoryAnswers:
    """Room is made by forgetting the answers that were not asked for the longest; claims are never forgotten."""

    def __init__(self, bounds: Bounds, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds
        self._clock = clock
        self._calls: dict[bytes, _Call] = {}
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._calls) + len(self._entries)

    async def claim(self, name: bytes, claim: Running) -> Running | Kept | None:
        """Take a free name and return None; else return what holds it."""
        holder = self._holder(name)
        if holder is None or holder == claim:
            self._take(name, claim)
            return None
        if isinstance(holder, Kept):
            self._entries.move_to_end(name)
        return holder

    async def renew(self, name: bytes, claim: Running) -> bool:
        """Begin the claim's lease anew; False where something else holds the name."""
        return await self.claim(name, claim) is None

    async def keep(self, name: bytes, claim: Running, kept: Kept) -> bool:
        """Put what became of the call in the claim's place; False where something else holds the name."""
        if self._holder(name) not in (None, claim):
            return False
        self._free(name)
        self._entries[name] = entry = _Entry(kept, self._clock() + self._bounds.keep_s)
        self.size_bytes += entry.size_bytes
        self._make_room()
        return True

    async def release(self, name: bytes, claim: Running) -> None:
        """Make the name free, if this claim holds it."""
        if self._holder(name) == claim:
            self._free(name)

    async def changed(self, name: bytes, holder: Running, *, timeout_s: float) -> None:
        """Return when that claim is settled or its lease may have ended, at the latest after the timeout."""
        call = self._calls.get(name)
        if call is None or call.claim != holder:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(min(timeout_s, max(0.0, call.lease_ends_s - self._clock()))):
                await call.settled.wait()

    async def aclose(self) -> None:
        """Be done; there is nothing to let go of."""

    def _holder(self, name: bytes) -> Running | Kept | None:
        """Return what holds a name now; what has ended is forgotten on the way."""
        now_s = self._clock()
        entry = self._entries.get(name)
        if entry is not None:
            if entry.ends_s > now_s:
                return entry.kept
            self._forget(name)
        call = self._calls.get(name)
        if call is not None and call.lease_ends_s <= now_s:
            self._free(name)
            return None
        return None if call is None else call.claim

    def _take(self, name: bytes, claim: Running) -> None:
        lease_ends_s = self._clock() + self._bounds.lease_s
        call = self._calls.get(name)
        if call is None:
            self._calls[name] = _Call(claim, lease_ends_s)
            self._make_room()
        else:
            call.lease_ends_s = lease_ends_s

    def _free(self, name: bytes) -> None:
        call = self._calls.pop(name, None)
        if call is not None:
            call.settled.set()

    def _make_room(self) -> None:
        """Forget what has ended among the oldest, and the oldest until the rest fits."""
        now_s = self._clock()
        while self._entries:
            name, oldest = next(iter(self._entries.items()))
            fits = self.size_bytes <= self._bounds.total_bytes_max and len(self) <= self._bounds.entries_max
            if fits and oldest.ends_s > now_s:
                return
            self._forget(name)

    def _forget(self, name: bytes) -> None:
        self.size_bytes -= self._entries.pop(name).size_bytes
