"""What the mock says: a request in, a list of timed pieces out. Nothing here waits or sends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from providers.dialects import sse
from providers.dialects.canonical import Operation
from providers.mock import answers
from providers.mock.directions import Directions, read_directions

Ending = Literal["end", "cut", "stall", "refuse"]
JSON = b"application/json"


@dataclass(frozen=True, slots=True)
class Script:
    """How one answer goes: wait, head, pieces with a pause before each, and how it ends."""

    status: int = 200
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()
    pieces: tuple[bytes, ...] = ()
    delay_s: float = 0.0
    pace_s: float = 0.0
    ending: Ending = "end"


def write_script(operation: Operation, body: bytes, *, tries_before: int) -> Script:
    """Decide the answer to a request that was tried so many times before; one it can't read is refused."""
    try:
        return _write(operation, body, tries_before)
    except (msgspec.DecodeError, ValueError, TypeError, AttributeError, LookupError) as error:
        return _error(400, str(error), code="invalid_request")


def _write(operation: Operation, body: bytes, tries_before: int) -> Script:
    request: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    text = answers.prompt_text(request)
    model, directions = read_directions(model=str(request.get("model", "")), text=text)
    if directions.fails is not None and tries_before >= directions.fails:
        directions = Directions(tokens=directions.tokens, pace_ms=directions.pace_ms, tool=directions.tool)
    if directions.status:
        return _error(directions.status, f"the mock was told to answer {directions.status}", directions=directions)
    if operation is Operation.EMBEDDING:
        return _unary(answers.embedding(request, model), directions)
    reply = answers.write_reply(request, model, directions, chat=operation is Operation.CHAT)
    if request.get("stream"):
        return _stream(reply, directions)
    return _unary(reply.whole(with_usage=directions.fault != "no_usage"), directions)


def _error(status: int, message: str, *, code: str = "mock_error", directions: Directions | None = None) -> Script:
    detail = {"message": message, "type": "mock_error", "param": None, "code": code}
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if directions and directions.retry_after is not None:
        headers = ((b"retry-after", f"{directions.retry_after:g}".encode()),)
    return Script(status=status, headers=headers, pieces=(msgspec.json.encode({"error": detail}),))


_HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
_WHOLE_FAULTS: Mapping[str, Callable[[bytes], Script]] = MappingProxyType(
    {
        "connect": lambda body: Script(ending="refuse"),
        "reset": lambda body: Script(ending="refuse"),
        "stall": lambda body: Script(pieces=(body[:10],), ending="stall"),
        "cut": lambda body: Script(pieces=(body[: len(body) // 2],), ending="cut"),
        "html": lambda body: Script(content_type=b"text/html", pieces=(_HTML,)),
        "truncated": lambda body: Script(pieces=(body[: len(body) // 2],)),
        "empty": lambda body: Script(),
        "no_content": lambda body: Script(status=204),
        "wrong_type": lambda body: Script(content_type=b"text/plain", pieces=(b"hello",)),
        "not_json": lambda body: Script(pieces=(b"certainly not JSON",)),
        "huge_headers": lambda body: Script(headers=((b"x-huge", b"x" * 200_000),), pieces=(body,)),
    }
)
_STREAM_FAULTS = frozenset({"", "cut", "stall", "error_event", "not_json", "no_done", "no_usage"})


def _unary(body: bytes, directions: Directions) -> Script:
    script = _WHOLE_FAULTS[directions.fault](body) if directions.fault in _WHOLE_FAULTS else Script(pieces=(body,))
    return replace(script, delay_s=directions.delay_ms / 1000)


def _stream(reply: answers.Reply, directions: Directions) -> Script:
    events = reply.events(with_usage=directions.fault != "no_usage")
    if directions.fault not in _STREAM_FAULTS:
        return _unary(reply.whole(with_usage=True), directions)
    ending: Ending = "end"
    if directions.fault in ("cut", "stall"):
        events, ending = events[: directions.cut_after], "cut" if directions.fault == "cut" else "stall"
    elif directions.fault == "error_event":
        failure = {
            "error": {"message": "the mock gave up", "type": "server_error", "param": None, "code": "mock_gave_up"}
        }
        events = [*events[: directions.cut_after], sse.encode(msgspec.json.encode(failure))]
    elif directions.fault == "not_json":
        events = [*events[: directions.cut_after], sse.encode(b"{certainly not JSON")]
    elif directions.fault == "no_done":
        events = events[: directions.cut_after]
    return Script(
        content_type=b"text/event-stream",
        pieces=tuple(events),
        delay_s=directions.delay_ms / 1000,
        pace_s=directions.pace_ms / 1000,
        ending=ending,
    )
