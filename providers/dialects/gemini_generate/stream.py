"""Reading Gemini's stream: chunks as the hub's events.

Each chunk is an answer of its own with a piece of the text; calls come whole, usage counts everything so far. A
stream is whole when every candidate seen has named its reason, or the prompt was refused; anything else is a cut.
"""

from functools import partial

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects import sse
from providers.dialects.canonical import Usage
from providers.dialects.conversation import (
    Audio,
    CitationAdded,
    Ended,
    Event,
    Failed,
    Finish,
    Finished,
    Image,
    Opaque,
    Part,
    PartAdded,
    Started,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolDelta,
    ToolStarted,
    UsageReport,
)
from providers.dialects.gemini_generate.errors import read_error
from providers.dialects.gemini_generate.finishes import read_finish
from providers.dialects.gemini_generate.framing import is_one_event, payload_of, payload_of_one
from providers.dialects.gemini_generate.grounding import read_grounding
from providers.dialects.gemini_generate.parts import read_part
from providers.dialects.gemini_generate.response import (
    CHUNK_DECODER,
    Candidate,
    Chunk,
    grounding_of,
    logprobs_of,
    parts_of,
    raw_part,
    usage_of,
)
from providers.dialects.gemini_generate.wire import ABSENT, is_given

CUT = "the provider's stream ended before its answer was complete"


