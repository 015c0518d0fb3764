"""Reading a provider's stream into the hub's events.

Blocks are numbered by the provider, parts by the hub in the order in which they first say something: a block that stays
empty is no part. A block that only Anthropic has is kept until it is whole.
"""

from typing import Any

import msgspec

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects import sse
from providers.dialects.anthropic_messages.blocks import read_blocks
from providers.dialects.anthropic_messages.citations import read_citation
from providers.dialects.anthropic_messages.events import ABSENT, Delta, Start, WireEvent, read_event
from providers.dialects.anthropic_messages.finish import read_finish
from providers.dialects.anthropic_messages.signatures import unseal
from providers.dialects.anthropic_messages.usage import WireUsage, merge, read_usage
from providers.dialects.conversation import (
    CitationAdded,
    Ended,
    Event,
    Failed,
    Finish,
    Finished,
    Opaque,
    Part,
    PartAdded,
    PartEnded,
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

_fields = msgspec.json.Decoder(dict[str, Any])


class _Open:
    """A block that has begun: the part it is, -1 as long as it says nothing, and what it is kept for."""

    __slots__ = ("input", "opaque", "part", "tool")

    def __init__(self) -> None:
        self.part = -1
        self.tool = False
        self.opaque: Opaque | None = None
        self.input: list[str] = []


class AnthropicDecoder:
    """A `codec.StreamDecoder`."""

    __slots__ = ("_blocks", "_finished", "_over", "_parts", "_splitter", "_usage")

    def __init__(self) -> None:
        self._splitter = sse.EventSplitter()
        self._blocks: dict[int, _Open] = {}
        self._parts = 0
        self._usage: WireUsage | None = None
        self._finished = False
        self._over = False

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that these bytes finish; Failed, and nothing after it, where they are none."""
        events: list[Event] = []
        if self._over:
            return events
        try:
            for event in self._splitter.feed(data):
                wire = read_event(event)
                if wire is not None:
                    self._read(wire, events)
                if self._over:
                    break
        except (sse.EventTooLarge, UpstreamBroken) as error:
            self._over = True
            events.append(Failed(error if isinstance(error, UpstreamBroken) else UpstreamBroken(str(error))))
        except UnicodeDecodeError:  # what is kept raw is not looked at before it is read
            self._over = True
            events.append(Failed(UpstreamBroken("the provider's stream holds something that is not JSON")))
        return events

    def end(self) -> list[Event]:
        """Return what is still owed when the bytes have ended: nothing after message_stop, else Failed."""
        events = self.feed(b"\n\n") if self._splitter.rest.strip() else []
        if not self._over:
            self._over = True
            cut = "the provider's stream ended before its answer was complete"
            events.append(Failed(UpstreamBroken(cut, code="upstream_cut")))
        return events

    def _read(self, wire: WireEvent, events: list[Event]) -> None:
        kind = wire.type
        if kind == "content_block_delta":
            if wire.delta is not None and not self._finished:
                self._read_delta(self._block(wire.index), wire.delta, events)
        elif kind == "content_block_start" and not self._finished:
            self._start_block(wire, events)
        elif kind == "content_block_stop":
            self._stop_block(wire.index, events)
        elif kind == "message_start":
            self._start(wire.message or Start(), events)
        elif kind == "message_delta":
            self._read_end(wire, events)
        elif kind == "message_stop":
            self._stop(events)

    def _block(self, index: int) -> _Open:
        block = self._blocks.get(index)
        if block is None:
            block = self._blocks[index] = _Open()
        return block

    def _part(self, block: _Open) -> int:
        if block.part < 0:
            block.part = self._parts
            self._parts += 1
        return block.part

    def _start(self, start: Start, events: list[Event]) -> None:
        events.append(Started(start.id or "", start.model or ""))
        if start.usage is not None:
            self._report(start.usage, events)

    def _report(self, usage: WireUsage, events: list[Event]) -> None:
        self._usage = merge(self._usage, usage)
        known = read_usage(self._usage)
        if known is not None:
            events.append(UsageReport(known))

    def _start_block(self, wire: WireEvent, events: list[Event]) -> None:
        block = self._blocks[wire.index] = _Open()
        if wire.content_block is ABSENT:
            return
        try:
            parts = read_blocks([wire.content_block], "content_block")
        except InvalidRequest as error:
            raise UpstreamBroken(f"the provider's stream begins a block that is none: {error.message}") from error
        for part in parts:
            self._open(block, part, events)

    def _open(self, block: _Open, part: Part, events: list[Event]) -> None:
        match part:
            case ToolCall():
                block.tool = True
                events.append(ToolStarted(part.id, part.name, part=self._part(block)))
                if part.arguments.strip("{} \t\r\n"):
                    block.input.append(part.arguments)
                    events.append(ToolDelta(part.arguments, part=block.part))
            case Text():
                if part.text:
                    events.append(TextDelta(part.text, part=self._part(block)))
                events += [CitationAdded(citation, part=self._part(block)) for citation in part.citations]
            case Thinking():
                if part.text or part.signature or part.redacted:
                    events.append(_thought(part, self._part(block)))
            case Opaque():
                block.opaque = part

    def _read_delta(self, block: _Open, delta: Delta, events: list[Event]) -> None:
        kind = delta.type
        if kind == "text_delta":
            if delta.text:
                events.append(TextDelta(delta.text, self._part(block)))
        elif kind == "input_json_delta":
            self._read_input(block, delta.partial_json, events)
        elif kind == "thinking_delta":
            if delta.thinking:
                events.append(ThinkingDelta(part=self._part(block), text=delta.thinking))
        elif kind == "signature_delta":
            if delta.signature:
                signature, dialect, identity = unseal(delta.signature)
                part = self._part(block)
                events.append(ThinkingDelta(part=part, signature=signature, id=identity, dialect=dialect))
        elif kind == "citations_delta" and delta.citation is not ABSENT:
            events.append(CitationAdded(read_citation(delta.citation), part=self._part(block)))

    def _read_input(self, block: _Open, piece: str, events: list[Event]) -> None:
        if not piece:
            return
        block.input.append(piece)
        if block.tool:
            events.append(ToolDelta(piece, part=block.part))

    def _stop_block(self, index: int, events: list[Event]) -> None:
        block = self._blocks.pop(index, None)
        if block is None:
            return
        if block.opaque is not None:
            events.append(PartAdded(_completed(block.opaque, block.input), part=self._part(block)))
        elif block.tool and not block.input:
            events.append(ToolDelta("{}", part=block.part))
        if block.part >= 0:
            events.append(PartEnded(block.part))

    def _read_end(self, wire: WireEvent, events: list[Event]) -> None:
        if wire.delta is not None and wire.delta.stop_reason:
            self._finish(read_finish(wire.delta.stop_reason), wire.delta.stop_sequence or "", events)
        if wire.usage is not None:
            self._report(wire.usage, events)

    def _finish(self, finish: Finish, stop_sequence: str, events: list[Event]) -> None:
        if self._finished:
            return
        for index in list(self._blocks):
            self._stop_block(index, events)
        self._finished = True
        events.append(Finished(finish, stop_sequence=stop_sequence))

    def _stop(self, events: list[Event]) -> None:
        self._finish(Finish.STOP, "", events)
        self._over = True
        events.append(Ended())


def _thought(part: Thinking, number: int) -> ThinkingDelta:
    return ThinkingDelta(
        part=number,
        text=part.text,
        signature=part.signature,
        redacted=part.redacted,
        id=part.id,
        dialect=part.dialect,
    )


def _completed(part: Opaque, pieces: list[str]) -> Opaque:
    """Return the block with the input that came after its beginning."""
    if not pieces:
        return part
    fields = _fields.decode(part.raw)
    try:
        fields["input"] = msgspec.json.decode("".join(pieces))
    except msgspec.DecodeError as error:
        raise UpstreamBroken("the provider's stream holds the input of a tool that is not JSON") from error
    return Opaque(part.dialect, part.kind, msgspec.Raw(msgspec.json.encode(fields)))
