"""What an answer of no known dialect says that it used, told by the shape of what it reports.

For bytes that pass through the gateway unread. Only the texts that hold one of `MARKS` are decoded, so that a long
stream costs a search. Shapes: those that the dialects' own modules describe, Cohere's `billed_units`, and the
`amazon-bedrock-invocationMetrics` and `x-amzn-bedrock-*-token-count` of Bedrock's InvokeModel (AWS, "InvokeModel" and
"InvokeModelWithResponseStream", November 2026).
"""

from base64 import b64decode
from binascii import Error as Base64Broken
from math import isfinite
from typing import Any, TypeVar

import msgspec

from providers.dialects import sse
from providers.dialects.anthropic_messages import usage as anthropic
from providers.dialects.bedrock_converse import usage as converse
from providers.dialects.canonical import Usage
from providers.dialects.codec import HeaderOf
from providers.dialects.eventstream import FrameSplitter
from providers.dialects.gemini_generate import usage as gemini
from providers.dialects.openai_chat import usage as openai
from providers.dialects.openai_media import usage as media
from providers.dialects.openai_responses import usage as responses

MARKS = (b'"usage"', b'"usageMetadata"', b'"billed_units"', b'-invocationMetrics"')
WHOLE_BYTES_MAX = 8 * 1024 * 1024
_METRICS = "amazon-bedrock-invocationMetrics"
_INPUT_HEADER, _OUTPUT_HEADER = b"x-amzn-bedrock-input-token-count", b"x-amzn-bedrock-output-token-count"
_INSIDE = ("response", "message", "delta", "meta")  # where events wrap an answer
_MESSAGE_TYPES = frozenset({"message", "message_start", "message_delta"})
_CACHE_COUNTS = frozenset({"cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation"})
_MEDIA_COUNTS = frozenset({"seconds", "input_token_details"})
_OPENAI_COUNTS = frozenset({"prompt_tokens", "completion_tokens"})
_CONVERSE_COUNTS = frozenset({"inputTokens", "outputTokens"})
_PLAIN_COUNTS = frozenset({"input_tokens", "output_tokens", *_MEDIA_COUNTS})

W = TypeVar("W")


class Report:
    """What was reported so far: the last usage (parts of one that came apart are put together), and the model."""

    __slots__ = ("_message_usage", "model", "usage")

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.model = ""
        self._message_usage: anthropic.WireUsage | None = None

    def note(self, text: bytes) -> None:
        """Take in one JSON text; anything else says nothing."""
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                self._note_object(item)

    def note_headers(self, header: HeaderOf) -> None:
        """Take in what Bedrock counts in an answer's head."""
        counts = [_count_in(header(name)) for name in (_INPUT_HEADER, _OUTPUT_HEADER)]
        if any(count is not None for count in counts):
            self.usage = Usage(input_tokens=counts[0] or 0, output_tokens=counts[1] or 0)

    def _note_object(self, value: dict[str, Any]) -> None:
        for name in _INSIDE:
            if isinstance(inner := value.get(name), dict):
                self._note_object(inner)
        model = value.get("model") or value.get("modelVersion")
        if isinstance(model, str):
            self.model = model
        usage = self._read(value)
        if usage is not None:
            self.usage = usage

    def _read(self, value: dict[str, Any]) -> Usage | None:
        if isinstance(metadata := value.get("usageMetadata"), dict):
            return gemini.read_usage(_convert(metadata, gemini.WireUsage))
        if isinstance(found := value.get("usage"), dict):
            return self._read_usage(found, kind=value.get("type"))
        if isinstance(billed := value.get("billed_units"), dict):
            return _read_billed(billed)
        if isinstance(metrics := value.get(_METRICS), dict) and self._message_usage is None:
            return _read_metrics(metrics)
        return None

    def _read_usage(self, found: dict[str, Any], *, kind: Any) -> Usage | None:
        names = found.keys()
        if isinstance(billed := found.get("billed_units"), dict):
            return _read_billed(billed)
        if names & _CONVERSE_COUNTS:
            return converse.read_usage(_convert(found, converse.WireUsage))
        if names & _CACHE_COUNTS or (kind in _MESSAGE_TYPES and names & _PLAIN_COUNTS):
            return self._read_message(found)
        if names & _OPENAI_COUNTS or not names & _PLAIN_COUNTS:
            wire = _convert(found, openai.WireUsage)
            return openai.read_usage(wire) if wire is not None else None
        if names & _MEDIA_COUNTS:
            return media.read_usage(_convert(found, media.MediaUsage))
        return responses.read_usage(_convert(found, responses.WireUsage))

    def _read_message(self, found: dict[str, Any]) -> Usage | None:
        wire = _convert(found, anthropic.WireUsage)
        if wire is None:
            return None
        self._message_usage = anthropic.merge(self._message_usage, wire)
        return anthropic.read_usage(self._message_usage)