class GeminiDecoder:
    """Reads a provider's stream; a `codec.StreamDecoder`."""

    __slots__ = ("_choices", "_is_over", "_made_ids", "_response_id", "_splitter", "_started", "_usage")

    def __init__(self) -> None:
        self._splitter = sse.EventSplitter()
        self._choices: dict[int, _Choice] = {}
        self._started = False
        self._is_over = False
        self._response_id = ""
        self._made_ids = 0
        self._usage: Usage | None = None

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that these bytes finish; Failed, and nothing after it, where they are none."""
        if self._is_over:
            return []
        if not self._splitter.rest and is_one_event(data):
            return self._read_data(payload_of_one(data))
        try:
            pieces = self._splitter.feed(data)
        except sse.EventTooLarge as error:
            return self._fail(UpstreamBroken(str(error)))
        events: list[Event] = []
        for piece in pieces:
            if not self._is_over:
                events += self._read(piece)
        return events

    def end(self) -> list[Event]:
        """Return what is still owed when the bytes have ended properly: Ended, or Failed for a stream cut short."""
        events: list[Event] = []
        if not self._is_over and self._splitter.rest.strip():  # a last event without its blank line
            events = self.feed(b"\n\n")
        if self._is_over:
            return events
        if not self._choices or not all(choice.is_finished for choice in self._choices.values()):
            return events + self._fail(UpstreamBroken(CUT, code="upstream_cut"))
        self._is_over = True
        return [*events, Ended()]

    def _read(self, event: bytes) -> list[Event]:
        data = payload_of(event)
        if data is not None:
            return self._read_data(data)
        try:
            raise_stray_error(event)
        except UpstreamBroken as error:
            return self._fail(error)
        return []

    def _read_data(self, data: bytes) -> list[Event]:
        try:
            return self._tell(decode_chunk(data), data)
        except msgspec.ValidationError:
            return self._fail(UpstreamBroken("the provider's stream holds a chunk that is none of Gemini's"))
        except UnicodeDecodeError:  # what is kept raw is not looked at before it is read
            return self._fail(UpstreamBroken("the provider's stream holds something that is not JSON"))
        except UpstreamBroken as error:
            return self._fail(error)

    def _fail(self, error: UpstreamBroken) -> list[Event]:
        self._is_over = True
        return [Failed(error)]

    def _tell(self, chunk: Chunk, data: bytes) -> list[Event]:
        events: list[Event] = []
        if not self._started:
            self._started = True
            self._response_id = chunk.response_id or ""
            events.append(Started(self._response_id, chunk.model_version or ""))
        for place, candidate in enumerate(chunk.candidates or ()):
            index = candidate.index or 0
            choice = self._choices.get(index)
            if choice is None:
                choice = self._choices[index] = _Choice(index)
            if not choice.is_finished:
                self._tell_candidate(candidate, choice, events, (data, place))
        if not self._choices and chunk.is_blocked:
            self._choices[0] = _Choice(0, is_finished=True)
            events.append(Finished(Finish.CONTENT_FILTER))
        if chunk.usage_metadata is not ABSENT:
            usage = usage_of(chunk)
            if usage is not None and usage != self._usage:
                self._usage = usage
                events.append(UsageReport(usage))
        return events

    def _tell_candidate(
        self, candidate: Candidate, choice: "_Choice", events: list[Event], where: tuple[bytes, int]
    ) -> None:
        logprobs = logprobs_of(candidate) if candidate.logprobs_result is not ABSENT else None
        cited = candidate.grounding_metadata is not ABSENT and choice.cite(candidate, events)
        for index, part in enumerate(parts_of(candidate)):
            if part.text and not part.thought and part.thought_signature is None:  # the usual case, and the hot one
                events.append(choice.text(part.text, logprobs))
                logprobs = None
                continue
            for said in read_part(part, raw=partial(raw_part, *where, index), new_id=self._new_id):
                choice.tell(said, events)
        if logprobs is not None:
            events.append(choice.text("", logprobs))
        if candidate.grounding_metadata is not ABSENT and not cited:
            choice.cite(candidate, events)
        if candidate.finish_reason:
            choice.is_finished = True
            events.append(Finished(read_finish(candidate.finish_reason, has_calls=choice.has_calls), choice.index))

    def _new_id(self) -> str:
        self._made_ids += 1
        return f"call_{self._response_id}_{self._made_ids}"


class _Choice:
    """Numbers the parts of one choice; text and thoughts go on until something else comes."""

    __slots__ = ("_kind", "_part", "has_calls", "index", "is_finished")

    def __init__(self, index: int, *, is_finished: bool = False) -> None:
        self.index = index
        self.is_finished = is_finished
        self.has_calls = False
        self._part = -1
        self._kind: type[Part] | None = None

    def text(self, text: str, logprobs: msgspec.Raw | None) -> TextDelta:
        """Return more of the open text, or the beginning of one."""
        return TextDelta(text, self._part if self._kind is Text else self._part_of(Text), self.index, logprobs)

    def cite(self, candidate: Candidate, events: list[Event]) -> bool:
        """Tell what the open text rests on; return whether one is open."""
        if self._kind is not Text:
            return False
        citations = read_grounding(grounding_of(candidate))
        events += [CitationAdded(citation, self._part, self.index) for citation in citations]
        return True

    def tell(self, part: Part, events: list[Event]) -> None:
        """Tell a part that may be anything."""
        match part:
            case Text():
                events.append(self.text(part.text, None))
            case Thinking():
                self._think(part, events)
            case ToolCall():
                self.has_calls = True
                number = self._new_part()
                events += (
                    ToolStarted(part.id, part.name, number, self.index, part.signature, part.dialect),
                    ToolDelta(part.arguments, number, self.index),
                )
            case Image() | Audio() | Opaque():
                events.append(PartAdded(part, self._new_part(), self.index))
            case _:
                pass

    def _think(self, thought: Thinking, events: list[Event]) -> None:
        is_signed = bool(thought.signature or thought.redacted)
        if not thought.text and not is_signed:
            return
        events.append(
            ThinkingDelta(
                part=self._part_of(Thinking),
                choice=self.index,
                text=thought.text,
                signature=thought.signature,
                redacted=thought.redacted,
                dialect=thought.dialect,
            )
        )
        if is_signed:
            self._kind = None

    def _part_of(self, kind: type[Part]) -> int:
        if self._kind is not kind:
            self._new_part()
            self._kind = kind
        return self._part

    def _new_part(self) -> int:
        self._part += 1
        self._kind = None
        return self._part


def decode_chunk(data: bytes) -> Chunk:
    """Return a chunk. Raises UpstreamBroken for an error or for what is no JSON, ValidationError for odd types."""
    try:
        chunk = CHUNK_DECODER.decode(data)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken("the provider's stream holds something that is not JSON") from error
    if chunk.error is not ABSENT and is_given(chunk.error):
        raise _reported(data)
    return chunk


def raise_stray_error(event: bytes) -> None:
    """Raise UpstreamBroken where an error stands in the stream without being an event, as Google writes them."""
    data = event.strip()
    if data[:1] in (b"{", b"[") and read_error(0, _no_header, data) is not None:
        raise _reported(data)


def _reported(data: bytes) -> UpstreamBroken:
    report = read_error(0, _no_header, data)
    if report is None:
        return UpstreamBroken("the provider reported an error in the stream", code="upstream_error")
    return UpstreamBroken(report.message, code=report.code, retry_after_s=report.retry_after_s)


def _no_header(name: bytes) -> None:
    return None
