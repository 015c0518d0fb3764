"""uvicorn's HTTP protocol with a short way for answers that are whole when they begin.

Through ASGI an answer is two messages, and uvicorn looks at each header by itself and writes head and body apart: a
third of what the server costs, and two system calls for one. `scope[WHOLE]` takes all of it at once.
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from weakref import ref

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.handler import WHOLE

Header = tuple[bytes, bytes]
logger = logging.getLogger("gateway_project.protocol")
# What no line of a head may hold: the ends of lines are counted, the rest is looked for.
_CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\r\n"})


class WholeAnswerProtocol(HttpToolsProtocol):
    """Serves like its parent; an application that knows `scope[WHOLE]` may answer by it instead of by `send`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unwritten: Callable[[], None] | None = None

    def on_headers_complete(self) -> None:
        """Let the request begin, with the short way in its scope, and after the answer to the one before it."""
        self._write()
        super().on_headers_complete()
        if self.cycle is not None and self.cycle.scope is self.scope:
            scope: dict[str, Any] = self.scope  # type: ignore[assignment]  # a key of our own
            # Not the cycle itself: it holds the scope, and each request would leave a circle to the garbage collector.
            scope[WHOLE] = partial(self._answer, ref(self.cycle))

    def shutdown(self) -> None:
        """Begin a graceful end; an answer that has been given still goes out."""
        self._write()
        super().shutdown()

    def _answer(
        self, cycle_ref: "ref[RequestResponseCycle]", status: int, headers: Iterable[Header], body: bytes
    ) -> Callable[[], None] | None:
        """Take the answer to a request; return what sends it. None where that needs ASGI: to slow readers, to HEAD.

        The request is over from here on; headers may still be added until the answer is sent.
        """
        cycle = cycle_ref()
        if cycle is None or cycle.response_started or cycle.flow.write_paused or cycle.scope["method"] == "HEAD":
            return None
        cycle.response_started = cycle.response_complete = True
        self._unwritten = partial(_send, cycle, cycle.on_response, status, headers, body)
        return self._write

    def _write(self) -> None:
        """Send the answer that waits, if there is one."""
        send, self._unwritten = self._unwritten, None
        if send is not None:
            send()


def _send(
    cycle: RequestResponseCycle,
    then: Callable[[], object],  # the cycle itself forgets it as soon as the application has returned
    status: int,
    headers: Iterable[Header],
    body: bytes,
) -> None:
    head = _head(status, headers, len(body), keep_alive=cycle.keep_alive)
    if head is None:
        logger.error("an answer's header holds a control character")
        cycle.keep_alive = False
        head, body = STATUS_LINE[500] + b"connection: close\r\ncontent-length: 0\r\n\r\n", b""
    if not cycle.disconnected:
        cycle.transport.write(head + body)
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    then()


def _head(status: int, headers: Iterable[Header], length: int, *, keep_alive: bool) -> bytes | None:
    """Return the head of an answer; None where it would not be read as it was meant."""
    lines = [b": ".join(header) for header in headers]
    if not keep_alive:
        lines.append(b"connection: close")
    lines.append(b"content-length: %d\r\n\r\n" % length)
    head = b"\r\n".join(lines)
    ends = len(lines) + 1
    if head.count(b"\n") != ends or head.count(b"\r") != ends or len(head.translate(None, _CONTROLS)) != len(head):
        return None
    return STATUS_LINE[status] + head
