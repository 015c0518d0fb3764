"""One connection to an upstream: httptools in, bytes out, one exchange at a time.

    READY ──exchange()──▶ HEAD ──response head──▶ BODY ──last byte──▶ READY (kept) or CLOSED
      │                    │                       │
      └────────────────────┴── lost, late, bad ────┴────────────────▶ CLOSED

Cost decides the shape. One future a wait and no task; one alarm that rings rarely; a parser that lives as long as the
connection; and one read buffer for all connections of a client, which uvloop fills without making an object of it
(under TLS it would otherwise map and unmap 256 KiB of memory for every record).
"""

import asyncio
import math
from typing import Final, Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from providers.adapters.http.alarm import Alarm
from providers.adapters.http.errors import (
    BrokenResponse,
    FirstByteTimeout,
    IdleTimeout,
    StaleConnection,
    TotalTimeout,
    UpstreamIOError,
)
from providers.adapters.http.head import cut_head
from providers.adapters.http.messages import DEFAULT_TIMEOUTS, Segments, UpstreamRequest, slices_of
from providers.adapters.http.response import UpstreamResponse

MAX_BUFFERED_BYTES: Final = 64 * 1024
"""Past this much unread body the socket is not read any further."""
ONE_WRITE_BYTES: Final = 64 * 1024
"""Up to this size a body goes out with its head; larger ones follow in slices, as fast as the peer takes them."""
STALE_WINDOW_S: Final = 2.0
"""A kept connection that dies later than this after the request was not stale: the upstream had the request and gave
up on it, and sending it again could be paid for twice."""

_READY: Final = 0
_HEAD: Final = 1
_BODY: Final = 2
_CLOSED: Final = 3

_CLOCK_SLACK_S: Final = 0.002  # uvloop counts whole milliseconds
_SWITCHED: Final = "the upstream switched protocols unasked"


class Owner(Protocol):
    """The pool as a connection sees it."""

    read_buffer: memoryview
    """Lent to one connection at a time, for as long as it takes to parse what was read."""
    max_header_bytes: int

    def released(self, connection: "Connection") -> None: ...
    def lost(self, connection: "Connection") -> None: ...


