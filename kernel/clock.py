"""The edge's clock: instants and deadlines. Everything below the edge takes them as arguments."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock after which work is no longer wanted."""

    at_s: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining_s(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self.at_s - time.monotonic())

    def passed(self) -> bool:
        """Tell whether the moment is over."""
        return time.monotonic() >= self.at_s
