"""A timer that is set far less often than deadlines move.

Deadlines move with every byte. Setting and cancelling a timer of the event loop for each would cost more than the
byte; an alarm is set once, may ring too early, and is then set again for what its owner still waits for.
"""

import asyncio
import math
from collections.abc import Callable


class Alarm:
    """Rings no later than asked."""

    __slots__ = ("_callback", "_handle", "_loop", "at")

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self.at = math.inf
        """When it will ring, in the loop's time."""

    def ring_by(self, at: float) -> None:
        """Ring at that time, or earlier if it was set so."""
        if at < self.at:
            if self._handle is not None:
                self._handle.cancel()
            self.at = at
            self._handle = self._loop.call_at(at, self._ring)

    def stop(self) -> None:
        """Ring no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self.at = math.inf
        self._callback = _nothing  # the owner's method would keep the owner in a circle

    def _ring(self) -> None:
        self._handle = None
        self.at = math.inf
        self._callback()


def _nothing() -> None:
    pass