class Connection(asyncio.BufferedProtocol):
    """An asyncio protocol that does one request after the other."""

    __slots__ = (
        "_alarm",
        "_answer",
        "_begun_at",
        "_deadline_at",
        "_drained",
        "_framing_bytes",
        "_head",
        "_heard_at",
        "_interim_count",
        "_is_head_request",
        "_keep",
        "_loop",
        "_message_ended",
        "_owner",
        "_parser",
        "_read_paused",
        "_response",
        "_state",
        "_timeouts",
        "_total_at",
        "_transport",
        "_use_count",
        "_violation",
        "_write_paused",
        "_writing",
    )

    def __init__(self, *, loop: asyncio.AbstractEventLoop, owner: Owner) -> None:
        self._loop = loop
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._state = _READY
        self._use_count = 0
        self._head = b""
        self._interim_count = 0
        self._framing_bytes = 0
        self._answer: asyncio.Future[UpstreamResponse] | None = None
        self._response: UpstreamResponse | None = None
        self._drained: asyncio.Future[None] | None = None
        self._violation: str | None = None
        self._keep = self._message_ended = self._is_head_request = False
        self._read_paused = self._write_paused = self._writing = False
        self._alarm = Alarm(loop, self._check_clock)
        self._timeouts = DEFAULT_TIMEOUTS
        self._begun_at = self._heard_at = 0.0
        self._total_at = self._deadline_at = math.inf

    # The pool's and the client's side

    @property
    def is_usable(self) -> bool:
        """Whether a request can be sent now, as far as this side knows."""
        return self._state == _READY and self._transport is not None and not self._transport.is_closing()

    async def exchange(self, request: UpstreamRequest, *, head: bytes, total_at: float) -> UpstreamResponse:
        """Send a request and give its response once the head is in.

        Raises StaleConnection, BrokenResponse, FirstByteTimeout, TotalTimeout. Cancellation aborts the connection.
        """
        transport = self._transport
        if transport is None or not self.is_usable:
            raise StaleConnection("the connection closed before the request", sent=False)
        answer = self._begin(request, total_at)
        try:
            body = request.body
            if isinstance(body, bytes) and len(body) <= ONE_WRITE_BYTES:
                transport.write(head + body)
            else:
                await self._write_in_slices(transport, head, body)
            return await answer
        except BaseException:
            self._give_up(answer)
            raise

    def expire_at(self, deadline_at: float) -> None:
        """Close the connection at that time unless it is used again."""
        self._deadline_at = deadline_at
        self._alarm.ring_by(deadline_at)

    def abort(self) -> None:
        """Close the socket now, without waiting for anything to be sent or said."""
        self._state = _CLOSED
        if self._transport is not None:
            self._transport.abort()

    def shut(self, reason: str) -> None:
        """Abort, and tell whoever waits for this connection why."""
        if self._state in (_HEAD, _BODY):
            self._fail(BrokenResponse(reason, sent=True))
        else:
            self.abort()

    def resume(self) -> None:
        """Read on: the response's buffer was emptied."""
        transport = self._transport
        if self._read_paused and transport is not None and not transport.is_closing():
            self._read_paused = False
            self._heard_at = self._loop.time()
            self._alarm.ring_by(self._next_deadline_at())
            transport.resume_reading()

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._owner.read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        data = self._owner.read_buffer[:nbytes]
        if self._state == _BODY:
            self._feed(data)
        elif self._state == _HEAD:
            self._head += data
            self._feed(data)
        elif self._state == _READY:
            # Nothing was asked: some servers say 408 before they hang up. It answers no request of ours.
            self.abort()

    def eof_received(self) -> bool:
        if self._state == _BODY and self._response is not None and self._response.ends_with_connection:
            self._keep = False
            self._end_exchange()
        else:
            self._lost(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(exc)
        self._alarm.stop()
        # The parser holds this object's bound methods: without it no circle is left for the collector.
        self._parser = None
        self._transport = None
        self._owner.lost(self)

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._wake_writer()

    # The parser's side. These run inside feed_data(): they take notes and never raise.

    def on_message_begin(self) -> None:
        if self._message_ended:
            self._keep = False  # a second answer to one request

    def on_headers_complete(self) -> None:
        if self._state != _HEAD or self._parser is None:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._interim_count += 1
            if status == 101:
                self._violation = _SWITCHED
            return
        head = cut_head(self._head, interim_count=self._interim_count)
        self._head = b""
        if len(head) > self._owner.max_header_bytes:
            self._violation = self._too_many_header_bytes()
            return
        self._state = _BODY
        self._response = UpstreamResponse(status=status, head=head, source=self, loop=self._loop)
        if self._is_head_request:
            # The parser cannot be told that no body follows, so it and the connection serve no second time.
            self._message_ended = True

    def on_body(self, data: bytes) -> None:
        self._framing_bytes = 0
        if self._response is not None and not self._message_ended:
            self._response.feed(data)

    def on_message_complete(self) -> None:
        if self._state == _BODY and not self._message_ended and self._parser is not None:
            self._message_ended = True
            self._keep = self._parser.should_keep_alive()

    # Inside: one exchange

    def _begin(self, request: UpstreamRequest, total_at: float) -> "asyncio.Future[UpstreamResponse]":
        now = self._loop.time()
        self._state = _HEAD
        self._use_count += 1
        self._is_head_request = request.method == "HEAD"
        self._keep = self._message_ended = False
        self._framing_bytes = self._interim_count = 0
        self._timeouts = request.timeouts
        self._begun_at = now
        self._total_at = total_at
        self._deadline_at = min(now + request.timeouts.first_byte_s, total_at)
        self._alarm.ring_by(self._deadline_at)
        self._answer = answer = self._loop.create_future()
        return answer

    async def _write_in_slices(self, transport: asyncio.Transport, head: bytes, body: bytes | Segments) -> None:
        """Write as fast as the peer reads; stop when it answers early. A half-written request is never kept."""
        self._writing = True
        transport.write(head)
        for slice_ in slices_of(body, most_bytes=ONE_WRITE_BYTES):
            if self._state != _HEAD:
                return
            transport.write(slice_)
            while self._write_paused and self._state == _HEAD:
                self._drained = self._loop.create_future()
                await self._drained
        self._writing = False

    def _give_up(self, answer: "asyncio.Future[UpstreamResponse]") -> None:
        """Leave an exchange that failed or was cancelled, perhaps between its answer and the caller's hearing of it."""
        if not answer.done() or answer.cancelled():
            self.abort()
        elif answer.exception() is None:
            answer.result().close()

    def _feed(self, data: memoryview) -> None:
        parser = self._parser
        if parser is None:
            return
        self._heard_at = self._loop.time()
        self._framing_bytes += len(data)
        try:
            parser.feed_data(data)
        except HttpParserUpgrade:
            self._violation = _SWITCHED
        except HttpParserError as error:
            self._keep = False
            if not self._message_ended:
                self._violation = f"not HTTP: {error}"
        if self._violation is not None:
            self._fail(BrokenResponse(self._violation, sent=True))
        elif self._message_ended:
            self._end_exchange()
        elif self._framing_bytes > self._owner.max_header_bytes:
            self._fail(BrokenResponse(self._too_many_header_bytes(), sent=True))
        elif self._response is not None:
            self._deliver(self._response)
            if self._response.buffered_bytes > MAX_BUFFERED_BYTES:
                self._pause()

    def _deliver(self, response: UpstreamResponse) -> None:
        """Hand the response to the sender the first time, and wake its reader from then on."""
        answer = self._answer
        if answer is None:
            response.wake()
            return
        self._answer = None
        if self._state == _BODY:
            self._alarm.ring_by(self._next_deadline_at())
        if not answer.done():
            answer.set_result(response)
        self._wake_writer()

    def _pause(self) -> None:
        if not self._read_paused and self._transport is not None:
            self._read_paused = True
            self._transport.pause_reading()

    def _end_exchange(self) -> None:
        response, self._response = self._response, None
        transport = self._transport
        if response is None:
            return
        response.finish()
        if self._keep and not self._writing and transport is not None and not transport.is_closing():
            if self._read_paused:
                self._read_paused = False
                transport.resume_reading()
            self._state = _READY
            self._deliver(response)
            self._owner.released(self)
        else:
            self.abort()
            self._deliver(response)

    def _lost(self, cause: Exception | None) -> None:
        how = "reset" if isinstance(cause, ConnectionError) else "closed"
        if self._state == _BODY:
            self._fail(BrokenResponse(f"the upstream {how} the connection inside the body", sent=True))
        elif self._state == _HEAD and self._is_perhaps_stale():
            self._fail(StaleConnection(f"the upstream {how} a kept connection", sent=True))
        elif self._state == _HEAD:
            self._fail(BrokenResponse(f"the upstream {how} the connection before a response head", sent=True))
        self._state = _CLOSED

    def _fail(self, error: UpstreamIOError) -> None:
        self.abort()
        answer, self._answer = self._answer, None
        response, self._response = self._response, None
        if response is not None:
            response.fail(error)
        if answer is not None and not answer.done():
            if response is not None:
                answer.set_result(response)
            else:
                answer.set_exception(error)
        self._wake_writer()

    def _wake_writer(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    def _is_perhaps_stale(self) -> bool:
        was_kept = self._use_count > 1 and not self._head
        return was_kept and self._loop.time() - self._begun_at < STALE_WINDOW_S

    def _too_many_header_bytes(self) -> str:
        return f"more than {self._owner.max_header_bytes} bytes of headers"

    # Inside: time

    def _next_deadline_at(self) -> float:
        if self._state != _BODY:
            return self._deadline_at
        # A reader that takes its time is not the upstream's silence.
        return self._total_at if self._read_paused else min(self._heard_at + self._timeouts.idle_s, self._total_at)

    def _check_clock(self) -> None:
        now = self._loop.time() + _CLOCK_SLACK_S
        deadline_at = self._next_deadline_at()
        if now < deadline_at:
            self._alarm.ring_by(deadline_at)
        elif self._state == _READY:
            self.abort()
        elif now >= self._total_at:
            self._fail(TotalTimeout("the exchange did not end in time", sent=True))
        elif self._state == _HEAD:
            self._fail(FirstByteTimeout(f"no response head within {self._timeouts.first_byte_s:g} s", sent=True))
        elif self._state == _BODY:
            self._fail(IdleTimeout(f"no body byte for {self._timeouts.idle_s:g} s", sent=True))
