"""Reading a Responses stream as it passes: usage, end, errors. The events pass on as the bytes they came as.

A stream is whole when `response.completed` or `response.incomplete` came; anything else is a cut.
"""

import msgspec

from kernel.errors import GatewayError, UpstreamBroken
from providers.dialects import sse
from providers.dialects.canonical import Usage
from providers.dialects.openai_responses import framing
from providers.dialects.openai_responses.errors import code_of, error_event, response_error
from providers.dialects.openai_responses.response import BODY, Complaint
from providers.dialects.openai_responses.usage import read_usage
from providers.dialects.openai_responses.wire import BROKEN, OBJECT, raw_of

_ABSENT = msgspec.Raw(b"")
_ENDS = frozenset({"response.completed", "response.incomplete"})
_BEGINNINGS = frozenset({"response.created", "response.in_progress"})


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    sequence_number: int = 0
    delta: str | None = None
    response: msgspec.Raw = _ABSENT
    error: msgspec.Raw = _ABSENT
    code: str | None = None
    message: str | None = None


_event = msgspec.json.Decoder(_Event)
_complaint = msgspec.json.Decoder(Complaint)


class StreamReader:
    """Feeds on the upstream's bytes and returns what the client gets; a `codec.StreamReader`."""

    __slots__ = (
        "_response",
        "_sequence_number",
        "_splitter",
        "accepts",
        "content_type",
        "done",
        "failure",
        "finish_reason",
        "output_bytes",
        "usage",
    )

    def __init__(self) -> None:
        self.accepts = b"text/event-stream"
        self.content_type = b""
        self._splitter = sse.EventSplitter()
        self._sequence_number = -1
        self._response: msgspec.Raw | None = None
        self.usage: Usage | None = None
        self.finish_reason = ""
        self.output_bytes = 0
        self.done = False
        self.failure: UpstreamBroken | None = None

    def feed(self, data: bytes) -> bytes:
        """Return what to send on for these bytes; where the provider reports an error, what came before it."""
        if self.failure is not None:
            return b""
        try:
            events = self._splitter.feed(data)
        except sse.EventTooLarge as error:
            self.failure = UpstreamBroken(str(error))
            return b""
        passed = []
        for event in events:
            try:
                self._note(event)
            except UpstreamBroken as error:
                self.failure = error
                break
            passed.append(event)
        return passed[0] if len(passed) == 1 else b"".join(passed)

    def end(self) -> bytes:
        """Return what is still owed when the upstream has ended properly. Raises UpstreamBroken for a cut."""
        if self.failure is not None:
            raise self.failure
        left = self.feed(b"\n\n") if self._splitter.rest.strip() else b""
        if self.failure is not None and self.failure.code != UpstreamBroken.code:
            raise self.failure
        if not self.done:  # half an event is no JSON; that the stream was cut says more
            message = "the provider's stream ended before its answer was complete"
            self.failure = UpstreamBroken(message, code="upstream_cut")
            raise self.failure
        return left

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the `error` event and, where a response had begun, that response as failed."""
        number = self._sequence_number + 1
        said = framing.encode("error", error_event(error, request_id=request_id, sequence_number=number))
        if self._response is None:
            return said
        try:
            failed = OBJECT.decode(self._response)
        except BROKEN:  # it passed unread, and the error is the end all the same
            return said
        failed |= {"status": raw_of("failed"), "error": raw_of(response_error(error))}
        event = {"type": "response.failed", "sequence_number": number + 1, "response": failed}
        return said + framing.encode("response.failed", msgspec.json.encode(event))

    def _note(self, event: bytes) -> None:
        data = framing.data_of(event)
        if data is None or data == framing.DONE:
            return
        try:
            wire = _event.decode(data)
        except msgspec.ValidationError:
            return  # well-formed, only unusual: it is the client's to read
        except BROKEN as error:
            raise UpstreamBroken("the provider's stream holds something that is not JSON") from error
        self._sequence_number = max(self._sequence_number, wire.sequence_number)
        if wire.delta is not None:
            delta = wire.delta
            self.output_bytes += len(delta) if delta.isascii() else len(delta.encode(errors="surrogatepass"))
        elif wire.type in _BEGINNINGS:
            self._response = wire.response
        elif wire.type in _ENDS:
            self._note_end(wire)
        elif wire.type in ("response.failed", "error"):
            raise self._reported(wire)

    def _note_end(self, wire: _Event) -> None:
        self.done = True
        try:
            body = BODY.decode(wire.response)
            self.finish_reason = body.finish.value
        except BROKEN:
            return  # the client may understand it; without usage it is counted by its size
        self.usage = read_usage(body.usage) or self.usage

    def _reported(self, wire: _Event) -> UpstreamBroken:
        try:
            if wire.type == "response.failed":
                body = BODY.decode(wire.response)
                self.usage = read_usage(body.usage) or self.usage
                if body.failure is not None:
                    return body.failure
            nested = Complaint() if wire.error in (_ABSENT, b"null") else _complaint.decode(wire.error)
        except BROKEN:
            nested = Complaint()
        code = code_of(nested.code or wire.code or "") or "upstream_error"
        message = nested.message or wire.message or "the provider reported an error in the stream"
        return UpstreamBroken(message, code=code)
