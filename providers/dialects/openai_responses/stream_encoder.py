"""The hub's events as a Responses stream: every item opened, closed, and told once more in the response at the end.

Texts, refusals and thoughts stand one at a time; calls may run beside each other, each under its own `output_index`.
"""

from typing import TypeAlias

from kernel.errors import GatewayError
from providers.dialects.canonical import Usage
from providers.dialects.codec import Asked, CostOf
from providers.dialects.conversation import (
    CitationAdded,
    Ended,
    Event,
    Finish,
    Finished,
    PartAdded,
    PartEnded,
    RefusalDelta,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
    UsageReport,
)
from providers.dialects.openai_responses import framing
from providers.dialects.openai_responses.ending import status_of
from providers.dialects.openai_responses.errors import error_event, response_error
from providers.dialects.openai_responses.output_items import ItemIds, write_item
from providers.dialects.openai_responses.resource import Resource, resource_of
from providers.dialects.openai_responses.response import finished
from providers.dialects.openai_responses.stream_parts import (
    OpenCall,
    OpenMessage,
    OpenRefusal,
    OpenText,
    OpenThought,
    Transcript,
)
from providers.dialects.openai_responses.usage import write_usage

_Open: TypeAlias = OpenText | OpenRefusal | OpenThought | OpenCall


class Encoder:
    """Writes one stream; a `codec.StreamEncoder`."""

    __slots__ = ("_asked", "_cost_of", "_finish", "_message", "_open", "_over", "_resource", "_transcript", "_usage")

    def __init__(self, asked: Asked, cost_of: CostOf) -> None:
        self._asked = asked
        self._cost_of = cost_of
        self._transcript = Transcript(ItemIds(asked.answer_id))
        self._resource: Resource | None = None
        self._open: dict[int, _Open] = {}
        self._message: OpenMessage | None = None
        self._finish: Finish | None = None
        self._usage: Usage | None = None
        self._over = False

    def encode(self, events: list[Event]) -> bytes:
        """Return the bytes that say these events."""
        for event in events:
            if type(event) is TextDelta and type(part := self._open.get(event.part)) is OpenText and not event.choice:
                part.add(event)  # the usual case, and the hot one
            elif not self._over:
                self._tell(event)
        return self._transcript.take()

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the bytes that end the stream with an error: the `error` event, then the failed response."""
        if self._over:
            return b""
        self._over = True
        self._open.clear()
        number = self._transcript.next_number()
        said = framing.encode("error", error_event(error, request_id=request_id, sequence_number=number))
        failed = self._begun("") | {
            "status": "failed",
            "error": response_error(error),
            "output": self._transcript.output,
            "usage": write_usage(self._usage),
        }
        self._transcript.say("response.failed", response=failed)
        return said + self._transcript.take()

    def _tell(self, event: Event) -> None:
        match event:
            case Started():
                self._start(event.model)
            case TextDelta() | RefusalDelta() | ThinkingDelta() | ToolStarted() | ToolDelta() | CitationAdded():
                self._grow(event)
            case PartAdded() if event.choice == 0:
                self._settle(keep_calls=True)
                items = write_item(event.value, self._transcript.ids, self._transcript.item_count)
                self._transcript.say_items(items)
            case PartEnded() if event.choice == 0:
                self._close(event.part)
            case Finished() if event.choice == 0:
                self._finish = event.finish
                self._settle(status="incomplete" if status_of(event.finish) == "incomplete" else "completed")
            case UsageReport():
                self._usage = event.usage
            case Ended():
                self._end()

    def _grow(self, event: TextDelta | RefusalDelta | ThinkingDelta | ToolStarted | ToolDelta | CitationAdded) -> None:
        """Add to the part that an event belongs to; of several choices only the first can be told."""
        if event.choice != 0 or event in (TextDelta("", event.part), RefusalDelta("", event.part)):
            return
        self._start("")
        match event, self._open.get(event.part):
            case ToolStarted(), _:
                self._settle(keep_calls=True)
                self._open[event.part] = OpenCall(self._transcript, event)
            case ToolDelta(), OpenCall() as call:
                call.add(event)
            case TextDelta() | CitationAdded(), part:
                text = part if isinstance(part, OpenText) else self._open_text(event.part)
                text.add(event) if isinstance(event, TextDelta) else text.cite(event.citation)
            case RefusalDelta(), part:
                (part if isinstance(part, OpenRefusal) else self._open_refusal(event.part)).add(event)
            case ThinkingDelta(), part:
                (part if isinstance(part, OpenThought) else self._open_thought(event)).add(event)

    def _open_text(self, part: int) -> OpenText:
        made = self._open[part] = OpenText(self._transcript, self._ensure_message())
        return made

    def _open_refusal(self, part: int) -> OpenRefusal:
        made = self._open[part] = OpenRefusal(self._transcript, self._ensure_message())
        return made

    def _open_thought(self, event: ThinkingDelta) -> OpenThought:
        self._settle(keep_calls=True)
        made = self._open[event.part] = OpenThought(self._transcript, event)
        return made

    def _ensure_message(self) -> OpenMessage:
        """Return the open message, ready for another part of its content."""
        self._close_words()
        if self._message is None:
            self._message = OpenMessage(self._transcript)
        return self._message

    def _settle(self, *, keep_calls: bool = False, status: str = "completed") -> None:
        """Close what is open; calls may stay open while something else begins."""
        self._close_words(status)
        if self._message is not None:
            self._message.close(status)
            self._message = None
        for part in [] if keep_calls else list(self._open):
            self._close(part, status)

    def _close_words(self, status: str = "completed") -> None:
        for part, opened in list(self._open.items()):
            if not isinstance(opened, OpenCall):
                self._close(part, status)

    def _close(self, part: int, status: str = "completed") -> None:
        opened = self._open.pop(part, None)
        if opened is not None:
            opened.close(status)

    def _begun(self, model: str) -> Resource:
        if self._resource is None:
            self._resource = resource_of(self._asked, model=model)
        return self._resource

    def _start(self, model: str) -> None:
        if self._resource is not None:
            return
        begun = self._begun(model)
        self._transcript.say("response.created", response=begun)
        self._transcript.say("response.in_progress", response=begun)

    def _end(self) -> None:
        self._start("")
        self._settle()
        self._over = True
        cost = self._cost_of(self._usage) if self._usage is not None else None
        answered = {"output": self._transcript.output, "usage": write_usage(self._usage, cost)}
        response = finished(self._begun("") | answered, self._finish or Finish.STOP)
        self._transcript.say(f"response.{response['status']}", response=response)
