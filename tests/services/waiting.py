"""Waiting for what another process will do: a condition polled against a deadline, never a fixed sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
SOON_S = 10.0
POLL_INTERVAL_S = 0.02


def eventually(look: Callable[[], T | None], *, within_s: float = SOON_S) -> T:
    """Return what `look` finds as soon as it is truthy. Raises AssertionError where it never is in time."""
    ends_at = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < ends_at, f"did not happen within {within_s} s; last seen: {found!r}"
        time.sleep(POLL_INTERVAL_S)
