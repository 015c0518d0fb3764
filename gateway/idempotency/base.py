"""The contract of a store of answers: who may make a call, and what became of it.

A name is free, held by a running call's claim, or keeps an answer. A claim has a lease, so that the claim of a worker
that was killed ends; its holder renews it while the call runs. Only the holder of a claim settles it.
"""

from typing import Protocol

import msgspec


class Bounds(msgspec.Struct, frozen=True):
    """How much is kept and how long anything takes. The last two are for answers kept in the process alone."""

    keep_s: float = 24 * 3600
    answer_bytes_max: int = 1 << 20
    lease_s: float = 30.0
    call_s_max: float = 3600.0  # a claim is renewed no longer, whatever its call does
    wait_s_max: float = 300.0
    total_bytes_max: int = 64 << 20
    entries_max: int = 10_000


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """A whole answer; the body of a streamed one is its stream."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    streamed: bool

    @property
    def size_bytes(self) -> int:
        """Return what it weighs, near enough."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers)


class Running(msgspec.Struct, frozen=True, array_like=True, tag="running"):
    """The claim of a call under way; `owner` is another one for every claim."""

    fingerprint: bytes
    owner: bytes


class Kept(msgspec.Struct, frozen=True, array_like=True, tag="kept"):
    """What became of a call; None where its answer was too large to be kept."""

    fingerprint: bytes
    answer: Answer | None


class AnswerStore(Protocol):
    """Names and what they hold. A method raises Unavailable where the store can't be reached.

    `renew` and `keep` take a free name too: a store that forgot a claim is told again, rather than the call made twice.
    """

    async def claim(self, name: bytes, claim: Running) -> Running | Kept | None:
        """Take a free name and return None; else return what holds it. The same claim may be made again."""

    async def renew(self, name: bytes, claim: Running) -> bool:
        """Begin the claim's lease anew; False where something else holds the name."""

    async def keep(self, name: bytes, claim: Running, kept: Kept) -> bool:
        """Put what became of the call in the claim's place; False where something else holds the name."""

    async def release(self, name: bytes, claim: Running) -> None:
        """Make the name free, if this claim holds it."""

    async def changed(self, name: bytes, holder: Running, *, timeout_s: float) -> None:
        """Return when that claim may hold the name no more, at the latest after the timeout.

        Where the store is away it returns too: whoever looks again is told.
        """

    async def aclose(self) -> None:
        """Let go of every connection."""
