"""Reading a stream of Converse (botocore 1.44's ConverseStreamOutput).

Only blocks of tools and pictures have a start of their own; text and reasoning begin with their first delta. Some
servers send an empty start for text too, which is as good as none. `metadata` with the usage follows `messageStop`, so
the answer is whole when both came, or when the bytes ended properly after `messageStop`.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects.bedrock_converse.citations import read_citation
from providers.dialects.bedrock_converse.errors import describe
from providers.dialects.bedrock_converse.finishes import read_finish
from providers.dialects.bedrock_converse.response import read_stop_sequence
from providers.dialects.bedrock_converse.usage import WireUsage, read_usage
from providers.dialects.canonical import Dialect
from providers.dialects.conversation import (
    CitationAdded,
    Ended,
    Event,
    Failed,
    Finished,
    Image,
    PartAdded,
    PartEnded,
    Source,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
    UsageReport,
)
from providers.dialects.eventstream import Frame, FrameSplitter

_ABSENT = msgspec.Raw(b"")


class _Reasoning(msgspec.Struct, gc=False):
    text: str = ""
    signature: str = ""
    redactedContent: str = ""  # noqa: N815 - the wire's own names, here and below


class _Input(msgspec.Struct, gc=False):
    input: str = ""


class _Source(msgspec.Struct, gc=False):
    base64: str = msgspec.field(name="bytes", default="")


class _Image(msgspec.Struct, gc=False):
    source: _Source | None = None


class _Delta(msgspec.Struct, gc=False):
    text: str | None = None
    toolUse: _Input | None = None  # noqa: N815
    reasoningContent: _Reasoning | None = None  # noqa: N815
    citation: msgspec.Raw = _ABSENT
    image: _Image | None = None


class _BlockDelta(msgspec.Struct, gc=False):
    delta: _Delta
    contentBlockIndex: int = 0  # noqa: N815


class _Tool(msgspec.Struct, gc=False):
    toolUseId: str  # noqa: N815
    name: str
    type: str = ""


class _Picture(msgspec.Struct, gc=False):
    format: str = "png"


class _Start(msgspec.Struct, frozen=True, gc=False):
    toolUse: _Tool | None = None  # noqa: N815
    image: _Picture | None = None


class _BlockStart(msgspec.Struct, gc=False):
    start: _Start = _Start()
    contentBlockIndex: int = 0  # noqa: N815


class _BlockStop(msgspec.Struct, gc=False):
    contentBlockIndex: int = 0  # noqa: N815


class _Stop(msgspec.Struct, gc=False):
    stopReason: str = ""  # noqa: N815
    additionalModelResponseFields: Any = None  # noqa: N815


class _Metadata(msgspec.Struct, gc=False):
    usage: WireUsage | None = None


class _Problem(msgspec.Struct, gc=False):
    message: str = ""


_delta = msgspec.json.Decoder(_BlockDelta)
_start = msgspec.json.Decoder(_BlockStart)
_block_stop = msgspec.json.Decoder(_BlockStop)
_stop = msgspec.json.Decoder(_Stop)
_metadata = msgspec.json.Decoder(_Metadata)
_problem = msgspec.json.Decoder(_Problem)


class ConverseStreamDecoder:
    """Turns frames into events; a `codec.StreamDecoder`.

    Parts are numbered in the order they begin in, whatever the provider's indexes. Blocks of tools that ran on the
    vendor's side have no part.
    """

    __slots__ = ("_bare_tools", "_formats", "_is_over", "_parts", "_readers", "_splitter", "_stopped", "_tools")

    def __init__(self) -> None:
        self._splitter = FrameSplitter()
        self._parts: dict[int, int] = {}  # the provider's index -> part
        self._tools: set[int] = set()  # indexes of tool calls
        self._bare_tools: set[int] = set()  # of which nothing but the name came yet
        self._formats: dict[int, str] = {}  # of pictures
        self._stopped = False
        self._is_over = False
        self._readers: dict[Any, Callable[[bytes], list[Event]]] = {
            "contentBlockDelta": self._read_delta,
            "contentBlockStart": self._read_start,
            "contentBlockStop": self._read_block_stop,
            "messageStart": lambda payload: [Started()],
            "messageStop": self._read_stop,
            "metadata": self._read_metadata,
        }

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that these bytes finish; Failed, and nothing after it, where they are none."""
        if self._is_over:
            return []
        events: list[Event] = []
        for frame in self._splitter.feed(data):
            events += self._read(frame)
            if self._is_over:
                return events
        if self._splitter.broken is not None:
            events += self._fail(UpstreamBroken(f"the provider's stream is broken: {self._splitter.broken}"))
        return events

    def end(self) -> list[Event]:
        """Return what is still owed when the bytes have ended properly: Ended, or Failed for a stream cut short."""
        if self._is_over:
            return []
        if self._stopped and not self._splitter.rest:
            self._is_over = True
            return [Ended()]
        message = "the provider's stream ended before its answer was complete"
        return self._fail(UpstreamBroken(message, code="upstream_cut"))

    def _fail(self, error: UpstreamBroken) -> list[Event]:
        self._is_over = True
        return [Failed(error)]

    def _read(self, frame: Frame) -> list[Event]:
        headers = frame.headers
        try:
            if headers.get(":message-type", "event") != "event":
                return self._fail(_read_problem(frame))
            kind = headers.get(":event-type")
            read = self._readers.get(kind) if not self._stopped or kind == "metadata" else None
            return read(frame.payload) if read is not None else []
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return self._fail(UpstreamBroken(f"the provider's stream holds an event that is none: {error}"))

    def _read_delta(self, payload: bytes) -> list[Event]:
        wire = _delta.decode(payload)
        delta, index = wire.delta, wire.contentBlockIndex
        if delta.text is not None:
            return [TextDelta(delta.text, self._part(index))] if delta.text else []
        if delta.toolUse is not None:
            return self._read_input(index, delta.toolUse.input)
        if delta.reasoningContent is not None:
            return self._read_reasoning(index, delta.reasoningContent)
        if delta.citation is not _ABSENT:
            citation = read_citation(delta.citation)
            return [CitationAdded(citation, self._part(index))] if citation is not None else []
        return self._read_image(index, delta.image)

    def _read_input(self, index: int, text: str) -> list[Event]:
        if not text or index not in self._tools:
            return []
        self._bare_tools.discard(index)
        return [ToolDelta(text, self._parts[index])]

    def _read_reasoning(self, index: int, wire: _Reasoning) -> list[Event]:
        if not (wire.text or wire.signature or wire.redactedContent):
            return []
        thought = ThinkingDelta(
            self._part(index),
            text=wire.text,
            signature=wire.signature,
            redacted=wire.redactedContent,
            dialect=Dialect.CONVERSE,
        )
        return [thought]

    def _read_image(self, index: int, wire: _Image | None) -> list[Event]:
        if wire is None or wire.source is None or not wire.source.base64 or index in self._parts:
            return []
        source = Source(data=wire.source.base64, media_type=f"image/{self._formats.get(index, 'png')}")
        return [PartAdded(Image(source), self._part(index))]

    def _read_start(self, payload: bytes) -> list[Event]:
        wire = _start.decode(payload)
        index, tool = wire.contentBlockIndex, wire.start.toolUse
        if wire.start.image is not None:
            self._formats[index] = wire.start.image.format
        if tool is None or tool.type:  # one with a type runs on the vendor's side
            return []
        self._tools.add(index)
        self._bare_tools.add(index)
        return [ToolStarted(tool.toolUseId, tool.name, self._part(index))]

    def _read_block_stop(self, payload: bytes) -> list[Event]:
        index = _block_stop.decode(payload).contentBlockIndex
        part = self._parts.get(index)
        if part is None:
            return []
        ended = PartEnded(part)
        if index in self._bare_tools:  # a tool without arguments sends none; whole answers say {}
            self._bare_tools.discard(index)
            return [ToolDelta("{}", part), ended]
        return [ended]

    def _read_stop(self, payload: bytes) -> list[Event]:
        wire = _stop.decode(payload)
        self._stopped = True
        sequence = read_stop_sequence(wire.additionalModelResponseFields)
        return [Finished(read_finish(wire.stopReason), stop_sequence=sequence)]

    def _read_metadata(self, payload: bytes) -> list[Event]:
        usage = read_usage(_metadata.decode(payload).usage)
        events: list[Event] = [UsageReport(usage)] if usage is not None else []
        if self._stopped:
            self._is_over = True
            events.append(Ended())
        return events

    def _part(self, index: int) -> int:
        return self._parts.setdefault(index, len(self._parts))


def _read_problem(frame: Frame) -> UpstreamBroken:
    """Return what an exception says, which the service modelled, or an error, which it did not."""
    headers = frame.headers
    kind = headers.get(":exception-type") or headers.get(":error-code") or "the stream's error"
    said = headers.get(":error-message") or (_problem.decode(frame.payload).message if frame.payload else "")
    report = describe(str(kind), str(said))
    return UpstreamBroken(report.message, code=report.code or "upstream_error")
