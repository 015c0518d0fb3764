"""The contract of the counters: what calls hold and have used, checked against limits in one atomic step.

A counter is a name, a window and, in every slice of the window, a number. `reserve` adds to several counters or to
none; `settle` corrects what was added once the truth is known. Numbers are nano-dollars, tokens or calls.

Counters are a copy that can be lost. Every worker remembers what it has contributed itself; the ledger has what
workers that are gone have spent. Both together rebuild any backend, so that nothing here needs to be durable.

What every call makes some of is kept from the garbage collector (`gc=False`): it can't be part of a circle.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from usage.windows import Window

ADJUSTMENTS = "adjustments"  # stands in a worker's place for what operators corrected


class CountersAway(Exception):
    """The backend can't be reached, or came back empty and is not rebuilt yet."""


class Check(msgspec.Struct, frozen=True, gc=False):
    """Something to add: refused, with everything beside it, where the window's sum would exceed the limit.

    A limit of None counts and never refuses. `strict` tells that what the counter holds must not be continued from
    memory while the backend is away. `tracked` has a shared backend know each worker's part, so that what a dead
    worker held can be given back: money wants it. Windows other than sliding ones are tracked anyway. A counter
    stands in one check of a call only.
    """

    counter: str
    window: Window
    amount: int
    limit: int | None
    strict: bool = False
    tracked: bool = False


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The answer to `reserve`, in the order of the checks.

    `refused` is the index of the first check that did not fit, None where all did. `used` has each window's sum as it
    stands afterwards, `slices` the slices that were counted in. `wait_s` says after how many seconds the refused
    amount would fit if nobody else came; None where waiting alone doesn't help within the window's rules (a held
    counter, a lifetime, an amount above the limit itself).
    """

    refused: int | None
    used: tuple[int, ...]
    slices: tuple[int, ...]
    wait_s: float | None = None


class Contribution(msgspec.Struct, frozen=True):
    """What one worker, living or gone, has put into a slice of a counter: an absolute number."""

    counter: str
    window: Window
    slice: int
    amount: int


class Counters(Protocol):
    """What admission works with. One instance a worker; safe on one event loop.

    Who makes the same checks call after call keeps them in a tuple, which a backend may remember, and brings the
    amounts apart; without `amounts` the checks' own hold.
    """

    def now_s(self) -> float:
        """Return the backend's clock, in seconds since the epoch."""

    async def reserve(self, checks: Sequence[Check], amounts: Sequence[int] | None = None) -> Verdict:
        """Add every amount or none. Raises CountersAway where a strict check can't be decided."""

    async def peek(self, checks: Sequence[Check]) -> Verdict:
        """Return what `reserve` would, and add nothing. Raises CountersAway."""

    def settle(self, checks: Sequence[Check], slices: Sequence[int], deltas: Sequence[int]) -> None:
        """Correct what was reserved in each check's slice; returns at once, never lost while this worker lives."""

    async def aclose(self) -> None:
        """Hand over what is queued and let go of connections."""


def weigh(checks: Sequence[Check], amounts: Sequence[int] | None) -> Sequence[Check]:
    """Return the same checks of other amounts; None leaves them as they are."""
    if amounts is None:
        return checks
    return [
        Check(check.counter, check.window, amount, check.limit, check.strict, check.tracked)
        for check, amount in zip(checks, amounts, strict=True)
    ]
