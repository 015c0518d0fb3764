"""Counters in Redis: exact across workers and machines, one round trip for everything that arrives together.

A worker keeps a mirror of what it has contributed. As long as every answer arrives, Redis and mirror agree; after any
doubt the worker tells Redis its own numbers anew before it trusts it again. A request carries the epoch that the
worker knows and a number that counts up: where Redis lost its data, or something arrives late, the script does
nothing. The answer to the last request is kept in Redis until the next one, so that a broken connection leaves no
doubt whether it was carried out.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Sequence

import msgspec

from kernel import tasks
from usage.counters.alone import Away, decide_alone
from usage.counters.base import Check, Contribution, CountersAway, Verdict, weigh
from usage.counters.line import FAILURES, Line, Moved
from usage.counters.memory import MemoryCounters
from usage.counters.scripts import BATCH, BEAT, BEGIN, PREFIX, PUSH
from usage.counters.wire import (
    Batch,
    BatchReply,
    BeatReply,
    BeginReply,
    Call,
    Deltas,
    Push,
    complete_parts,
    encode_push,
)

BEAT_S = 1.0
RETRY_S = 0.25
POLL_S = 0.1
CLOSE_S = 2.0
CALLS_AT_ONCE = 400
CHANGES_AT_ONCE = 1_000
QUEUED_MAX = 20_000
SUMS_A_BEAT = 300

logger = logging.getLogger(__name__)
_decode_batch = msgspec.msgpack.Decoder(BatchReply).decode
_decode_begin = msgspec.msgpack.Decoder(BeginReply).decode
_decode_beat = msgspec.msgpack.Decoder(BeatReply).decode


class RedisCounters:
    """The contract of the counters, for one of several workers.

    `away` says what happens while Redis can't be trusted; `workers` is how many share the limits until Redis tells.
    """

    def __init__(
        self,
        url: str,
        *,
        worker: str,
        away: Away = "",
        workers: int = 1,
        prefix: str = PREFIX,
    ) -> None:
        self.worker = worker
        self._line = Line(url, prefix=prefix)
        self._policy = away
        self._workers = workers
        self._ahead_s = time.time() - time.monotonic()
        self._mirror = MemoryCounters(worker, clock=self.now_s)
        self._queue: deque[Call] = deque()
        self._deltas = Deltas()
        self._unpushed: list[Contribution] = []
        self._unsure: Batch | Push | None = None
        self._number = 0
        self._epoch = ""
        self._epoch_id = ""
        self._away = True
        self._trusted = asyncio.Event()
        self._stirred = asyncio.Event()
        self._beat_due = True
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect, and stay connected, in the background."""
        self._task = tasks.spawn(self._run(), name="counters")

    async def wait_trusted(self, timeout_s: float) -> bool:
        """Wait until Redis can be trusted; False where that takes longer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not self.trusted:  # it may be lost again before who waits for it is woken
                    await self._trusted.wait()
        return self.trusted

    @property
    def trusted(self) -> bool:
        """Tell whether Redis answers and agrees with what this worker knows."""
        return self._trusted.is_set()

    def now_s(self) -> float:
        """Return Redis' clock, as its last answer told it."""
        return self._ahead_s + time.monotonic()

    async def reserve(self, checks: Sequence[Check], amounts: Sequence[int] | None = None) -> Verdict:
        """Add every amount or none. Raises CountersAway."""
        return await self._ask(weigh(checks, amounts), peek=False)

    async def peek(self, checks: Sequence[Check]) -> Verdict:
        """Return what `reserve` would, and add nothing. Raises CountersAway."""
        return await self._ask(checks, peek=True)

    def settle(self, checks: Sequence[Check], slices: Sequence[int], deltas: Sequence[int]) -> None:
        """Correct what was reserved: at once in the mirror, and in Redis with the next request."""
        for tally, number, delta in zip(self._mirror.tallies_of(checks), slices, deltas, strict=True):
            if delta:
                tally.add(number, delta)
                self._deltas.add(tally, number, delta)
        self._stirred.set()

    async def aclose(self) -> None:
        """Send what is queued, where Redis can be reached, and disconnect."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                while self.trusted and (self._queue or self._deltas or self._unsure):  # noqa: ASYNC110 - three things
                    await asyncio.sleep(0.005)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _ask(self, checks: Sequence[Check], *, peek: bool) -> Verdict:
        if self._away:
            return self._decide_alone(checks, peek=peek)
        if len(self._queue) >= QUEUED_MAX:
            raise CountersAway("too many calls wait for the counters")
        call = Call(checks, asyncio.get_running_loop().create_future(), peek=peek)
        self._queue.append(call)
        self._stirred.set()
        try:
            return await call.answer
        except asyncio.CancelledError:
            answer = call.answer  # it may have come in the same moment; nobody else would give back what it granted
            if not answer.cancelled() and answer.exception() is None and not peek:
                self._give_back(checks, answer.result())
            raise

    def _give_back(self, checks: Sequence[Check], verdict: Verdict) -> None:
        if verdict.refused is None:
            self.settle(checks, verdict.slices, [-check.amount for check in checks])

    def _decide_alone(self, checks: Sequence[Check], *, peek: bool) -> Verdict:
        verdict, tallies = decide_alone(self._mirror, checks, away=self._policy, workers=self._workers, add=not peek)
        if verdict.refused is None and not peek:
            for check, tally, number in zip(checks, tallies, verdict.slices, strict=True):
                self._deltas.add(tally, number, check.amount)
        return verdict

    async def _run(self) -> None:
        try:
            while True:
                await self._serve_until_failure()
        finally:
            self._decide_for_all()
            await self._line.close()

    async def _serve_until_failure(self) -> None:
        """Connect and work. A connection that broke while all was well is opened again at once, callers wait."""
        try:
            await self._line.open()
            await self._line.load(BATCH)
            await self._serve()
        except FAILURES as error:
            stood = self.trusted
            self._trusted.clear()
            await self._line.close()
            if isinstance(error, Moved) or (stood and not isinstance(error, TimeoutError)):
                return
            self._go_away(repr(error))
            await asyncio.sleep(RETRY_S)

    async def _serve(self) -> None:
        while True:
            begun = await self._begin()
            await self._push(begun)
            if await self._wait_until_ready(begun.epoch):
                self._stand()
                await self._work()
                self._trusted.clear()

    async def _begin(self) -> BeginReply:
        """Number the requests anew, so that none of the earlier ones counts any more, and learn how the last ended."""
        while True:
            self._number += 2
            header, last = await self._line.call(BEGIN, (self.worker, str(self._number)))
            begun = _decode_begin(header)
            self._note_clock(begun.now_s)
            if begun.status == "done":
                self._resolve(last)
                return begun
            self._go_away("Redis lost the counters; they wait to be rebuilt")
            await asyncio.sleep(POLL_S)

    def _resolve(self, last: bytes) -> None:
        """Finish the request whose answer never came, or take it back where it was not carried out."""
        number, _, answer = last.partition(b" ")
        unsure, self._unsure = self._unsure, None
        if unsure is None:
            return
        carried_out = number == b"%d" % unsure.number
        if isinstance(unsure, Push):
            self._unpushed += [] if carried_out else unsure.changes
        elif carried_out:
            self._conclude(unsure, _decode_batch(answer))
        else:
            self._take_back(unsure)

    async def _push(self, begun: BeginReply) -> None:
        """Tell Redis this worker's own numbers; in a new epoch also what it has in counters that aren't tracked."""
        epoch_id = begun.epoch.split()[1]
        parts = complete_parts(self._mirror.contributions(tracked=True), begun.stands_in)
        if epoch_id == self._epoch_id:
            self._deltas.drop_tracked()
        else:
            self._epoch_id, self._deltas = epoch_id, Deltas()
            self._unpushed = list(self._mirror.contributions(tracked=False))
        while parts or self._unpushed:
            parts, chunk = parts[CHANGES_AT_ONCE:], parts[:CHANGES_AT_ONCE]
            await self._push_some(chunk)

    async def _push_some(self, parts: list[Contribution]) -> None:
        changes, self._unpushed = self._unpushed[:CHANGES_AT_ONCE], self._unpushed[CHANGES_AT_ONCE:]
        self._unsure = Push(self._number, changes)
        rows, told, corrections = encode_push({self.worker: parts}, changes)
        guard = (self.worker, str(self._number))
        answer = await self._line.call(PUSH, (self._epoch_id, guard, False, rows, told, corrections))
        if answer != b"done":
            raise ConnectionAbortedError(f"the epoch ended while it was told this worker's numbers: {answer!r}")
        self._unsure = None
        self._number += 1

    async def _wait_until_ready(self, epoch: str) -> bool:
        """Wait until everybody's numbers are there; False where they have to be told again."""
        while not epoch.startswith("ready"):
            self._go_away("the counters are being rebuilt")
            await asyncio.sleep(POLL_S)
            beat = await self._ask_for_beat()
            if beat.epoch.split()[1:] != epoch.split()[1:] or beat.number != str(self._number):
                return False
            epoch = beat.epoch
        self._epoch = epoch
        return True

    def _stand(self) -> None:
        if self._away:
            logger.info("the counters in Redis can be trusted")
        self._away = False
        self._trusted.set()

    async def _work(self) -> None:
        """Send what comes, all of a moment together; returns when Redis doesn't know this worker's numbers any more."""
        while True:
            if self._beat_due:
                agreed = await self._beat()
            elif self._queue or self._deltas:
                agreed = await self._exchange()
            else:
                await self._stirred.wait()
                self._stirred.clear()
                continue
            if not agreed:
                return

    async def _beat(self) -> bool:
        self._beat_due = False
        asyncio.get_running_loop().call_later(BEAT_S, self._pulse)
        beat = await self._ask_for_beat()
        self._ask_for_sums()
        return beat.epoch == self._epoch and beat.number == str(self._number)

    def _ask_for_sums(self) -> None:
        """Learn what others have added to the counters in use: if Redis goes, a share is of what is really left."""
        if self._policy == "closed":
            return
        in_turn = {tally.name: tally for tally in self._mirror.next_in_turn(SUMS_A_BEAT)}
        checks = [Check(name, tally.window, 0, None, tracked=tally.tracked) for name, tally in in_turn.items()]
        if checks and len(self._queue) < QUEUED_MAX:
            call = Call(checks, asyncio.get_running_loop().create_future(), peek=True)
            call.answer.add_done_callback(_be_silent)
            self._queue.append(call)

    def _pulse(self) -> None:
        self._beat_due = True
        self._stirred.set()

    async def _ask_for_beat(self) -> BeatReply:
        beat = _decode_beat(await self._line.call(BEAT, (self.worker,)))
        self._note_clock(beat.now_s)
        self._workers = max(1, beat.living)
        return beat

    async def _exchange(self) -> bool:
        calls = [self._queue.popleft() for _ in range(min(len(self._queue), CALLS_AT_ONCE))]
        calls = [call for call in calls if not call.answer.done()]
        batch = Batch(calls, self._deltas.take(CHANGES_AT_ONCE), self._mirror, number=self._number)
        self._unsure = batch
        reply = _decode_batch(await self._line.call(BATCH, batch.request(self._epoch, self.worker), loaded=True))
        self._unsure = None
        self._note_clock(reply.now_s)
        if reply.status != "done":
            self._take_back(batch)
            return False
        self._number += 1
        self._conclude(batch, reply)
        return True

    def _conclude(self, batch: Batch, reply: BatchReply) -> None:
        for call, verdict in batch.verdicts(reply):
            if verdict.refused is None and not call.peek:
                self._mirror.note(call.checks, verdict.slices)
            if not call.answer.done():
                call.answer.set_result(verdict)
            elif not call.peek:  # nobody waits any more, or it was decided alone meanwhile
                self._give_back(call.checks, verdict)
        for tally, total, number in zip(batch.tallies, reply.sums, reply.slices, strict=True):
            tally.seen_sum, tally.seen_own, tally.seen_slice = total, tally.sum, number

    def _take_back(self, batch: Batch) -> None:
        self._queue.extendleft(reversed(batch.calls))
        self._deltas.put_back(batch.deltas)

    def _go_away(self, reason: str) -> None:
        if not self._away:
            logger.warning("the counters in Redis can't be trusted: %s", reason)
        self._decide_for_all()

    def _decide_for_all(self) -> None:
        """Decide alone from now on, for those who wait too."""
        self._away = True
        self._trusted.clear()
        waiting = [*(self._unsure.calls if isinstance(self._unsure, Batch) else ()), *self._queue]
        self._queue.clear()
        for call in waiting:
            if not call.answer.done():
                self._answer_alone(call)

    def _answer_alone(self, call: Call) -> None:
        try:
            call.answer.set_result(self._decide_alone(call.checks, peek=call.peek))
        except CountersAway as error:
            call.answer.set_exception(error)

    def _note_clock(self, now_s: float) -> None:
        self._ahead_s = now_s - time.monotonic()


def _be_silent(answer: "asyncio.Future[Verdict]") -> None:
    """Take note of an answer that nobody waits for."""
    if not answer.cancelled():
        answer.exception()
