"""One choice of a stream while it grows: which part the next piece belongs to.

Thoughts may come twice in a chunk, as plain text and in `reasoning_details`; the details count where they carry text.
This gateway's own streams send plain text and, at a thought's end, one detail with all of it and its signature.
"""

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import (
    CitationAdded,
    Event,
    Opaque,
    PartAdded,
    RefusalDelta,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
)
from providers.dialects.openai_chat.annotations import read_annotations
from providers.dialects.openai_chat.parts import ABSENT, is_said, read_content
from providers.dialects.openai_chat.reading import read_images
from providers.dialects.openai_chat.thoughts import Detail, ExtraContent, dialect_of


class Function(msgspec.Struct, gc=False):
    """A piece of a function call."""

    name: str | None = None
    arguments: str | None = None


class CallPiece(msgspec.Struct, gc=False):
    """A piece of a tool call."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None
    extra_content: ExtraContent | None = None


class Delta(msgspec.Struct, gc=False):
    """What a chunk adds to a choice."""

    content: str | list[msgspec.Raw] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Detail] | None = None
    refusal: str | None = None
    tool_calls: list[CallPiece] | None = None
    function_call: Function | None = None
    annotations: list[msgspec.Raw] | None = None
    images: list[msgspec.Raw] | None = None
    audio: msgspec.Raw = ABSENT


class _Call:
    """A tool call that has begun; its name may come after its arguments do."""

    __slots__ = ("id", "part", "pending")

    def __init__(self, call_id: str) -> None:
        self.id = call_id
        self.part = -1
        self.pending = ""


class Growing:
    """The parts of one choice so far."""

    __slots__ = (
        *("_calls", "_has_plain_thoughts", "_is_signed", "_kind", "_last_key", "_next", "_open", "_stream_id"),
        *("_text", "_thought", "choice", "has_calls", "is_finished", "is_refused"),
    )

    def __init__(self, choice: int, stream_id: str) -> None:
        self.choice = choice
        self.is_finished = False
        self.is_refused = False
        self.has_calls = False
        self._stream_id = stream_id
        self._kind = ""
        self._open = -1
        self._next = 0
        self._text = -1
        self._thought: int | str | None = None
        self._is_signed = False
        self._has_plain_thoughts = False
        self._calls: dict[int | str, _Call] = {}
        self._last_key: int | str = 0

    def add(self, delta: Delta, logprobs: msgspec.Raw | None, events: list[Event]) -> None:
        """Append the events of a delta. Raises InvalidRequest or msgspec.ValidationError for what is none."""
        if delta.reasoning_content or delta.reasoning or delta.reasoning_details:
            self._add_thoughts(delta, events)
        content = delta.content
        if content:
            if isinstance(content, str):
                events.append(TextDelta(content, self.text_part(), self.choice, logprobs))
            else:
                self._add_parts(content, events)
        if delta.refusal:
            self.is_refused = True
            events.append(RefusalDelta(delta.refusal, self._part_of("refusal"), self.choice))
        if delta.tool_calls:
            self._add_calls(delta.tool_calls, delta.reasoning_details or [], events)
        if delta.annotations or delta.images or delta.function_call or delta.audio is not ABSENT:
            self._add_rare(delta, events)

    def text_part(self) -> int:
        """Return the number of the text that is being said, a new one where something else was."""
        if self._kind != "text":
            self._text = self._part_of("text")
        return self._open

    def _part_of(self, kind: str) -> int:
        if self._kind != kind:
            self._kind = kind
            self._open = self._new_part()
        return self._open

    def _new_part(self) -> int:
        number = self._next
        self._next = number + 1
        return number

    def _add_thoughts(self, delta: Delta, events: list[Event]) -> None:
        call_ids = {call.id for call in delta.tool_calls or () if call.id}
        details = [detail for detail in delta.reasoning_details or () if detail.id not in call_ids]
        is_detailed = not self._has_plain_thoughts and any(detail.text or detail.summary for detail in details)
        text = delta.reasoning_content or delta.reasoning
        if text and not is_detailed:
            self._has_plain_thoughts = True
            self._add_thought(text, events)
        for detail in details:
            self._add_detail(detail, events)

    def _add_thought(self, text: str, events: list[Event]) -> None:
        if self._kind == "thinking" and self._is_signed:
            self._kind = ""
        if self._kind != "thinking":
            self._thought, self._is_signed = None, False
        events.append(ThinkingDelta(self._part_of("thinking"), self.choice, text=text))

    def _add_detail(self, detail: Detail, events: list[Event]) -> None:
        said = detail.text or detail.summary or ""
        key = detail.index if detail.index is not None else detail.id or None
        if not self._is_of_open_thought(key, is_text=not detail.data, says_more=bool(said)):
            self._kind, self._is_signed = "", False
        text = "" if self._has_plain_thoughts else said
        signature, redacted = detail.signature or "", detail.data or ""
        if not (text or signature or redacted):
            return
        self._thought = key
        is_signed = bool(signature or redacted)
        events.append(
            ThinkingDelta(
                self._part_of("thinking"),
                self.choice,
                text=text,
                signature=signature,
                redacted=redacted,
                id=detail.id or "",
                dialect=dialect_of(detail.format, foreign=False) if is_signed or detail.format else None,
            )
        )
        self._is_signed = self._is_signed or is_signed

    def _is_of_open_thought(self, key: int | str | None, *, is_text: bool, says_more: bool) -> bool:
        if self._kind != "thinking":
            return False
        if self._thought == key:
            return not (self._is_signed and says_more)
        return self._thought is None and is_text and not self._is_signed

    def _add_parts(self, content: list[msgspec.Raw], events: list[Event]) -> None:
        """Add a content that comes in parts, as Mistral's thinking models send it."""
        for part in read_content(content, "content"):
            if isinstance(part, Text) and part.text:
                events.append(TextDelta(part.text, self.text_part(), self.choice))
            elif isinstance(part, Thinking) and part.text:
                self._add_thought(part.text, events)

    def _add_calls(self, pieces: list[CallPiece], details: list[Detail], events: list[Event]) -> None:
        for piece in pieces:
            key = piece.index if piece.index is not None else piece.id or self._last_key
            call = self._calls.get(key)
            if call is None or (piece.id and call.id != piece.id and call.part >= 0):
                call = self._calls[key] = _Call(piece.id or self._name_call())
            self._last_key = key
            self._add_call(call, piece, details, events)

    def _name_call(self) -> str:
        """Name a call that its server left nameless; results have to find it."""
        return f"{self._stream_id or 'call'}_{self.choice}_{self._next}"

    def _add_call(self, call: _Call, piece: CallPiece, details: list[Detail], events: list[Event]) -> None:
        function = piece.function
        if function is None:
            return
        if call.part < 0 and function.name:
            self._kind, self.has_calls = "", True
            call.part = self._new_part()
            signature, dialect = _signature_of(piece, details)
            events.append(ToolStarted(call.id, function.name, call.part, self.choice, signature, dialect))
        arguments = call.pending + (function.arguments or "")
        call.pending = ""
        if call.part < 0:
            call.pending = arguments
        elif arguments:
            events.append(ToolDelta(arguments, call.part, self.choice))

    def _add_rare(self, delta: Delta, events: list[Event]) -> None:
        if delta.function_call is not None:
            self._add_calls([CallPiece(index=-1, function=delta.function_call)], [], events)
        for citation in read_annotations(delta.annotations or []):
            part = self._text if self._text >= 0 else self.text_part()
            events.append(CitationAdded(citation, part, self.choice))
        for image in read_images(delta.images or []):
            self._kind = ""
            events.append(PartAdded(image, self._new_part(), self.choice))
        if is_said(delta.audio):
            self._kind = ""
            sound = Opaque(Dialect.OPENAI, "audio", delta.audio.copy())
            events.append(PartAdded(sound, self._new_part(), self.choice))


def _signature_of(piece: CallPiece, details: list[Detail]) -> tuple[str, Dialect | None]:
    google = piece.extra_content.google if piece.extra_content else None
    if google is not None and google.thought_signature:
        return google.thought_signature, Dialect.GEMINI
    for detail in details:
        if detail.data and detail.id and detail.id == piece.id:
            return detail.data, dialect_of(detail.format, foreign=False)
    return "", None
