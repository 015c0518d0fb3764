"""Counters in this process: everything for one worker alone, and for many the memory of what each has contributed."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from usage.counters.base import Change, Check, Contribution, Verdict
from usage.counters.tally import Tally, key_of
from usage.windows import Window

_SWEPT_FOR_EACH = 2  # more than one for each that is added, so that the idle ones are found
_SWEPT_AT_ONCE = 16


class MemoryCounters:
    """The contract of the counters without a wait. What came before this process is brought by `load`."""

    def __init__(self, worker: str, *, clock: Callable[[], float] = time.time) -> None:
        self.worker = worker
        self.now_s = clock
        self._tallies: dict[str, Tally] = {}
        self._swept: deque[Tally] = deque()
        self._to_sweep = 0

    def __len__(self) -> int:
        """Return how many counters are remembered."""
        return len(self._tallies)

    async def reserve(self, checks: Sequence[Check]) -> Verdict:
        """Add every amount or none."""
        return self.reserve_now(checks)

    async def peek(self, checks: Sequence[Check]) -> Verdict:
        """Return what `reserve` would, and add nothing."""
        return self.reserve_now(checks, add=False)

    def reserve_now(self, checks: Sequence[Check], *, add: bool = True) -> Verdict:
        """Add every amount or none, without the detour through a coroutine."""
        now_s = self.now_s()
        tallies = self.tallies_of(checks, now_s)
        for check, tally in zip(checks, tallies, strict=True):
            if check.limit is not None and tally.sum + check.amount > check.limit:
                return _refuse(checks, tallies, check, tally, now_s)
        if add:
            for check, tally in zip(checks, tallies, strict=True):
                tally.add(tally.latest, check.amount)
            used = tuple([tally.sum for tally in tallies])
        else:
            used = tuple([tally.sum + check.amount for check, tally in zip(checks, tallies, strict=True)])
        return Verdict(None, used, tuple([tally.latest for tally in tallies]))

    def settle(self, changes: Iterable[Change]) -> None:
        """Correct what was reserved."""
        changes = tuple(changes)
        for change, tally in zip(changes, self.tallies_of(changes), strict=True):
            tally.add(change.slice, change.delta)

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
        for check, tally, number in zip(checks, self.tallies_of(checks), slices, strict=True):
            tally.add(number, check.amount)

    def tallies_of(self, checks: Sequence[Check | Change], now_s: float = 0.0) -> list[Tally]:
        """Return the tallies of checks, as they stand at a moment; they are good until this is asked again."""
        if self._to_sweep:
            self._sweep()
        known = self._tallies
        tallies = []
        for check in checks:
            tally = known.get(check.counter)
            if tally is None or (tally.window is not check.window and tally.window != check.window):
                tracked = isinstance(check, Check) and check.tracked
                tally = self.tally_of(check.counter, check.window, tracked=tracked)
            if now_s >= tally.turns_at_s:
                tally.turn(now_s)
            tallies.append(tally)
        return tallies

    def tally_of(self, counter: str, window: Window, *, tracked: bool = False) -> Tally:
        """Return the tally of a counter over a window; it begins with nothing."""
        tally = self._find(counter, window)
        if tally is None:
            return self._begin(counter, window, tracked=tracked)
        if tally.window != window:
            tally.follow(window)
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
            elif self._tallies.get(tally.name) is tally:
                del self._tallies[tally.name]
            else:
                del self._tallies[tally.key]


def _refuse(checks: Sequence[Check], tallies: Sequence[Tally], check: Check, tally: Tally, now_s: float) -> Verdict:
    wait_s = tally.wait_s(check.amount, check.limit or 0, now_s)
    used = tuple([tally.sum for tally in tallies])
    return Verdict(checks.index(check), used, tuple([tally.latest for tally in tallies]), wait_s)
