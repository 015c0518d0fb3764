"""What a worker may still admit while Redis is away: its share of what was left when it last heard."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from usage.counters.base import Check, CountersAway, Verdict
from usage.counters.memory import MemoryCounters
from usage.counters.tally import Tally

Away = Literal["", "closed", "local"]
ASIDE = 20


def decide_alone(
    mirror: MemoryCounters, checks: Sequence[Check], *, away: Away, workers: int, add: bool
) -> tuple[Verdict, Sequence[Tally]]:
    """Decide from memory: every worker within its share keeps all together within the limits.

    Raises CountersAway where the deployment doesn't want that: `closed` never, "" not of strict checks.
    """
    if away == "closed" or (not away and any(check.strict for check in checks)):
        raise CountersAway("the counters can't be reached")
    tallies = mirror.tallies_of(checks, mirror.now_s())
    shares = [_share(tally, check.limit, workers) for tally, check in zip(tallies, checks, strict=True)]
    narrowed = [msgspec.structs.replace(check, limit=share) for check, share in zip(checks, shares, strict=True)]
    verdict = mirror.reserve_now(narrowed, add=add)
    used = [
        own if check.limit is None or share is None else check.limit - share + own
        for own, check, share in zip(verdict.used, checks, shares, strict=True)
    ]
    return msgspec.structs.replace(verdict, used=tuple(used)), tallies


def _share(tally: Tally, limit: int | None, workers: int) -> int | None:
    """Return how much this worker may have in a window: what it had, and its part of what was left.

    A twentieth of that is left aside: the others went on for a moment after this worker heard of them last.
    """
    if limit is None:
        return None
    if tally.seen_slice is None or tally.seen_slice <= tally.latest - tally.slices:
        return limit // workers
    left = max(0, limit - tally.seen_sum)
    aside = -(-left // ASIDE) if workers > 1 else 0
    return min(limit, tally.seen_own + (left - aside) // workers)
