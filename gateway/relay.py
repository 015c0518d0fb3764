"""A stream on its way to the client: passes bytes on, ends in an error event if the upstream breaks, settles once.

Where the dialect has no such event (sound), the connection is broken off, so that nobody takes the part for the whole.
"""

import asyncio
import time
from contextlib import suppress

from gateway.call import Attempt, Call, Outcome
from gateway.messages import StreamCut
from gateway.plane import DataPlane
from gateway.settlement import record_if_lost, settle_stream
from kernel.errors import UpstreamFailed
from providers.adapters.base import translate
from providers.adapters.http import UpstreamIOError
from routing.attempts.single import OpenStream
from usage.records import Ending

END_GRACE_S = 0.1
CHUNKS_A_REVISION = 32  # how often the journal hears how far a stream has come


class StreamRelay:
    """An async iterator of bytes. Whoever iterates must call `aclose`: hanging up there cancels the upstream."""

    __slots__ = ("_answer", "_attempt", "_call", "_chunks", "_first", "_plane", "_reader", "_settled", "whole")

    def __init__(self, plane: DataPlane, call: Call, attempt: Attempt, stream: OpenStream) -> None:
        self._plane = plane
        self._call = call
        self._attempt = attempt
        self._answer = stream.answer
        self._reader = stream.reader
        self._first = stream.first
        self._settled = False
        self._chunks = 0
        self.whole = False

    def __aiter__(self) -> "StreamRelay":
        return self

    async def __anext__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        if self._settled:
            raise StopAsyncIteration
        reader = self._reader
        failure: UpstreamFailed | None = None
        try:
            while reader.failure is None and not reader.done:
                data = await self._answer.next_chunk()
                if data is None:
                    return self._end()
                self._note_progress()
                passed = reader.feed(data)
                if passed:
                    return passed
            if reader.failure is not None:
                raise reader.failure
            await self._wait_for_end()
        except UpstreamIOError as error:
            failure = translate(error, provider=self._attempt.target.connection.slug)
        except UpstreamFailed as error:
            failure = error
        if reader.done:  # the answer is whole, whatever became of its connection
            self._settle("completed")
            raise StopAsyncIteration
        assert failure is not None
        self._settle("cut", failure)
        return self._say(failure)

    async def aclose(self) -> None:
        """Be done, whether or not the stream is: what was used so far is settled."""
        if self._settled:
            return
        if self._reader.done and not self._first:  # the caller has it all and only didn't wait for the connection's end
            self._settle("completed")
            return
        self._attempt.error_code = "client_disconnected"
        self._settle("cancelled")

    def _say(self, failure: UpstreamFailed) -> bytes:
        said = self._reader.fail(failure, request_id=self._call.request_id)
        if not said:
            raise StreamCut(failure.message)
        return said

    def _note_progress(self) -> None:
        self._chunks += 1
        if self._chunks % CHUNKS_A_REVISION:
            return
        record = record_if_lost(self._plane, self._call, self._attempt, output_bytes=self._reader.output_bytes)
        self._plane.journal.revise(self._attempt.slot, record)

    def _end(self) -> bytes:
        left = self._reader.end()
        self._settle("completed")
        if not left:
            raise StopAsyncIteration
        return left

    async def _wait_for_end(self) -> None:
        """Give a whole answer's connection a moment to end, so that it can be used again; the caller has everything."""
        with suppress(TimeoutError):
            async with asyncio.timeout(END_GRACE_S):
                while await self._answer.next_chunk() is not None:
                    pass

    def _settle(self, ending: Ending, error: UpstreamFailed | None = None) -> None:
        self._settled = True
        self._answer.close()
        if error is not None:
            self._attempt.error_code = error.code
        settle_stream(self._plane, self._call, self._attempt, self._reader, ending)
        duration_ns = time.perf_counter_ns() - self._call.started_ns
        self._plane.call_ended(Outcome(self._call, 200, error, duration_ns))
        self.whole = ending == "completed"
