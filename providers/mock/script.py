"""What the mock says: a request in, a list of timed pieces out. Nothing here waits or sends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from providers.dialects import sse
from providers.dialects.canonical import Operation
from providers.mock import answers
from providers.mock.bill import Generated, charge_for
from providers.mock.directions import Directions, read_directions
from providers.mock.media import EVENTS, WRITERS, MediaReply, write_media

Ending = Literal["end", "cut", "stall", "refuse"]
JSON = b"application/json"


@dataclass(frozen=True, slots=True)
class Script:
    """How one answer goes: wait, head, pieces with a pause before each, and how it ends.

    `generated` is what a provider would charge for; None for what it answers without generating anything.
    """

    status: int = 200
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()
    pieces: tuple[bytes, ...] = ()
    delay_s: float = 0.0
    pace_s: float = 0.0
    ending: Ending = "end"
    generated: Generated | None = None


def write_script(operation: Operation, body: bytes, *, tries_before: int) -> Script:
    """Decide the answer to a request that was tried so many times before; one it can't read is refused."""
    try:
        return _write(operation, body, tries_before)
    except (msgspec.DecodeError, ValueError, TypeError, AttributeError, LookupError) as error:
        return _error(400, str(error), code="invalid_request")


def _write(operation: Operation, body: bytes, tries_before: int) -> Script:
    request: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    text = "\n".join((answers.prompt_text(request), str(request.get("query", ""))))
    model, directions = read_directions(model=str(request.get("model", "")), text=text)
    if directions.fails is not None and tries_before >= directions.fails:
        directions = msgspec.structs.replace(directions, status=0, retry_after=None, fault="", delay_ms=0)
    if directions.status:
        return _error(directions.status, f"the mock was told to answer {directions.status}", directions=directions)
    if operation is Operation.EMBEDDING:
        vectors = answers.embedding(request, model)
        return _unary(vectors, directions, Generated(model, answers.count_embedding(request)))
    if operation in WRITERS:
        return _play(write_media(operation, request, model, directions), model, directions)
    reply = answers.write_reply(request, model, directions, chat=operation is Operation.CHAT)
    if request.get("stream"):
        return _stream(reply, directions)
    return _whole(reply, directions)


def _error(status: int, message: str, *, code: str = "mock_error", directions: Directions | None = None) -> Script:
    detail = {"message": message, "type": "mock_error", "param": None, "code": code}
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if directions and directions.retry_after is not None:
        headers = ((b"retry-after", f"{directions.retry_after:g}".encode()),)
    return Script(status=status, headers=headers, pieces=(msgspec.json.encode({"error": detail}),))


_GAVE_UP = {"error": {"message": "the mock gave up", "type": "server_error", "param": None, "code": "mock_gave_up"}}
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
        "error_after": lambda body: Script(ending="cut"),
        "huge_headers": lambda body: Script(headers=((b"x-huge", b"x" * 200_000),), pieces=(body,)),
    }
)
_STREAM_FAULTS = frozenset({"", "cut", "stall", "error_event", "not_json", "no_done", "no_usage", "error_after"})
_WHOLE_STREAMS = frozenset({"", "no_usage"})
_STREAM_ENDINGS: Mapping[str, Ending] = MappingProxyType({"cut": "cut", "stall": "stall", "error_after": "cut"})
_INSTEAD: Mapping[str, tuple[bytes, ...]] = MappingProxyType(
    {
        "error_event": (sse.encode(msgspec.json.encode(_GAVE_UP)),),
        "not_json": (sse.encode(b"{certainly not JSON"),),
    }
)
# Somebody in front of the model answers, or nobody: nothing is generated.
_FREE_FAULTS = frozenset({"connect", "reset", "html", "empty", "no_content", "wrong_type", "not_json"})


def _whole(reply: answers.Reply, directions: Directions) -> Script:
    body = reply.whole(with_usage=directions.fault != "no_usage")
    return _unary(body, directions, Generated(reply.model, reply.counts))


def _play(reply: MediaReply, model: str, directions: Directions) -> Script:
    """Tell what has pieces of its own: sounds and events as streams, all else whole."""
    generated = Generated(model, reply.counts)
    if reply.content_type == JSON or directions.fault not in _STREAM_FAULTS:
        return _unary(b"".join(reply.pieces), directions, generated)
    said = reply.pieces if directions.fault in _WHOLE_STREAMS else reply.pieces[: directions.cut_after]
    if directions.fault == "error_after":
        said = ()
    instead = _INSTEAD.get(directions.fault, ()) if reply.content_type == EVENTS else ()
    tells = directions.fault == "" and reply.content_type == EVENTS
    return Script(
        content_type=reply.content_type,
        pieces=(*said, *instead),
        delay_s=directions.delay_ms / 1000,
        pace_s=directions.pace_ms / 1000,
        ending=_STREAM_ENDINGS.get(directions.fault, "end"),
        generated=msgspec.structs.replace(generated, usage_pieces=len(reply.pieces) if tells else None),
    )


def _unary(body: bytes, directions: Directions, generated: Generated) -> Script:
    script = _WHOLE_FAULTS[directions.fault](body) if directions.fault in _WHOLE_FAULTS else Script(pieces=(body,))
    tells = directions.fault != "no_usage" and script.pieces == (body,)
    charged = (
        None
        if directions.fault in _FREE_FAULTS
        else msgspec.structs.replace(generated, usage_pieces=1 if tells else None)
    )
    return replace(script, delay_s=directions.delay_ms / 1000, generated=charged)


def _stream(reply: answers.Reply, directions: Directions) -> Script:
    if directions.fault not in _STREAM_FAULTS:
        return _whole(reply, directions)
    whole = reply.events(with_usage=directions.fault != "no_usage")
    said = whole if directions.fault in _WHOLE_STREAMS else whole[: directions.cut_after]
    if directions.fault == "error_after":
        said = []
    return Script(
        content_type=b"text/event-stream",
        pieces=(*said, *_INSTEAD.get(directions.fault, ())),
        delay_s=directions.delay_ms / 1000,
        pace_s=directions.pace_ms / 1000,
        ending=_STREAM_ENDINGS.get(directions.fault, "end"),
        generated=_generate(reply, directions, whole_pieces=len(whole), said_pieces=len(said)),
    )


def _generate(reply: answers.Reply, directions: Directions, *, whole_pieces: int, said_pieces: int) -> Generated:
    tells = reply.include_usage and directions.fault != "no_usage" and said_pieces >= whole_pieces - 1
    paced = directions.fault != "error_after"
    full = Generated(reply.model, reply.counts, paced=paced, lead_pieces=1 if reply.chat else 0)
    return Generated(
        reply.model,
        charge_for(full, pieces_sent=said_pieces),
        paced=paced,
        lead_pieces=full.lead_pieces,
        usage_pieces=whole_pieces - 1 if tells else None,
    )