class AnswerScan:
    """Reads a report out of an answer's bytes as they pass; the content type says how they are framed. Never raises.

    `whole` has the bytes of a JSON answer for as long as they are no more than WHOLE_BYTES_MAX, else None.
    """

    __slots__ = ("_events", "_frames", "_kept", "_kept_bytes", "report")

    def __init__(self, content_type: bytes) -> None:
        kind = content_type.partition(b";")[0].strip().lower()
        self.report = Report()
        self._events = sse.EventSplitter() if kind == b"text/event-stream" else None
        self._frames = FrameSplitter() if kind == b"application/vnd.amazon.eventstream" else None
        is_json = kind == b"application/json" or kind.endswith(b"+json")
        self._kept: list[bytes] | None = [] if is_json else None
        self._kept_bytes = 0

    @property
    def whole(self) -> bytes | None:
        """Return the whole answer, once it is all in."""
        return None if self._kept is None else b"".join(self._kept)

    def feed(self, data: bytes) -> None:
        """Take in the next bytes."""
        if self._events is not None:
            self._feed_events(self._events, data)
        elif self._frames is not None:
            for frame in self._frames.feed(data):
                self._note_frame(frame.payload)
        elif self._kept is not None:
            self._keep(self._kept, data)

    def end(self) -> None:
        """Take in the end."""
        if self._events is not None and self._events.rest.strip():  # a last event without its blank line
            self._feed_events(self._events, b"\n\n")
        if self._kept:
            self.report.note(b"".join(self._kept))

    def _feed_events(self, splitter: sse.EventSplitter, data: bytes) -> None:
        try:
            events = splitter.feed(data)
        except sse.EventTooLarge:
            self._events = None
            return
        for event in events:
            if _is_marked(event):
                self.report.note(sse.data_of(event) or b"")

    def _note_frame(self, payload: bytes) -> None:
        if b'"bytes"' in payload:
            payload = _unwrap(payload)
        if _is_marked(payload):
            self.report.note(payload)

    def _keep(self, kept: list[bytes], data: bytes) -> None:
        self._kept_bytes += len(data)
        if self._kept_bytes > WHOLE_BYTES_MAX:
            self._kept = None
        else:
            kept.append(data)


class _Chunk(msgspec.Struct):
    encoded: str = msgspec.field(name="bytes", default="")


class _Billed(msgspec.Struct):
    input_tokens: float | None = None
    output_tokens: float | None = None
    search_units: float | None = None


class _Metrics(msgspec.Struct, rename="camel"):
    input_token_count: int | None = None
    output_token_count: int | None = None
    cache_read_input_token_count: int | None = None
    cache_write_input_token_count: int | None = None


def _read_billed(found: dict[str, Any]) -> Usage | None:
    wire = _convert(found, _Billed)
    if wire is None:
        return None
    usage = Usage(
        input_tokens=_whole(wire.input_tokens),
        output_tokens=_whole(wire.output_tokens),
        searches=_whole(wire.search_units),
    )
    return None if usage == Usage() else usage


def _read_metrics(found: dict[str, Any]) -> Usage | None:
    wire = _convert(found, _Metrics)
    if wire is None:
        return None
    cached, written = _whole(wire.cache_read_input_token_count), _whole(wire.cache_write_input_token_count)
    return Usage(
        input_tokens=_whole(wire.input_token_count) + cached + written,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        output_tokens=_whole(wire.output_token_count),
    )


def _convert(value: dict[str, Any], kind: type[W]) -> W | None:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None


def _unwrap(payload: bytes) -> bytes:
    """Return the model's own event out of a frame of InvokeModel's stream."""
    try:
        return b64decode(msgspec.json.decode(payload, type=_Chunk).encoded)
    except (msgspec.DecodeError, UnicodeDecodeError, Base64Broken):
        return payload


def _is_marked(text: bytes) -> bool:
    return any(mark in text for mark in MARKS)


def _count_in(value: bytes | None) -> int | None:
    return int(value) if value is not None and value.isdigit() and len(value) < 16 else None


def _whole(count: float | None) -> int:
    return int(count) if count is not None and isfinite(count) and count > 0 else 0
