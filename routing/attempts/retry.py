"""Which target is tried next, and after which wait.

Other targets come first, at once; a target that failed is tried again only when all have been, after a backoff or
the time it asked for. A wait longer than the caller would sit through is not waited.
"""

import random

import msgspec

from kernel.errors import UpstreamFailed
from routing.snapshot import Target

FIRST_BACKOFF_S = 0.25
BACKOFF_MAX_S = 4.0
RETRY_AFTER_MAX_S = 20.0


class Try(msgspec.Struct, frozen=True):
    """The next try: where, after which wait, and why."""

    target: Target
    wait_s: float
    because: str


class Plan(msgspec.Struct):
    """The tries of one call. `next_try` after each failure, until it says None."""

    targets: list[Target]
    max_attempts: int
    chance: random.Random
    _made: int = 0
    _position: int = 0
    _resting_s: dict[int, float] = msgspec.field(default_factory=dict)
    _given_up: set[int] = msgspec.field(default_factory=set)

    def first_try(self, because: str) -> Try:
        """Return the first try."""
        self._made = 1
        return Try(self.targets[0], 0.0, because)

    def next_try(self, error: UpstreamFailed) -> Try | None:
        """Return the try after one that failed, None where the error is final or the tries are used up."""
        if not error.retryable or self._made >= self.max_attempts:
            return None
        self._note(error)
        for _ in self.targets:
            self._position += 1
            index = self._position % len(self.targets)
            wait_s = self._wait_s(index) if self._position >= len(self.targets) else 0.0
            if index in self._given_up or wait_s > RETRY_AFTER_MAX_S:
                continue
            self._made += 1
            return Try(self.targets[index], wait_s, f"try {self._made} after {error.code}")
        return None

    def pass_over(self) -> Try | None:
        """Return the next target at once, as if this one were not there: it can't be told what the call asks for."""
        self._given_up.add(self._position % len(self.targets))
        for _ in self.targets:
            self._position += 1
            index = self._position % len(self.targets)
            if index not in self._given_up:
                return Try(self.targets[index], 0.0, "the one before it can't express the call")
        return None

    def _note(self, error: UpstreamFailed) -> None:
        index = self._position % len(self.targets)
        self._resting_s[index] = error.retry_after_s or 0.0
        if error.code == "upstream_authentication_failed":  # the same credential won't do next time either
            self._given_up.add(index)

    def _wait_s(self, index: int) -> float:
        rounds = self._position // len(self.targets) - 1
        backoff_s = min(BACKOFF_MAX_S, FIRST_BACKOFF_S * 2.0**rounds) * self.chance.uniform(0.5, 1.0)
        return max(backoff_s, self._resting_s.get(index, 0.0))
