"""A provider's Responses stream as the hub's events.

Deltas come as they are. What a provider sends only whole, in an item's `done` or in the last event, is made up for
there, so that servers that skip deltas, annotations or items are read as well.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects import sse
from providers.dialects.conversation import (
    CitationAdded,
    Ended,
    Event,
    Failed,
    Finished,
    Opaque,
    Part,
    PartAdded,
    PartEnded,
    Refusal,
    RefusalDelta,
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
from providers.dialects.openai_responses import wire
from providers.dialects.openai_responses.citations import read_citation
from providers.dialects.openai_responses.errors import code_of
from providers.dialects.openai_responses.framing import DONE, data_of
from providers.dialects.openai_responses.output_items import read_content, read_item
from providers.dialects.openai_responses.response import BODY, Complaint
from providers.dialects.openai_responses.usage import read_usage

_ABSENT = msgspec.Raw(b"")
_EMPTY = b"[]"


class _Wire(msgspec.Struct, gc=False):
    type: str = ""
    delta: str | None = None
    output_index: int = 0
    content_index: int = 0
    summary_index: int = 0
    logprobs: msgspec.Raw = _ABSENT
    item: msgspec.Raw = _ABSENT
    response: msgspec.Raw = _ABSENT
    annotation: msgspec.Raw = _ABSENT
    error: msgspec.Raw = _ABSENT
    code: str | None = None
    message: str | None = None


class _Type(msgspec.Struct, gc=False):
    type: str = ""


@dataclass(slots=True)
class _Progress:
    """How much of a part has been told."""

    part: int
    told: bool = False
    is_call: bool = False
    citations: int = 0
    source: str = ""
    summary_index: int = 0


_wire = msgspec.json.Decoder(_Wire)
_type = msgspec.json.Decoder(_Type)
_complaint = msgspec.json.Decoder(Complaint)


class Decoder:
    """Reads one stream; a `codec.StreamDecoder`."""

    __slots__ = ("_done_items", "_out", "_over", "_parts", "_splitter", "_started")

    def __init__(self) -> None:
        self._splitter = sse.EventSplitter()
        self._parts: dict[tuple[int, int], _Progress] = {}
        self._done_items: set[int] = set()
        self._out: list[Event] = []
        self._started = False
        self._over = False

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that these bytes finish."""
        if self._over:
            return []
        try:
            for event in self._splitter.feed(data):
                payload = data_of(event)
                if payload is not None and payload != DONE and not self._over:
                    self._read(payload)
        except sse.EventTooLarge as error:
            self._fail(UpstreamBroken(str(error)))
        out, self._out = self._out, []
        return out

    def end(self) -> list[Event]:
        """Return what is still owed when the bytes have ended."""
        out = self.feed(b"\n\n") if self._splitter.rest.strip() else []
        if out and isinstance(out[-1], Failed) and out[-1].error.code == UpstreamBroken.code:
            out.pop()  # half an event is no JSON; that the stream was cut says more
            self._over = False
        if not self._over:
            self._fail(_cut())
            out, self._out = out + self._out, []
        return out

    def _read(self, payload: bytes) -> None:
        try:
            event = _wire.decode(payload)
        except msgspec.ValidationError:
            self._read_odd(payload)
            return
        except wire.BROKEN:
            self._fail(UpstreamBroken("the provider's stream holds something that is not JSON"))
            return
        if event.type == "response.output_text.delta":
            self._tell_text(event)
            return
        handle = _HANDLERS.get(event.type)
        if handle is None:
            return
        try:
            handle(self, event)
        except wire.BROKEN as error:
            self._fail(UpstreamBroken(f"the provider's stream has an event of a wrong form: {error}"))

    def _read_odd(self, payload: bytes) -> None:
        """Let an event pass whose fields mean something else than in the known ones; a known one has to be right."""
        try:
            kind = _type.decode(payload).type
        except wire.BROKEN:
            kind = ""
        if kind in _HANDLERS or kind == "response.output_text.delta":
            self._fail(UpstreamBroken(f"the provider's stream has an event {kind} of a wrong form"))

    def _tell_text(self, event: _Wire) -> None:
        progress = self._parts.get((event.output_index, event.content_index)) or self._begin(event, event.content_index)
        progress.told = True
        tokens = bytes(event.logprobs)
        logprobs = event.logprobs if tokens[:1] == b"[" and tokens != _EMPTY else None
        self._out.append(TextDelta(event.delta or "", progress.part, 0, logprobs))

    def _tell_refusal(self, event: _Wire) -> None:
        progress = self._begin(event, event.content_index)
        progress.told = True
        self._out.append(RefusalDelta(event.delta or "", progress.part))

    def _tell_thought(self, event: _Wire) -> None:
        """Of a summary and the raw thought, whichever comes first is told; parts of a summary are paragraphs."""
        progress = self._begin(event, 0)
        source = event.type.partition(".")[2].partition("_text")[0]
        if progress.told and source != progress.source:
            return
        gap = "\n\n" if progress.told and event.summary_index != progress.summary_index else ""
        progress.told, progress.source, progress.summary_index = True, source, event.summary_index
        self._out.append(ThinkingDelta(progress.part, text=gap + (event.delta or "")))

    def _tell_arguments(self, event: _Wire) -> None:
        progress = self._parts.get((event.output_index, 0))
        if progress is None or not progress.is_call:  # it is told once its item is finished
            return
        progress.told = True
        self._out.append(ToolDelta(event.delta or "", progress.part))

    def _tell_citation(self, event: _Wire) -> None:
        progress = self._begin(event, event.content_index)
        progress.citations += 1
        self._out.append(CitationAdded(read_citation(event.annotation), progress.part))

    def _open_item(self, event: _Wire) -> None:
        if wire.KIND.decode(event.item).type == "function_call":
            call = wire.CALL.decode(event.item)
            progress = self._begin(event, 0)
            progress.is_call = True
            self._out.append(ToolStarted(call.call_id, call.name, progress.part))

    def _close_item(self, event: _Wire) -> None:
        index = event.output_index
        if index in self._done_items:
            return
        self._done_items.add(index)
        self._ensure_started()
        if wire.KIND.decode(event.item).type == "message":
            content = wire.ANSWERED.decode(event.item).content or []
            parts = [Text(content)] if isinstance(content, str) else [read_content(raw) for raw in content]
        else:
            parts = read_item(event.item)
        for number, part in enumerate(parts):
            self._make_up((index, number), part)

    def _make_up(self, place: tuple[int, int], part: Part) -> None:
        """Tell what of a finished part was not told, and that it is finished."""
        known = place in self._parts
        if part == Text("") and not known:
            return
        progress = self._parts.setdefault(place, _Progress(len(self._parts)))
        out, number = self._out, progress.part
        match part:
            case Text():
                if not progress.told and part.text:
                    out.append(TextDelta(part.text, number))
                out += [CitationAdded(citation, number) for citation in part.citations[progress.citations :]]
            case Refusal() if not progress.told:
                out.append(RefusalDelta(part.text, number))
            case Thinking():
                text = "" if progress.told else part.text
                out.append(
                    ThinkingDelta(number, 0, text, part.signature, part.redacted, id=part.id, dialect=part.dialect)
                )
            case ToolCall():
                out += [] if known else [ToolStarted(part.id, part.name, number)]
                out += [] if progress.told or not part.arguments else [ToolDelta(part.arguments, number)]
            case Opaque():
                out.append(PartAdded(part, number))
        out.append(PartEnded(number))

    def _start(self, event: _Wire) -> None:
        if not self._started:
            body = BODY.decode(event.response)
            self._started = True
            self._out.append(Started(body.id or "", body.model or ""))

    def _finish(self, event: _Wire) -> None:
        body = BODY.decode(event.response)
        if body.failure is not None:
            self._fail(body.failure)
            return
        self._start(event)
        for index, item in enumerate(body.output or ()):
            self._close_item(_Wire(output_index=index, item=item))
        self._out.append(Finished(body.finish))
        usage = read_usage(body.usage)
        if usage is not None:
            self._out.append(UsageReport(usage))
        self._out.append(Ended())
        self._over = True

    def _report(self, event: _Wire) -> None:
        said = Complaint(event.code, event.message)
        if event.error is not _ABSENT and bytes(event.error) != b"null":
            nested = _complaint.decode(event.error)
            said = Complaint(nested.code or said.code, nested.message or said.message)
        message = said.message or "the provider reported an error in the stream"
        self._fail(UpstreamBroken(message, code=code_of(said.code or "") or "upstream_error"))

    def _begin(self, event: _Wire, content_index: int) -> _Progress:
        """Return the part that an event belongs to; its first event makes it."""
        self._ensure_started()
        return self._parts.setdefault((event.output_index, content_index), _Progress(len(self._parts)))

    def _ensure_started(self) -> None:
        if not self._started:
            self._started = True
            self._out.append(Started())

    def _fail(self, error: UpstreamBroken) -> None:
        self._over = True
        self._out.append(Failed(error))


def _cut() -> UpstreamBroken:
    return UpstreamBroken("the provider's stream ended before its answer was complete", code="upstream_cut")


_HANDLERS: dict[str, Callable[[Decoder, _Wire], None]] = {
    "response.created": Decoder._start,
    "response.in_progress": Decoder._start,
    "response.queued": Decoder._start,
    "response.output_item.added": Decoder._open_item,
    "response.refusal.delta": Decoder._tell_refusal,
    "response.reasoning_summary_text.delta": Decoder._tell_thought,
    "response.reasoning_text.delta": Decoder._tell_thought,
    "response.function_call_arguments.delta": Decoder._tell_arguments,
    "response.output_text.annotation.added": Decoder._tell_citation,
    "response.output_item.done": Decoder._close_item,
    "response.completed": Decoder._finish,
    "response.incomplete": Decoder._finish,
    "response.failed": Decoder._finish,
    "error": Decoder._report,
}
