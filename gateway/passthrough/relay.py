"""An answer on its way to the client: every byte as it came, metered, settled once however it ends.

Nobody knows how an error would be said in bytes like these, so where the provider breaks off, so does the gateway.
"""

import time

from gateway.call import Attempt, Call, Outcome
from gateway.messages import StreamCut
from gateway.passthrough.accounts import HUNG_UP, lost_record, settle_answer
from gateway.passthrough.metering import Meter
from gateway.passthrough.requests import Passage
from gateway.plane import DataPlane
from gateway.relay import CHUNKS_A_REVISION
from kernel.errors import GatewayError
from providers.adapters.base import UpstreamAnswer, translate
from providers.adapters.http import UpstreamIOError
from usage.records import Ending


class PassingRelay:
    """An async iterator of bytes. Whoever iterates must call `aclose`: hanging up there cancels the upstream."""

    __slots__ = ("_answer", "_attempt", "_call", "_chunks", "_meter", "_passage", "_plane", "_settled", "whole")

    def __init__(
        self, plane: DataPlane, call: Call, attempt: Attempt, passage: Passage, answer: UpstreamAnswer
    ) -> None:
        self._plane = plane
        self._call = call
        self._attempt = attempt
        self._passage = passage
        self._answer = answer
        self._meter = Meter(passage, call.head, answer)
        self._settled = False
        self._chunks = 0
        self.whole = False

    def __aiter__(self) -> "PassingRelay":
        return self

    async def __anext__(self) -> bytes:
        if self._settled:
            raise StopAsyncIteration
        try:
            data = await self._answer.next_chunk()
        except UpstreamIOError as error:
            if self._meter.done:  # the answer is whole, whatever became of its connection
                self._end()
                raise StopAsyncIteration from error
            failure = translate(error, provider=self._passage.connection.slug)
            self._settle("cut", failure)
            raise StreamCut(failure.message) from error
        if data is None:
            self._end()
            raise StopAsyncIteration
        self._note_progress()
        return self._meter.feed(data)

    async def aclose(self) -> None:
        """Be done, whether or not the answer is: what was used so far is settled."""
        if self._settled:
            return
        if self._meter.done:  # the caller has it all and only didn't wait for the connection's end
            self._end()
            return
        self._attempt.error_code = HUNG_UP
        self._settle("cancelled")

    def _end(self) -> None:
        self._meter.end()
        if self._answer.status >= 400:
            self._attempt.error_code = "upstream_refused"
            self._settle("refused")
        elif self._meter.failure is not None:
            self._settle("cut", self._meter.failure)
        else:
            self._settle("completed")

    def _note_progress(self) -> None:
        self._chunks += 1
        if self._chunks % CHUNKS_A_REVISION == 0:
            output_bytes = self._meter.output_bytes
            record = lost_record(self._plane, self._call, self._attempt, self._passage, output_bytes=output_bytes)
            self._plane.journal.revise(self._attempt.slot, record)

    def _settle(self, ending: Ending, error: GatewayError | None = None) -> None:
        self._settled = True
        self._answer.close()
        if error is not None:
            self._attempt.error_code = error.code
        status = self._answer.status
        settle_answer(self._plane, self._call, self._attempt, self._meter, ending, status=status)
        duration_ns = time.perf_counter_ns() - self._call.started_ns
        self._plane.call_ended(Outcome(self._call, status, error, duration_ns))
        self.whole = ending == "completed"
