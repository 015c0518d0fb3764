"""What is asked of a provider: from a request under `/passthrough/` to a call that may be made."""

from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote_plus

import msgspec

from gateway import access
from gateway.call import Call
from gateway.messages import Incoming
from gateway.passthrough.headers import outgoing_headers
from gateway.passthrough.paths import Told, check_path, read_path
from gateway.plane import DataPlane
from kernel.errors import GatewayError, InvalidRequest, NotFound, PermissionRefused
from providers.adapters.base import Exchange
from providers.adapters.connection import Connection
from providers.adapters.raw import RawRequest
from providers.dialects.canonical import Dialect, Head, Operation, Prompt
from providers.dialects.codec import Heads, PathFacts
from providers.dialects.door import Door
from routing.attempts.wire import Said
from routing.snapshot import NAMES_SHOWN_MAX, Route, Target
from tenants.keys import Caller

SCOPE: Final = "passthrough"
PREFIX: Final = "/passthrough/"
_OWN_PARAMETER = "key"


class Address(msgspec.Struct, frozen=True):
    """Where a request goes, as it says it: a provider, and the whole path as it stands on the request line."""

    slug: str
    raw_path: bytes


class Passage(msgspec.Struct, frozen=True):
    """A request on its way through. `told` has its door where the body could be read there, else None.

    `because` says why the worst case can't be known before it is made, "" where it can.
    """

    connection: Connection
    raw: RawRequest
    told: Told
    because: str


class _Peek(msgspec.Struct):
    model: Any = None
    stream: Any = None
    background: Any = None


_peek = msgspec.json.Decoder(_Peek)


def _see_nothing(body: bytes, path: PathFacts) -> Head:
    return Head(path.model, stream=path.stream, max_output_tokens=0)


# For bodies that nobody here understands.
BLIND: Final = Door(Dialect.OPENAI, Operation.PASSTHROUGH, heads=Heads(_see_nothing, lambda body: Prompt()))


def find_connection(plane: DataPlane, caller: Caller, slug: str) -> Connection:
    """Return the provider of that name. Raises PermissionRefused where the key may not use it, NotFound."""
    access.require_scope(caller, "inference")
    access.require_scope(caller, SCOPE)
    connections = plane.snapshot.connections
    if slug not in connections:
        raise _unknown(slug, [name for name in sorted(connections) if access.may_use(caller, route_name(name))])
    if not access.may_use(caller, route_name(slug)):
        raise PermissionRefused(f"This API key may not use '{route_name(slug)}'.", code="model_not_allowed")
    return connections[slug]


def route_name(slug: str) -> str:
    """Return the name under which a key's list of routes, limits and records know a provider's passthrough."""
    return f"passthrough/{slug}"


def read_passage(connection: Connection, incoming: Incoming, *, raw_path: bytes) -> Passage:
    """Return what is asked of a provider; the path is that of the request line. Raises InvalidRequest."""
    path = _rest_of(raw_path, connection.slug)
    check_path(path)
    query = _without_key(incoming.query)
    told = read_path(incoming.method, path[1:].decode("latin-1"), query)
    raw = RawRequest(incoming.method, path, query.encode("latin-1"))
    return Passage(connection, raw, told, "" if told.door is not None else "nothing is known of what this path costs")


def make_call(
    plane: DataPlane, caller: Caller, passage: Passage, incoming: Incoming, request_id: str, *, started_ns: int
) -> tuple[Call, Passage]:
    """Return the call, and the passage with what its body tells."""
    spoken = passage.told.door or BLIND
    passage, head = _read_body(passage, incoming)
    connection, told = passage.connection, passage.told
    door = replace(spoken if told.door is not None else BLIND, dialect=spoken.dialect, operation=Operation.PASSTHROUGH)
    name = route_name(connection.slug)
    groups = ((target_of(connection, head.model),),)
    route = Route(name=name, configured_name=name, groups=groups, max_attempts=1, created_at_s=0)
    said = Said(
        door=door,
        head=head,
        body=incoming.body,
        path=told.facts,
        headers=outgoing_headers(incoming.headers),
    )
    return Call(request_id, caller, plane.snapshot, route, said, started_ns), passage


