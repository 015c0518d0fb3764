"""One counter in memory: the sum over its window's slices, kept up as time goes on and numbers are corrected."""

import math
from collections.abc import Iterator

from usage.windows import Kind, Window

_KINDS: dict[str, Kind] = {"d": "day", "w": "week", "m": "month", "l": "lifetime", "h": "held"}


def key_of(counter: str, window: Window) -> str:
    """Return the name of a counter over a window: one that was edited counts apart, its slices are other ones."""
    return f"{counter}/s{window.span_s!r}" if window.kind == "sliding" else f"{counter}/{window.kind[0]}"


def window_of(key: str) -> Window:
    """Return the window, except for its time zone, of a name that `key_of` made."""
    tag = key.rpartition("/")[2]
    return Window("sliding", float(tag[1:])) if tag[0] == "s" else Window(_KINDS[tag])


class Tally:
    """A running sum, and what of it each slice holds: the newest one what the others don't, so that adding is one step.

    `sum` may be set, to count in the newest slice. `latest` is the highest slice ever seen: it never falls, whatever
    the clock does. `turns_at_s` is when it ends.
    `seen_*` is what a shared backend last told of this counter: its sum, this worker's part, and in which slice.
    """

    __slots__ = (
        "_loaded",
        "_older_sum",
        "_parts",
        "key",
        "latest",
        "name",
        "seen_own",
        "seen_slice",
        "seen_sum",
        "slices",
        "sum",
        "tracked",
        "turns_at_s",
        "window",
    )

    def __init__(self, name: str, window: Window, *, tracked: bool, now_s: float) -> None:
        self.name = name
        self.key = key_of(name, window)
        self.window = window
        self.tracked = tracked
        self.sum = 0
        self.seen_sum = self.seen_own = 0
        self.seen_slice: int | None = None
        self.slices = window.slices
        self._parts: dict[int, int] = {}
        self._older_sum = 0
        self._loaded: dict[tuple[int, str], int] = {}
        self.latest = -1
        self.turns_at_s = -math.inf
        self.turn(now_s)

    def follow(self, window: Window) -> None:
        """Take over a window of the same kind and span, which may be in another time zone."""
        self.window = window
        self._note_turn()

    def turn(self, now_s: float) -> None:
        """Go on to the slice of a moment, and forget what the window no longer holds."""
        self._go_on_to(self.window.slice_at(now_s))

    def add(self, number: int, delta: int) -> None:
        """Add to a slice; what the window no longer holds is left alone."""
        latest = self.latest
        if number > latest:
            self._go_on_to(number)
        elif number <= latest - self.slices:
            return
        elif number < latest:
            self._parts[number] = self._parts.get(number, 0) + delta
            self._older_sum += delta
        self.sum += delta

    def load(self, number: int, amount: int, *, source: str) -> None:
        """Set what a source has put into a slice, in place of what it had told before."""
        self.add(number, amount - self._loaded.get((number, source), 0))
        if number > self.latest - self.slices:
            self._loaded[number, source] = amount

    def sum_at(self, now_s: float) -> int:
        """Return the sum as it stands at a moment, and change nothing: for readers on other threads."""
        oldest = self.window.slice_at(now_s) - self.slices + 1
        if self.latest < oldest:
            return 0
        return self.sum - sum(amount for number, amount in list(self._parts.items()) if number < oldest)

    def wait_s(self, amount: int, limit: int, now_s: float) -> float | None:
        """Return after how many seconds an amount fits if nothing else comes; None where waiting doesn't help."""
        if amount > limit:
            return None
        excess = self.sum + amount - limit
        for number, part in self.parts():
            excess -= part
            if excess <= 0:
                ends_at_s = self.window.ends_at(number)
                return None if ends_at_s is None else max(0.0, ends_at_s - now_s)
        return None

    def parts(self) -> Iterator[tuple[int, int]]:
        """Return the slices that hold something, oldest first, each with its number and amount."""
        yield from sorted(self._parts.items())
        newest = self.sum - self._older_sum
        if newest:
            yield self.latest, newest

    def is_idle(self, now_s: float) -> bool:
        """Tell whether a new tally would be the same as this one."""
        if self.turns_at_s == math.inf:
            return not self.sum and not self._loaded
        return now_s >= self.turns_at_s + self.window.span_s

    def _go_on_to(self, number: int) -> None:
        if number > self.latest:
            self._parts[self.latest] = self.sum - self._older_sum
            self._older_sum = self.sum
            self.latest = number
            self._forget_up_to(number - self.slices)
        self._note_turn()

    def _note_turn(self) -> None:
        turns_at_s = self.window.starts_at(self.latest + 1)
        self.turns_at_s = math.inf if turns_at_s is None else turns_at_s

    def _forget_up_to(self, oldest: int) -> None:
        for number in [number for number in self._parts if number <= oldest]:
            part = self._parts.pop(number)
            self.sum -= part
            self._older_sum -= part
        if self._loaded:
            self._loaded = {told: amount for told, amount in self._loaded.items() if told[0] > oldest}
