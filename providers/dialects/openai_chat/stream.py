"""Reading a stream as it passes: usage, finish, errors, and the few events that must change.

Events pass on as the bytes they came as, but for two: the usage chunk that only the gateway asked for is kept from
the client, and the one the client asked for gets the cost added. A stream is whole when `[DONE]` came, or when every
choice named its finish reason; anything else is a cut.
"""

from collections.abc import Callable

import msgspec

from kernel.errors import GatewayError, UpstreamBroken
from providers.dialects import sse
from providers.dialects.canonical import Usage
from providers.dialects.openai_chat.errors import encode_error, reported
from providers.dialects.openai_chat.usage import WireUsage, read_usage

DONE = b"data: [DONE]\n\n"
_ABSENT = msgspec.Raw(b"")


class _Function(msgspec.Struct, gc=False):
    arguments: str | None = None


class _ToolCall(msgspec.Struct, gc=False):
    function: _Function | None = None


class _Delta(msgspec.Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct, gc=False):
    index: int = 0
    delta: _Delta | None = None
    text: str | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: WireUsage | None = None
    error: msgspec.Raw = _ABSENT


_chunk = msgspec.json.Decoder(_Chunk)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class StreamReader:
    """Feeds on the upstream's bytes and returns what the client gets.

    `cost_of` turns the reported usage into a JSON number of USD, or None where there is no price; it is asked at
    most once a usage chunk, and only for a client that wanted usage.
    """

    __slots__ = (
        "_cost_of",
        "_open_choices",
        "_splitter",
        "_wants_usage",
        "accepts",
        "content_type",
        "done",
        "failure",
        "finish_reason",
        "output_bytes",
        "usage",
    )

    def __init__(self, *, wants_usage: bool, cost_of: Callable[[Usage], bytes | None]) -> None:
        self._splitter = sse.EventSplitter()
        self._wants_usage = wants_usage
        self._cost_of = cost_of
        self._open_choices: set[int] = set()
        self.accepts = b"text/event-stream"
        self.content_type = b""
        self.usage: Usage | None = None
        self.finish_reason = ""
        self.output_bytes = 0
        self.done = False
        self.failure: UpstreamBroken | None = None

    @property
    def complete(self) -> bool:
        """Tell whether the stream may end here as a success."""
        return self.done or (bool(self.finish_reason) and not self._open_choices)

    def feed(self, data: bytes) -> bytes:
        """Return what to send on for these bytes, perhaps nothing yet.

        Where the provider reports an error in the stream, or sends something else, `failure` is set and what came
        before it is returned; nothing after it is.
        """
        if self.failure is not None:
            return b""
        try:
            if not self._splitter.rest and sse.is_one_line(data):  # the usual case, and the hot one
                return self._pass_data(data, data[6:-2])
            events = self._splitter.feed(data)
            if len(events) == 1:
                return self._pass(events[0])
        except (sse.EventTooLarge, UpstreamBroken) as error:
            self._fail(error)
            return b""
        return self._pass_all(events)

    def end(self) -> bytes:
        """Return what is still owed when the upstream has ended properly. Raises UpstreamBroken for a cut."""
        left = b""
        if self._splitter.rest.strip():  # a last event without its blank line
            left = self.feed(b"\n\n")
        if self.failure is not None:
            raise self.failure
        if not self.complete:
            raise UpstreamBroken("the provider's stream ended before its answer was complete", code="upstream_cut")
        if self.done:
            return left
        self.done = True
        return left + DONE

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the event that ends the client's stream with an error."""
        return sse.encode(encode_error(error, request_id=request_id))

    def _pass_all(self, events: list[bytes]) -> bytes:
        passed = []
        for event in events:
            try:
                passed.append(self._pass(event))
            except UpstreamBroken as error:
                self._fail(error)
                break
        return b"".join(passed)

    def _fail(self, error: sse.EventTooLarge | UpstreamBroken) -> None:
        self.failure = error if isinstance(error, UpstreamBroken) else UpstreamBroken(str(error))

    def _pass(self, event: bytes) -> bytes:
        data = sse.data_of(event)
        return event if data is None else self._pass_data(event, data)

    def _pass_data(self, event: bytes, data: bytes) -> bytes:
        if data == b"[DONE]":
            self.done = True
            return event
        try:
            chunk = _chunk.decode(data)
        except msgspec.ValidationError:
            return event  # well-formed, only unusual: it is the client's to read
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UpstreamBroken("the provider's stream holds something that is not JSON") from error
        if chunk.error is not _ABSENT and bytes(chunk.error) != b"null":
            raise reported(data)
        if chunk.choices:
            self._note_choices(chunk.choices)
        if chunk.usage is not None:
            return self._pass_usage(event, data, chunk)
        return event

    def _note_choices(self, choices: list[_Choice]) -> None:
        for choice in choices:
            text = choice.text if choice.delta is None else choice.delta.content or _other_text(choice.delta)
            if text:
                self.output_bytes += len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
            if choice.finish_reason:
                self.finish_reason = choice.finish_reason
                self._open_choices.discard(choice.index)
            else:
                self._open_choices.add(choice.index)

    def _pass_usage(self, event: bytes, data: bytes, chunk: _Chunk) -> bytes:
        assert chunk.usage is not None
        usage = read_usage(chunk.usage)
        if usage is not None:
            self.usage = usage
        if not self._wants_usage:
            return event if chunk.choices else b""
        cost = self._cost_of(usage) if usage is not None else None
        if cost is None:
            return event
        try:
            return sse.encode(with_cost(data, cost))
        except UnicodeDecodeError as error:
            raise UpstreamBroken("the provider's stream holds something that is not JSON") from error


def _other_text(delta: _Delta) -> str:
    text = delta.reasoning_content or delta.reasoning or delta.refusal or ""
    for call in delta.tool_calls or ():
        if call.function is not None and call.function.arguments:
            text += call.function.arguments
    return text


def with_cost(data: bytes, cost: bytes) -> bytes:
    """Return a chunk whose usage names its cost; a provider's own stands beside it as `upstream_cost`."""
    fields = _object.decode(data)
    usage = _object.decode(fields["usage"])
    if "cost" in usage:
        usage["upstream_cost"] = usage["cost"]
    usage["cost"] = msgspec.Raw(cost)
    fields["usage"] = msgspec.Raw(msgspec.json.encode(usage))
    return msgspec.json.encode(fields)
