"""The end of the event loop's turn: what all calls that came so far have left to do is done there, one after another.

A turn serves some twenty calls under load, each in its own code's time. What they have in common at their ends is done
for all of them at once, while the processor still has it at hand: that takes a fifth off what metering costs
(docs/decisions/0009). Records go before answers: a process that is killed in between has nothing to estimate of a call
whose caller has its answer.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

Work = Callable[[], object]

logger = logging.getLogger("gateway.turn")


class Turn(Protocol):
    """When the ends of calls are done. What fails there is logged, and holds nothing else up."""

    def write_down(self, work: Work) -> None:
        """Do something before any answer that was given after it."""

    def answer(self, work: Work) -> None:
        """Do something after everything that was given before it to be written down."""

    def end(self) -> None:
        """Do now what waits."""


class AtOnce:
    """Does everything when it is told."""

    def write_down(self, work: Work) -> None:
        """Do it."""
        work()

    def answer(self, work: Work) -> None:
        """Do it."""
        work()

    def end(self) -> None:
        """Do nothing: nothing waits."""


class AtTurnsEnd:
    """Does everything in the event loop's next turn, before that waits for the network again."""

    def __init__(self) -> None:
        self._records: list[Work] = []
        self._answers: list[Work] = []
        self._called = False

    def write_down(self, work: Work) -> None:
        """Do it with the next end of a turn."""
        self._records.append(work)
        if not self._called:
            self._call()

    def answer(self, work: Work) -> None:
        """Do it with the next end of a turn, after what is to be written down."""
        self._answers.append(work)
        if not self._called:
            self._call()

    def end(self) -> None:
        """Do now what waits; what that brings about waits for the next end."""
        self._called = False
        records, self._records = self._records, []
        answers, self._answers = self._answers, []
        for work in records:
            _try(work)
        for work in answers:
            _try(work)

    def _call(self) -> None:
        self._called = True
        asyncio.get_running_loop().call_soon(self.end)


def _try(work: Work) -> None:
    try:
        work()
    except Exception:
        logger.exception("the end of a call failed")
