"""A provider's stream read as events.

Chunks name no parts: a new one begins where the kind of what is said changes, and where a tool call has a new index
or id. Servers differ in what they leave out of a call (the index, the id, the name until later) and in how they end:
`[DONE]` ends a stream, and so does a finish reason for every choice.
"""

import msgspec

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects import sse
from providers.dialects.conversation import Ended, Event, Failed, Finished, Started, TextDelta, UsageReport
from providers.dialects.openai_chat.errors import reported
from providers.dialects.openai_chat.finishes import read_finish
from providers.dialects.openai_chat.parts import ABSENT, is_said
from providers.dialects.openai_chat.pieces import Delta, Growing
from providers.dialects.openai_chat.reading import WireLogprobs, read_logprobs
from providers.dialects.openai_chat.usage import read_usage_leniently


class _Choice(msgspec.Struct, gc=False):
    index: int = 0
    delta: Delta | None = None
    text: str | None = None
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    logprobs: WireLogprobs | None = None


class _Chunk(msgspec.Struct, gc=False):
    id: str | None = ""
    model: str | None = ""
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


_chunk = msgspec.json.Decoder(_Chunk)
_NULL = b"null"


class ChatDecoder:
    """Reads a stream of chunks; a `codec.StreamDecoder`."""

    __slots__ = ("_choices", "_id", "_is_over", "_splitter", "_started")

    def __init__(self) -> None:
        self._splitter = sse.EventSplitter()
        self._choices: dict[int, Growing] = {}
        self._started = False
        self._is_over = False
        self._id = ""

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that these bytes finish."""
        if self._is_over:
            return []
        if not self._splitter.rest and sse.is_one_line(data):  # the usual case, and the hot one
            return self._read(data[6:-2])
        try:
            pieces = self._splitter.feed(data)
        except sse.EventTooLarge as error:
            return [self._fail(UpstreamBroken(str(error)))]
        events: list[Event] = []
        for piece in pieces:
            found = sse.data_of(piece)
            if found is not None and not self._is_over:
                events += self._read(found)
        return events

    def end(self) -> list[Event]:
        """Return the end, or Failed where the answer is not whole."""
        if self._is_over:
            return []
        left = self.feed(b"\n\n") if self._splitter.rest.strip() else []  # a last event without its blank line
        if self._is_over:
            return left
        if self._choices and all(choice.is_finished for choice in self._choices.values()):
            self._is_over = True
            return [*left, Ended()]
        cut = UpstreamBroken("the provider's stream ended before its answer was complete", code="upstream_cut")
        return [*left, self._fail(cut)]

    def _read(self, data: bytes) -> list[Event]:
        if data[:1] == b"[" and data.strip() == b"[DONE]":
            return self._finish()
        events: list[Event] = []
        try:
            chunk = _chunk.decode(data)
            if chunk.error is not ABSENT and is_said(chunk.error):
                return [self._fail(reported(data))]
            if chunk.choices:
                if not self._started:
                    events.append(self._start(chunk))
                for choice in chunk.choices:
                    self._read_choice(choice, events)
        except (msgspec.ValidationError, InvalidRequest) as error:
            return [self._fail(UpstreamBroken(f"the provider's stream is not as its dialect has it: {error}"))]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return [self._fail(UpstreamBroken("the provider's stream holds something that is not JSON"))]
        if chunk.usage is not ABSENT and (usage := read_usage_leniently(chunk.usage)) is not None:
            events.append(UsageReport(usage))
        return events

    def _start(self, chunk: _Chunk) -> Started:
        self._started = True
        self._id = chunk.id or ""
        return Started(id=self._id, model=chunk.model or "")

    def _read_choice(self, choice: _Choice, events: list[Event]) -> None:
        growing = self._choices.get(choice.index)
        if growing is None:
            growing = self._choices[choice.index] = Growing(choice.index, self._id)
        if growing.is_finished:
            return
        delta = choice.delta
        logprobs = None if choice.logprobs is None else read_logprobs(choice.logprobs)
        if delta is not None:
            growing.add(delta, logprobs, events)
        elif choice.text:
            events.append(TextDelta(choice.text, growing.text_part(), choice.index, logprobs))
        if choice.finish_reason:
            sequence = choice.stop_reason if isinstance(choice.stop_reason, str) else ""
            events.append(self._end_choice(growing, choice.finish_reason, sequence))

    def _end_choice(self, growing: Growing, reason: str, stop_sequence: str = "") -> Finished:
        growing.is_finished = True
        finish = read_finish(
            reason, refused=growing.is_refused, has_calls=growing.has_calls, stop_sequence=stop_sequence
        )
        return Finished(finish, choice=growing.choice, stop_sequence=stop_sequence)

    def _finish(self) -> list[Event]:
        if not self._choices:
            return [self._fail(UpstreamBroken("the provider's stream has no choices"))]
        self._is_over = True
        unfinished = [choice for choice in self._choices.values() if not choice.is_finished]
        return [*(self._end_choice(choice, "") for choice in unfinished), Ended()]

    def _fail(self, error: UpstreamBroken) -> Failed:
        self._is_over = True
        return Failed(error)
