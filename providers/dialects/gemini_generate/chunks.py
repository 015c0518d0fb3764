"""Writing Gemini's stream from the hub's events.

Text goes out as it comes. Calls are whole in this dialect, so their arguments are gathered; a signature follows its
thought. The reasons why the candidates ended wait for the usage, which stands in the same, last chunk.
"""

from collections.abc import Callable, Iterable

import msgspec

from kernel.errors import GatewayError
from providers.dialects.codec import Asked
from providers.dialects.conversation import (
    Citation,
    CitationAdded,
    Ended,
    Event,
    Failed,
    Finish,
    Finished,
    PartAdded,
    PartEnded,
    RefusalDelta,
    Started,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolDelta,
    ToolStarted,
    UsageReport,
)
from providers.dialects.gemini_generate import wire
from providers.dialects.gemini_generate.errors import encode_error
from providers.dialects.gemini_generate.finishes import write_reason
from providers.dialects.gemini_generate.framing import Frames
from providers.dialects.gemini_generate.grounding import write_grounding
from providers.dialects.gemini_generate.logprobs import write_logprobs
from providers.dialects.gemini_generate.response import WrittenCandidate, WrittenChunk, write_part
from providers.dialects.gemini_generate.usage import WireUsage, write_usage
from providers.dialects.gemini_generate.wire import WirePart, WrittenContent

_encode = msgspec.json.Encoder().encode


