"""What goes out to a target and how its answer comes back: as it is where both sides speak alike, else translated."""

from collections.abc import Sequence
from typing import Any

import msgspec

from kernel import clock
from kernel.errors import InvalidRequest, UpstreamRefused
from kernel.ids import new_id
from providers.adapters.connection import Headers
from providers.dialects.canonical import Dialect, Head, Operation
from providers.dialects.codec import NO_FACTS, Asked, Back, CostOf, Facts, PathFacts, StreamReader, Upstream
from providers.dialects.door import Door
from providers.dialects.facts import facts_of
from providers.dialects.hints import HINTS
from providers.dialects.table import BACKS
from providers.dialects.translating import TranslatingReader
from routing.snapshot import Route, Target

# What a model that can't do the one may do instead: a legacy completion is a conversation of one message.
_INSTEAD = {Operation.COMPLETION: Operation.CHAT}


class Said(msgspec.Struct, frozen=True):
    """What a client said at a door. `headers` are those that a provider of the same dialect gets to see. `own_body` is
    the body as the client wrote it, where `body` has had something put before it.
    """

    door: Door
    head: Head
    body: bytes
    path: PathFacts = NO_FACTS
    own_body: bytes | None = None
    headers: Headers = ()


class Wire(msgspec.Struct, frozen=True):
    """One attempt's way to a provider and back. `lost` names what the provider can't be told of the request.

    `back` and `asked` are None where bytes pass as they are.
    """

    dialect: Dialect
    operation: Operation
    body: bytes
    said: Said
    lost: tuple[str, ...] = ()
    back: Back[Any, Any] | None = None
    asked: Asked | None = None

    @property
    def headers(self) -> Headers:
        """Return the client's own headers that its provider gets to see."""
        return self.said.headers if self.back is None else ()

    def finish(self, body: bytes) -> tuple[bytes, Facts]:
        """Return a whole answer as the client gets it, and what it used. Raises UpstreamBroken where it is none."""
        door = self.said.door
        if self.back is not None:
            assert door.front is not None
            assert self.asked is not None
            answer = self.back.decode_answer(body)
            return door.front.encode_answer(answer, self.asked), facts_of(answer)
        assert door.through is not None
        facts = door.through.read_facts(body)
        return (body if door.restate is None else door.restate(self.said.body, body)), facts

    def reader(self, cost_of: CostOf) -> StreamReader:
        """Return what takes the provider's stream and gives the client's."""
        door = self.said.door
        if self.back is None:
            assert door.through is not None
            return door.through.reader(self.said.head, cost_of)
        assert door.front is not None
        assert self.asked is not None
        encoder = door.front.encoder(self.asked, cost_of)
        return TranslatingReader(
            self.back.decoder(), encoder, accepts=self.back.stream_type, content_type=door.stream_type
        )

    def own_words(self, refused: UpstreamRefused) -> UpstreamRefused:
        """Return a provider's refusal as the client may hear it: in the provider's envelope only where it is theirs."""
        if self.back is not None:
            refused.body = None
        return refused


def lay(said: Said, route: Route, target: Target, *, cap: int | None, once: bool) -> Wire:
    """Return the way to one target. Raises InvalidRequest where it can't be told what the client asks for.

    `cap` is the most output that is reserved for a choice; `once` that no field may stand twice.
    """
    door, preset = said.door, target.connection.preset
    operation = door.operation
    dialect = preset.dialect_for(operation, target.model, door.dialect)
    if dialect is None and operation in _INSTEAD:
        operation = _INSTEAD[operation]
        dialect = preset.dialect_for(operation, target.model, door.dialect)
    if dialect is None:
        raise _unable(route, door)
    upstream = _describe(said, target, operation, cap)
    if dialect == door.dialect and operation == door.operation and door.through is not None:
        lost = door.through.unspoken(said.body, upstream)
        _require_supported(route, [name for name in lost if name not in HINTS])
        body = door.through.patch(said.body, upstream, head=said.head, once=once)
        return Wire(dialect, operation, body, said, lost)
    back = BACKS.get((dialect, operation))
    if door.front is None or back is None:
        raise _unable(route, door)
    encoded = back.encode_request(door.front.decode_request(said.body, said.path), upstream)
    _require_supported(route, encoded.unsupported)
    lost = (*encoded.unsupported, *encoded.ignored)
    return Wire(dialect, operation, encoded.body, said, lost, back, _name_answer(said, target))


def _name_answer(said: Said, target: Target) -> Asked:
    """Return what an answer has to know, with an id and a time for providers who give none."""
    own_body = said.body if said.own_body is None else said.own_body
    return Asked(said.head, own_body, target.model, new_id(said.door.id_prefix), int(clock.now().timestamp()))


def _describe(said: Said, target: Target, operation: Operation, cap: int | None) -> Upstream:
    preset = target.connection.preset
    return Upstream(
        model=target.model,
        capabilities=target.capabilities,
        cap=cap,
        cap_fields=preset.cap_fields_of(operation),
        ask_usage=said.head.stream and preset.accepts_stream_options,
        api_version=preset.body_version(target.options),
        spelling=preset.spelling,
    )


def _require_supported(route: Route, lost: Sequence[str]) -> None:
    if lost and not route.drop_params:
        message = f"The model '{route.name[:200]}' does not support {lost[0]}."
        raise InvalidRequest(message, code="unsupported_parameter", param=lost[0])


def _unable(route: Route, door: Door) -> InvalidRequest:
    what = door.operation.value.replace("_", " ")
    return InvalidRequest(
        f"The model '{route.name[:200]}' can't be used for this ({what}).", code="unsupported_operation", param="model"
    )