def target_of(connection: Connection, model: str) -> Target:
    """Return what a request goes to: a model of a provider, or the provider where none is named."""
    return Target(
        name=f"{connection.slug}/{model}" if model else connection.slug,
        connection=connection,
        model=model,
        configured_model=model,
        weight=1,
        timeouts=connection.timeouts,
        options=connection.options,
    )


def exchange_of(call: Call, passage: Passage, attempt_id: str) -> Exchange:
    """Return what the adapter sends."""
    door = passage.told.door
    return Exchange(
        connection=passage.connection,
        operation=Operation.PASSTHROUGH if door is None else door.operation,
        body=call.body,
        stream=call.head.stream,
        request_id=call.request_id,
        attempt_id=attempt_id,
        timeouts=passage.connection.timeouts,
        dialect=call.said.door.dialect,
        model=call.head.model,
        options=passage.connection.options,
        headers=call.said.headers,
        raw=passage.raw,
    )


def _rest_of(raw_path: bytes, slug: str) -> bytes:
    """Return the path under a provider, from its slash on. Raises InvalidRequest for one that is oddly written."""
    before = f"{PREFIX}{slug}".encode()
    rest = raw_path.partition(b"?")[0].removeprefix(before)
    if not raw_path.startswith(before + b"/"):
        raise InvalidRequest("Write the path up to the provider's name without percent signs.", code="unsafe_path")
    return rest


def _without_key(query: str) -> str:
    """Return a query without the gateway's own key. Raises InvalidRequest for one that goes into no request line."""
    if not all("!" <= letter <= "~" and letter != "#" for letter in query):
        raise InvalidRequest("The query holds characters that don't belong there.", code="invalid_query")
    kept = [pair for pair in query.split("&") if unquote_plus(pair.partition("=")[0]).lower() != _OWN_PARAMETER]
    return "&".join(kept)


def _read_body(passage: Passage, incoming: Incoming) -> tuple[Passage, Head]:
    """Return the passage and what routing needs, by the door if it can read the body, else by a glance."""
    told, seen = passage.told, _glance(incoming)
    facts = PathFacts(
        told.facts.model or _text(seen.model) or told.model, stream=told.facts.stream or seen.stream is True
    )
    door = told.door
    if door is None or seen.background:
        because = passage.because or "what runs in the background has no cost yet when it is answered"
        return _blind(passage, because), BLIND.heads.decode_head(b"", facts)
    try:
        head = door.heads.decode_head(incoming.body, told.facts)
    except GatewayError as error:
        return _blind(passage, f"the body can't be read: {error.message}"), BLIND.heads.decode_head(b"", facts)
    if door.operation is Operation.TOKEN_COUNT:  # nothing is generated, and nobody bills for the question
        head = msgspec.structs.replace(head, input_tokens_most=0, max_output_tokens=0)
    return passage, head


def _blind(passage: Passage, because: str) -> Passage:
    told = msgspec.structs.replace(passage.told, door=None)
    return msgspec.structs.replace(passage, told=told, because=because)


def _glance(incoming: Incoming) -> _Peek:
    if incoming.body[:1] not in (b"{", b" ", b"\n", b"\r", b"\t"):
        return _Peek()
    try:
        return _peek.decode(incoming.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Peek()


def _text(value: Any) -> str:
    return value[:200] if isinstance(value, str) else ""


def _unknown(slug: str, names: list[str]) -> NotFound:
    hint = f" Available: {', '.join(names)}." if 0 < len(names) <= NAMES_SHOWN_MAX else ""
    return NotFound(f"There is no provider '{slug[:100]}'.{hint}", code="unknown_provider")
