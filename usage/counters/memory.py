"""Counters in this process: everything for one worker alone, and for many the memory of what each has contributed."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from usage.counters.base import Check, Contribution, Verdict
from usage.counters.tally import Tally, key_of
from usage.windows import Window

_SWEPT_FOR_EACH = 2  # more than one for each that is added, so that the idle ones are found
_SWEPT_AT_ONCE = 16
_RESOLVED_MAX = 10_000


class MemoryCounters:
    """The contract of the counters without a wait. What came before this process is brought by `load`."""

    def __init__(self, worker: str, *, clock: Callable[[], float] = time.time) -> None:
        self.worker = worker
        self.now_s = clock
        self._tallies: dict[str, Tally] = {}
        self._swept: deque[Tally] = deque()
        self._to_sweep = 0
        self._resolved: dict[int, _Resolved] = {}

    def __len__(self) -> int:
        """Return how many counters are remembered."""
        return len(self._tallies)

    async def reserve(self, checks: Sequence[Check], amounts: Sequence[int] | None = None) -> Verdict:
        """Add every amount or none."""
        return self.reserve_now(checks, amounts)

    async def peek(self, checks: Sequence[Check]) -> Verdict:
        """Return what `reserve` would, and add nothing."""
        return self.reserve_now(checks, add=False)

    def reserve_now(
        self, checks: Sequence[Check], amounts: Sequence[int] | None = None, *, add: bool = True
    ) -> Verdict:
        """Add every amount or none, without the detour through a coroutine."""
        now_s = self.now_s()
        tallies = self.tallies_of(checks, now_s)
        if amounts is None:
            amounts = [check.amount for check in checks]
        used: list[int] = []
        slices: list[int] = []
        for place, tally in enumerate(tallies):  # every call comes by here: by number, which costs half of zip
            total, limit = tally.sum + amounts[place], checks[place].limit
            if limit is not None and total > limit:
                return _refuse(checks, tallies, place, amounts[place], now_s)
            used.append(total)
            slices.append(tally.latest)
        if add:
            for place, tally in enumerate(tallies):
                tally.sum = used[place]
        return Verdict(None, tuple(used), tuple(slices))

    def settle(self, checks: Sequence[Check], slices: Sequence[int], deltas: Sequence[int]) -> None:
        """Correct what was reserved."""
        for place, tally in enumerate(self.tallies_of(checks)):
            delta = deltas[place]
            if slices[place] == tally.latest:
                tally.sum += delta
            elif delta:
                tally.add(slices[place], delta)

    def load(self, contributions: Iterable[Contribution], *, source: str) -> None:
        """Count what another worker has spent, or operators corrected; what is loaded again replaces what was before.

        Of this worker itself nothing is loaded: it knows better than the ledger.
        """
        if source != self.worker:
            for told in contributions:
                self.tally_of(told.counter, told.window).load(told.slice, told.amount, source=source)

    def contributions(self, *, tracked: bool) -> Iterator[Contribution]:
        """Return what was added here, the tracked counters or the others. The counters must rest meanwhile."""
        for tally in self._tallies.values():
            if tally.tracked is tracked:
                for number, amount in tally.parts():
                    yield Contribution(tally.name, tally.window, number, amount)

    def next_in_turn(self, count: int) -> list[Tally]:
        """Return so many of the counters, others each time until all have had their turn."""
        count = min(count, len(self._swept))
        self._swept.rotate(-count)
        return [self._swept[-number] for number in range(1, count + 1)]

    def sums(self, counters: Iterable[tuple[str, Window]]) -> list[int]:
        """Return what each of some counters holds now; from any thread."""
        now_s = self.now_s()
        return [tally.sum_at(now_s) if (tally := self._find(name, window)) else 0 for name, window in counters]

    async def aclose(self) -> None:
        """Let go of nothing: what was spent is in the journal."""

    def note(self, checks: Sequence[Check], slices: Sequence[int]) -> None:
        """Count what was granted elsewhere, in the slices that it was counted in there."""
        self.settle(checks, slices, [check.amount for check in checks])

    def tallies_of(self, checks: Sequence[Check], now_s: float = 0.0) -> Sequence[Tally]:
        """Return the tallies of checks, as they stand at a moment; they are good until this is asked again."""
        if self._to_sweep:
            self._sweep()
        resolved = self._resolved.get(id(checks))
        if resolved is None or resolved.checks is not checks:
            resolved = _Resolved(checks, [self._tally_for(check) for check in checks])
            if type(checks) is tuple:
                self._remember(resolved)
        if now_s >= resolved.turns_at_s:
            resolved.turn(now_s)
        return resolved.tallies

    def _tally_for(self, check: Check) -> Tally:
        tally = self._tallies.get(check.counter)
        if tally is not None and (tally.window is check.window or tally.window == check.window):
            return tally
        return self.tally_of(check.counter, check.window, tracked=check.tracked)

    def _remember(self, resolved: "_Resolved") -> None:
        """Keep the tallies of checks that come again, until a tally goes or follows another window."""
        if len(self._resolved) >= _RESOLVED_MAX:
            del self._resolved[next(iter(self._resolved))]
        self._resolved[id(resolved.checks)] = resolved

    def tally_of(self, counter: str, window: Window, *, tracked: bool = False) -> Tally:
        """Return the tally of a counter over a window; it begins with nothing."""
        tally = self._find(counter, window)
        if tally is None:
            return self._begin(counter, window, tracked=tracked)
        if tally.window != window:
            tally.follow(window)
            self._resolved.clear()
        return tally

    def _find(self, counter: str, window: Window) -> Tally | None:
        """Look a counter up. A window that was edited counts apart, because its slices are numbered otherwise."""
        tally = self._tallies.get(counter)
        if tally is not None and tally.window.kind == window.kind and tally.window.span_s == window.span_s:
            return tally
        return self._tallies.get(key_of(counter, window))

    def _begin(self, counter: str, window: Window, *, tracked: bool) -> Tally:
        tally = Tally(counter, window, tracked=tracked or window.kind != "sliding", now_s=self.now_s())
        self._to_sweep += _SWEPT_FOR_EACH  # not now: what is asked for beside it would look idle
        self._tallies[counter if counter not in self._tallies else tally.key] = tally
        self._swept.append(tally)
        return tally

    def _sweep(self) -> None:
        """Look at a few counters in turn and forget the idle ones, so that no call pays for all of them."""
        now_s = self.now_s()
        turns = min(self._to_sweep, _SWEPT_AT_ONCE, len(self._swept))
        self._to_sweep = max(0, min(self._to_sweep, len(self._swept)) - turns)
        for _ in range(turns):
            tally = self._swept.popleft()
            if not tally.is_idle(now_s):
                self._swept.append(tally)
            else:
                self._forget(tally)

    def _forget(self, tally: Tally) -> None:
        del self._tallies[tally.name if self._tallies.get(tally.name) is tally else tally.key]
        self._resolved.clear()


class _Resolved:
    """Checks and their tallies, looked up once. It holds on to the checks: their identity is its name."""

    __slots__ = ("checks", "tallies", "turns_at_s")

    def __init__(self, checks: Sequence[Check], tallies: list[Tally]) -> None:
        self.checks = checks
        self.tallies = tallies
        self.turns_at_s = -math.inf

    def turn(self, now_s: float) -> None:
        """Go on to the slices of a moment, and note when the first of them ends."""
        for tally in self.tallies:
            if now_s >= tally.turns_at_s:
                tally.turn(now_s)
        self.turns_at_s = min([tally.turns_at_s for tally in self.tallies], default=math.inf)


def _refuse(checks: Sequence[Check], tallies: Sequence[Tally], place: int, amount: int, now_s: float) -> Verdict:
    wait_s = tallies[place].wait_s(amount, checks[place].limit or 0, now_s)
    used = tuple([tally.sum for tally in tallies])
    return Verdict(place, used, tuple([tally.latest for tally in tallies]), wait_s)