class GeminiEncoder:
    """Writes a client's stream; a `codec.StreamEncoder`."""

    __slots__ = ("_choices", "_frames", "_model", "_response_id", "_tail", "_usage")

    def __init__(self, asked: Asked, frames: Frames) -> None:
        self._frames = frames
        self._model = asked.model
        self._response_id = asked.answer_id
        self._choices: dict[int, _Choice] = {}
        self._usage: WireUsage | None = None
        self._tail = self._name()

    def encode(self, events: list[Event]) -> bytes:
        """Return the bytes that say these events, perhaps none yet."""
        return b"".join([self._say(event) for event in events])

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the bytes that end the stream with an error."""
        return self._frames.frame(encode_error(error, request_id=request_id)) + self._frames.close()

    def _say(self, event: Event) -> bytes:
        if type(event) is TextDelta and event.logprobs is None:  # the hot path
            choice = self._choice(event.choice)
            before = self._flush(choice) if choice.pending else b""
            return before + self._text(event.text, event.choice) if event.text else before
        match event:
            case Started():
                self._model, self._response_id = event.model or self._model, event.id or self._response_id
                self._tail = self._name()
                return b""
            case UsageReport():
                self._usage = write_usage(event.usage)
                return b""
            case Ended():
                return self._end()
            case Failed():
                return b""
            case _:
                return self._say_part(event, self._choice(event.choice))

    def _say_part(self, event: Event, choice: "_Choice") -> bytes:  # noqa: PLR0911 - one branch a kind of event
        match event:
            case TextDelta():
                before = self._flush(choice)
                part = wire.Part(text=event.text)
                return before + self._chunk(
                    WrittenCandidate(
                        WrittenContent([part], "model"),
                        index=choice.index,
                        logprobs_result=write_logprobs(event.logprobs),
                    )
                )
            case RefusalDelta():
                return self._flush(choice) + (self._text(event.text, choice.index) if event.text else b"")
            case ThinkingDelta():
                before = self._flush(choice, besides=event.part)
                choice.sign(event)
                return before + (self._parts([write_part(Thinking(event.text))], choice.index) if event.text else b"")
            case ToolStarted():
                before = self._flush(choice) if choice.holds_thought else b""
                choice.start(event)
                return before
            case ToolDelta():
                choice.grow(event)
                return b""
            case CitationAdded():
                choice.citations.append(event.citation)
                return b""
            case PartAdded():
                return self._flush(choice) + self._parts([write_part(event.value)], choice.index)
            case PartEnded():
                return self._parts(choice.take(lambda part: part == event.part), choice.index)
            case Finished():
                before = self._flush(choice)
                choice.finish = event.finish
                return before
            case _:
                return b""

    def _flush(self, choice: "_Choice", besides: int | None = None) -> bytes:
        """Return what was held back of other parts than this one: it is whole when another begins."""
        return self._parts(choice.take(lambda part: part != besides), choice.index) if choice.pending else b""

    def _end(self) -> bytes:
        last = WrittenChunk(
            candidates=[choice.last() for _, choice in sorted(self._choices.items())],
            usage_metadata=self._usage,
            model_version=self._model,
            response_id=self._response_id,
        )
        return self._frames.frame(_encode(last)) + self._frames.close()

    def _text(self, text: str, choice: int) -> bytes:
        return self._frames.frame(
            b'{"candidates":[{"content":{"parts":[{"text":%b}],"role":"model"},"index":%d}],%b'
            % (_encode(text), choice, self._tail)
        )

    def _parts(self, parts: Iterable[WirePart | None], choice: int) -> bytes:
        said = [part for part in parts if part is not None]
        return self._chunk(WrittenCandidate(WrittenContent(said, "model"), index=choice)) if said else b""

    def _chunk(self, candidate: WrittenCandidate) -> bytes:
        return self._frames.frame(b'{"candidates":[%b],%b' % (_encode(candidate), self._tail))

    def _name(self) -> bytes:
        return b'"modelVersion":%b,"responseId":%b}' % (_encode(self._model), _encode(self._response_id))

    def _choice(self, index: int) -> "_Choice":
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice(index)
        return choice


class _Choice:
    """What is held back of one choice until it is whole, by the number of its part."""

    __slots__ = ("_arguments", "_is_malformed", "citations", "finish", "index", "pending")

    def __init__(self, index: int) -> None:
        self.index = index
        self.pending: dict[int, ToolCall | Thinking] = {}
        self.citations: list[Citation] = []
        self.finish = Finish.STOP
        self._arguments: dict[int, list[str]] = {}
        self._is_malformed = False

    @property
    def holds_thought(self) -> bool:
        """Tell whether a signature waits for the end of its thought."""
        return any(isinstance(part, Thinking) for part in self.pending.values())

    def sign(self, event: ThinkingDelta) -> None:
        """Keep a signature until its thought is at its end."""
        if not event.signature and not event.redacted:
            return
        known = self.pending.get(event.part)
        before = known if isinstance(known, Thinking) else Thinking()
        self.pending[event.part] = Thinking(
            signature=before.signature + event.signature,
            redacted=before.redacted + event.redacted,
            dialect=event.dialect or before.dialect,
        )

    def start(self, event: ToolStarted) -> None:
        """Keep a call until its arguments are whole."""
        self.pending[event.part] = ToolCall(event.id, event.name, "", signature=event.signature, dialect=event.dialect)
        self._arguments[event.part] = []

    def grow(self, event: ToolDelta) -> None:
        """Keep more of a call's arguments."""
        self._arguments.setdefault(event.part, []).append(event.arguments)

    def take(self, wanted: Callable[[int], bool]) -> list[WirePart | None]:
        """Return the parts that are whole now; a call whose arguments are no JSON object is the reason of the end."""
        taken: list[WirePart | None] = []
        for number in sorted(filter(wanted, self.pending)):
            part = self.pending.pop(number)
            if isinstance(part, ToolCall):
                arguments = "".join(self._arguments.pop(number, ()))
                part = msgspec.structs.replace(part, arguments=arguments)
            taken.append(write_part(part))
            self._is_malformed |= isinstance(part, ToolCall) and taken[-1] is None
        return taken

    def last(self) -> WrittenCandidate:
        """Return what stands in the last chunk; Google's has an empty text, which clients read unasked."""
        finish = Finish.ERROR if self._is_malformed and self.finish is not Finish.LENGTH else self.finish
        cited = [("", msgspec.structs.replace(citation, start=None, end=None)) for citation in self.citations]
        return WrittenCandidate(
            content=WrittenContent([wire.Part(text="")], "model"),
            index=self.index,
            finish_reason=write_reason(finish),
            grounding_metadata=write_grounding(cited),
        )
