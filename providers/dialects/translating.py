"""A stream in one dialect turned into a stream in another, with what accounting needs read on the way."""

from kernel.errors import GatewayError, UpstreamBroken
from providers.dialects.canonical import Usage
from providers.dialects.codec import StreamDecoder, StreamEncoder
from providers.dialects.conversation import (
    Ended,
    Event,
    Failed,
    Finished,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    UsageReport,
)

_WORDS = (ThinkingDelta, RefusalDelta)


class TranslatingReader:
    """Takes a provider's bytes in its dialect and gives the client's bytes in its own; a `codec.StreamReader`.

    What came before an error is told; the error itself is `failure`, and the relay says it.
    """

    __slots__ = (
        "_decoder",
        "_encoder",
        "accepts",
        "content_type",
        "done",
        "failure",
        "finish_reason",
        "output_bytes",
        "usage",
    )

    def __init__(
        self, decoder: StreamDecoder, encoder: StreamEncoder, *, accepts: bytes, content_type: bytes = b""
    ) -> None:
        self._decoder = decoder
        self._encoder = encoder
        self.accepts = accepts
        self.content_type = content_type or b"text/event-stream"
        self.usage: Usage | None = None
        self.finish_reason = ""
        self.output_bytes = 0
        self.done = False
        self.failure: UpstreamBroken | None = None

    def feed(self, data: bytes) -> bytes:
        """Return what to send on for these bytes, perhaps nothing yet."""
        if self.done or self.failure is not None:
            return b""
        return self._tell(self._decoder.feed(data))

    def end(self) -> bytes:
        """Return what is still owed when the upstream has ended properly. Raises UpstreamBroken for a cut."""
        if self.done:
            return b""
        left = self._tell(self._decoder.end()) if self.failure is None else b""
        if self.failure is not None:
            raise self.failure
        if not self.done:
            raise UpstreamBroken("the provider's stream ended before its answer was complete", code="upstream_cut")
        return left

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the bytes that end the client's stream with an error."""
        return self._encoder.fail(error, request_id=request_id)

    def _tell(self, events: list[Event]) -> bytes:
        if not events:
            return b""
        for event in events:
            if type(event) is TextDelta:  # the usual case, and the hot one
                text = event.text
                self.output_bytes += len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
            else:
                self._note(event)
        if self.failure is not None:
            events = events[:-1]
        return self._encoder.encode(events)

    def _note(self, event: Event) -> None:
        if isinstance(event, _WORDS):
            self.output_bytes += len(event.text.encode(errors="surrogatepass"))
        elif isinstance(event, ToolDelta):
            self.output_bytes += len(event.arguments)
        elif isinstance(event, UsageReport):
            self.usage = event.usage
        elif isinstance(event, Finished):
            self.finish_reason = event.finish.value
        elif isinstance(event, Ended):
            self.done = True
        elif isinstance(event, Failed):
            self.failure = event.error
