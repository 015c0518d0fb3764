"""A stream that passes from a provider to a client of the same dialect: untouched, and read on the way.

It is whole when `message_stop` came; anything else is a cut.
"""

from kernel.errors import GatewayError, UpstreamBroken
from providers.dialects import sse
from providers.dialects.anthropic_messages.errors import encode_error
from providers.dialects.anthropic_messages.events import Delta, WireEvent, read_event
from providers.dialects.anthropic_messages.finish import read_finish
from providers.dialects.anthropic_messages.usage import WireUsage, merge, read_usage
from providers.dialects.canonical import Usage


class AnthropicReader:
    """A `codec.StreamReader`."""

    __slots__ = (
        "_splitter",
        "_usage",
        "accepts",
        "content_type",
        "done",
        "failure",
        "finish_reason",
        "output_bytes",
        "usage",
    )

    def __init__(self) -> None:
        self._splitter = sse.EventSplitter()
        self._usage: WireUsage | None = None
        self.accepts = b"text/event-stream"
        self.content_type = b""
        self.usage: Usage | None = None
        self.finish_reason = ""
        self.output_bytes = 0
        self.done = False
        self.failure: UpstreamBroken | None = None

    def feed(self, data: bytes) -> bytes:
        """Return the events that these bytes finish, up to an error or to the end; sets `failure`, never raises."""
        if self.done or self.failure is not None:
            return b""
        passed: list[bytes] = []
        try:
            for event in self._splitter.feed(data):
                wire = read_event(event)
                passed.append(event)
                if wire is not None:
                    self._note(wire)
                if self.done:
                    break
        except (sse.EventTooLarge, UpstreamBroken) as error:
            self.failure = error if isinstance(error, UpstreamBroken) else UpstreamBroken(str(error))
        return passed[0] if len(passed) == 1 else b"".join(passed)

    def end(self) -> bytes:
        """Return what is still owed when the upstream has ended properly. Raises UpstreamBroken for a cut."""
        left = self.feed(b"\n\n") if self._splitter.rest.strip() else b""
        if self.failure is not None:
            raise self.failure
        if not self.done:
            raise UpstreamBroken("the provider's stream ended before its answer was complete", code="upstream_cut")
        return left

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the event that ends the client's stream with an error."""
        return b"event: error\ndata: " + encode_error(error, request_id=request_id) + b"\n\n"

    def _note(self, wire: WireEvent) -> None:
        if wire.type == "content_block_delta":
            if wire.delta is not None:
                self.output_bytes += _text_bytes(wire.delta)
        elif wire.type == "message_start":
            if wire.message is not None and wire.message.usage is not None:
                self._report(wire.message.usage)
        elif wire.type == "message_delta":
            if wire.delta is not None and wire.delta.stop_reason:
                self.finish_reason = read_finish(wire.delta.stop_reason).value
            if wire.usage is not None:
                self._report(wire.usage)
        elif wire.type == "message_stop":
            self.done = True

    def _report(self, usage: WireUsage) -> None:
        self._usage = merge(self._usage, usage)
        self.usage = read_usage(self._usage) or self.usage


def _text_bytes(delta: Delta) -> int:
    text = delta.text or delta.partial_json or delta.thinking
    return len(text) if text.isascii() else len(text.encode())
