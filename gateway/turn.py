"""The end of the event loop's turn: where the calls that came so far meet and do in a row what all of them have to do.

A turn serves some twenty calls under load, some of them beginning, some ending. What they have in common is done for
all of them in a row, while the processor still has it at hand: that takes a seventh off what a call costs, and a third
off what metering adds (docs/decisions/0009). Records go before answers: a process that is killed in between has nothing
to estimate of a call whose caller has its answer.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

Work = Callable[[], object]

logger = logging.getLogger("gateway.turn")


class Turn(Protocol):
    """When calls begin and end. What fails at an end is logged, and holds nothing else up."""

    def meet(self) -> Awaitable[None]:
        """Wait for the calls that came in the same turn, to go on in a row with them."""

    def write_down(self, work: Work) -> None:
        """Do something before any answer that was given after it."""

    def answer(self, work: Work) -> None:
        """Do something after everything that was given before it to be written down."""

    def end(self) -> None:
        """Do now what waits."""


class AtOnce:
    """Does everything when it is told."""

    async def meet(self) -> None:
        """Wait for nobody."""

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
        self._met: list[asyncio.Future[None]] = []
        self._called = False

    def meet(self) -> Awaitable[None]:
        """Wait for the next end of a turn."""
        met = asyncio.get_running_loop().create_future()
        self._met.append(met)
        if not self._called:
            self._call()
        return met

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
        met, self._met = self._met, []
        for waiting in met:
            if not waiting.done():  # its caller may have hung up
                waiting.set_result(None)

    def _call(self) -> None:
        self._called = True
        asyncio.get_running_loop().call_soon(self.end)


def _try(work: Work) -> None:
    try:
        work()
    except Exception:
        logger.exception("the end of a call failed")
