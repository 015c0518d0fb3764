"""Writing a client's stream: Anthropic's sequence of named events, out of the hub's.

Blocks come one after the other, so a block that is open ends where the next one begins; only a tool call whose
arguments are not whole stays open, for there are providers that mix the calls they make at once. Clients learn the
usage at the end, and what is known of it at the start (Anthropic's page on streaming, November 2026).
"""

from typing import Any

import msgspec

from kernel.errors import GatewayError
from providers.dialects.anthropic_messages.citations import write_citation
from providers.dialects.anthropic_messages.errors import encode_error
from providers.dialects.anthropic_messages.finish import write_reason
from providers.dialects.anthropic_messages.response import image_block, start_of
from providers.dialects.anthropic_messages.signatures import seal, seal_tool
from providers.dialects.anthropic_messages.usage import write_usage
from providers.dialects.canonical import Dialect, Usage
from providers.dialects.codec import Asked
from providers.dialects.conversation import (
    CitationAdded,
    Ended,
    Event,
    Finish,
    Finished,
    Image,
    Opaque,
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

_text = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(dict[str, Any])


def write_event(kind: str, fields: dict[str, Any]) -> bytes:
    """Return one event: its name, and its data, which repeats the name."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode({"type": kind} | fields))


class _Block:
    """A block that is open. `head` is all of a delta but its text."""

    __slots__ = ("dialect", "head", "id", "index", "kind", "pieces", "signature")

    def __init__(self, index: int, kind: str, delta_type: str, field: str) -> None:
        self.index = index
        self.kind = kind
        self.head = (
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":'
            % (index, delta_type.encode(), field.encode())
        )
        self.pieces: list[str] = []
        self.signature = ""
        self.id = ""
        self.dialect: Dialect | None = None

    def delta(self, text: str) -> bytes:
        return self.head + _text(text) + b"}}\n\n"

    @property
    def is_whole(self) -> bool:
        """Tell whether another block may begin only after this one: all but a tool call in the middle."""
        if self.kind != "tool_use":
            return True
        try:
            msgspec.json.decode("".join(self.pieces))
        except msgspec.DecodeError:
            return False
        return True


class AnthropicEncoder:
    """A `codec.StreamEncoder`. Other choices than the first are not told, for the dialect has but one."""

    __slots__ = ("_asked", "_blocks", "_count", "_end", "_open", "_out", "_over", "_start", "_started", "_usage")

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._out: list[bytes] = []
        self._start: Started | None = Started()
        self._started = False
        self._usage: Usage | None = None
        self._open: dict[int, _Block] = {}
        self._count = 0
        self._end: Finished | None = None
        self._over = False

    def encode(self, events: list[Event]) -> bytes:
        """Return the bytes that say these events, perhaps none yet."""
        for event in events:
            if self._over:
                break
            if (
                type(event) is TextDelta and event.part in self._open and not event.choice
            ):  # the usual case, and the hot one
                self._out.append(self._open[event.part].delta(event.text))
            elif not getattr(event, "choice", 0):
                self._write(event)
        if self._started:
            self._say_start()
        return self._taken()

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the event that ends the stream with an error."""
        self._over = True
        return b"event: error\ndata: " + encode_error(error, request_id=request_id) + b"\n\n"

    def _taken(self) -> bytes:
        out = b"".join(self._out)
        self._out.clear()
        return out

    def _write(self, event: Event) -> None:
        match event:
            case Started():
                self._start, self._started = event, True
            case UsageReport():
                self._usage = event.usage
            case Ended():
                self._write_end()
            case Finished():
                self._close_all()
                self._end = event
            case PartEnded():
                self._close(event.part)
            case _:
                self._write_content(event)

    def _write_content(self, event: Event) -> None:
        match event:
            case TextDelta() | RefusalDelta():
                if event.text:
                    self._out.append(self._text_block(event.part).delta(event.text))
            case CitationAdded():
                citation = {"type": "citations_delta", "citation": write_citation(event.citation)}
                self._say_delta(self._text_block(event.part).index, citation)
            case ThinkingDelta():
                self._write_thinking(event)
            case ToolStarted():
                self._start_tool(event)
            case ToolDelta():
                self._write_arguments(event)
            case PartAdded():
                self._write_whole(event.value)

    def _text_block(self, part: int) -> _Block:
        block = self._open.get(part)
        if block is None:
            block = self._begin(part, {"type": "text", "text": ""}, "text_delta", "text")
        return block

    def _write_thinking(self, event: ThinkingDelta) -> None:
        if event.redacted:
            self._say_whole({"type": "redacted_thinking", "data": seal(event.redacted, event.dialect, event.id)})
        if not (event.text or event.signature):
            return
        block = self._open.get(event.part)
        if block is None:
            empty = {"type": "thinking", "thinking": "", "signature": ""}
            block = self._begin(event.part, empty, "thinking_delta", "thinking")
        if event.text:
            self._out.append(block.delta(event.text))
        block.signature += event.signature
        block.id = event.id or block.id
        block.dialect = event.dialect or block.dialect

    def _start_tool(self, event: ToolStarted) -> None:
        if event.signature:
            self._say_whole({"type": "redacted_thinking", "data": seal_tool(event.signature, event.dialect)})
        call = {"type": "tool_use", "id": event.id, "name": event.name, "input": {}}
        self._begin(event.part, call, "input_json_delta", "partial_json")

    def _write_arguments(self, event: ToolDelta) -> None:
        block = self._open.get(event.part)
        if block is not None and event.arguments:
            block.pieces.append(event.arguments)
            self._out.append(block.delta(event.arguments))

    def _write_whole(self, value: object) -> None:
        if isinstance(value, Image):
            self._say_whole(image_block(value))
        elif isinstance(value, Opaque) and value.dialect is Dialect.ANTHROPIC:
            self._write_opaque(_fields.decode(value.raw))

    def _write_opaque(self, fields: dict[str, Any]) -> None:
        """What a server tool was asked comes after its beginning, as clients expect it."""
        if fields.get("type") != "server_tool_use":
            self._say_whole(fields)
            return
        block = self._begin(-1, fields | {"input": {}}, "input_json_delta", "partial_json")
        self._out.append(block.delta(msgspec.json.encode(fields.get("input", {})).decode()))
        self._close(-1)

    def _begin(self, part: int, content: dict[str, Any], delta_type: str, field: str) -> _Block:
        self._say_start()
        for number in [number for number, block in self._open.items() if block.is_whole]:
            self._close(number)
        block = _Block(self._count, content["type"], delta_type, field)
        self._count += 1
        self._open[part] = block
        self._out.append(write_event("content_block_start", {"index": block.index, "content_block": content}))
        return block

    def _say_whole(self, content: dict[str, Any]) -> None:
        self._begin(-1, content, "", "")
        self._close(-1)

    def _say_delta(self, index: int, delta: dict[str, Any]) -> None:
        self._out.append(write_event("content_block_delta", {"index": index, "delta": delta}))

    def _close(self, part: int) -> None:
        block = self._open.pop(part, None)
        if block is None:
            return
        if block.signature:
            signature = seal(block.signature, block.dialect, block.id)
            self._say_delta(block.index, {"type": "signature_delta", "signature": signature})
        self._out.append(write_event("content_block_stop", {"index": block.index}))

    def _close_all(self) -> None:
        self._say_start()
        for part in list(self._open):
            self._close(part)

    def _say_start(self) -> None:
        if self._start is None:
            return
        identity, model = self._start.id or self._asked.answer_id, self._start.model or self._asked.model
        self._start = None
        self._out.append(write_event("message_start", {"message": start_of(identity, model, write_usage(self._usage))}))

    def _write_end(self) -> None:
        self._close_all()
        end = self._end or Finished(Finish.STOP)
        delta = {"stop_reason": write_reason(end.finish), "stop_sequence": end.stop_sequence or None}
        self._out.append(write_event("message_delta", {"delta": delta, "usage": write_usage(self._usage)}))
        self._out.append(write_event("message_stop", {}))
        self._over = True
