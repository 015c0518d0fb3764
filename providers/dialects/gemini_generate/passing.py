"""Passing Gemini's stream on to a client of the same dialect, with what accounting needs read on the way.

Events pass as the bytes they came as. For a client who asked for an array their data is put into one.
"""

from contextlib import suppress

import msgspec

from kernel.errors import GatewayError, UpstreamBroken
from providers.dialects import sse
from providers.dialects.canonical import Usage
from providers.dialects.conversation import Finish
from providers.dialects.gemini_generate.errors import encode_error
from providers.dialects.gemini_generate.finishes import read_finish
from providers.dialects.gemini_generate.framing import ArrayFrames, Frames, is_one_event, payload_of, payload_of_one
from providers.dialects.gemini_generate.response import Chunk, output_bytes_of, parts_of, usage_of
from providers.dialects.gemini_generate.stream import CUT, decode_chunk, raise_stray_error
from providers.dialects.gemini_generate.wire import ABSENT


class PassingReader:
    """Feeds on a provider's stream and returns what the client gets; a `codec.StreamReader`."""

    __slots__ = (
        "_finished",
        "_frames",
        "_is_array",
        "_seen",
        "_splitter",
        "_with_calls",
        "accepts",
        "content_type",
        "done",
        "failure",
        "finish_reason",
        "output_bytes",
        "usage",
    )

    def __init__(self, frames: Frames) -> None:
        self._splitter = sse.EventSplitter()
        self._frames = frames
        self._is_array = isinstance(frames, ArrayFrames)
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self._with_calls: set[int] = set()
        self.accepts = Frames.content_type
        self.content_type = frames.content_type if self._is_array else b""
        self.usage: Usage | None = None
        self.finish_reason = ""
        self.output_bytes = 0
        self.done = False
        self.failure: UpstreamBroken | None = None

    def feed(self, data: bytes) -> bytes:
        """Return what to send on for these bytes; sets `failure` where they are an error or no answer."""
        if self.failure is not None:
            return b""
        passed: list[bytes] = []
        try:
            if not self._splitter.rest and is_one_event(data):
                return self._pass_data(data, payload_of_one(data))
            passed.extend(map(self._pass, self._splitter.feed(data)))  # keeps what came before an error
        except sse.EventTooLarge as error:
            self.failure = UpstreamBroken(str(error))
        except UpstreamBroken as error:
            self.failure = error
        return b"".join(passed)

    def end(self) -> bytes:
        """Return what is still owed when the upstream has ended properly. Raises UpstreamBroken for a cut."""
        if self.done:
            return b""
        left = self.feed(b"\n\n") if self._splitter.rest.strip() else b""  # a last event without its blank line
        if self.failure is not None:
            raise self.failure
        if not self._seen or self._seen - self._finished:
            raise UpstreamBroken(CUT, code="upstream_cut")
        self.done = True
        return left + self._frames.close()

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the bytes that end the client's stream with an error."""
        return self._frames.frame(encode_error(error, request_id=request_id)) + self._frames.close()

    def _pass(self, event: bytes) -> bytes:
        data = payload_of(event)
        if data is None:
            raise_stray_error(event)
            return b"" if self._is_array else event
        return self._pass_data(event, data)

    def _pass_data(self, event: bytes, data: bytes) -> bytes:
        with suppress(msgspec.ValidationError):  # well-formed, only unusual: it is the client's to read
            self._note(decode_chunk(data))
        return self._frames.frame(data) if self._is_array else event

    def _note(self, chunk: Chunk) -> None:
        for candidate in chunk.candidates or ():
            index = candidate.index or 0
            self._seen.add(index)
            self.output_bytes += output_bytes_of(candidate)
            if any(part.function_call is not None for part in parts_of(candidate)):
                self._with_calls.add(index)
            if candidate.finish_reason:
                self._finished.add(index)
                self.finish_reason = read_finish(candidate.finish_reason, has_calls=index in self._with_calls).value
        if chunk.is_blocked:
            self._seen.add(0)
            self._finished.add(0)
            self.finish_reason = Finish.CONTENT_FILTER.value
        if chunk.usage_metadata is not ABSENT:
            self.usage = usage_of(chunk) or self.usage
