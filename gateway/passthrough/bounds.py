"""Money before a raw request is made: served under a budget only where the most it can cost is known.

The bytes go out as they came, so nothing can be capped: the client has to state its own maximum, and to say every
field once, because nobody knows which of two a provider reads.
"""

import json
from collections.abc import Iterable
from typing import Any, Final

from gateway import reservation
from gateway.call import Call
from gateway.passthrough.requests import Passage
from gateway.plane import DataPlane
from kernel.errors import PermissionRefused
from providers.dialects.canonical import Dialect, Operation
from providers.preset import EITHER_CAP
from usage.admission import Refusal

_HARMLESS: Final = (b"", b"alt=sse", b"beta=true")


async def admit(plane: DataPlane, call: Call, passage: Passage) -> None:
    """Reserve what the call can take.

    Raises what `reservation.admit` does, and PermissionRefused where a budget applies and the cost can't be known.
    """
    policy = reservation.rules_of(call, now_s=plane.counters.now_s())
    if policy.budgets or call.max_cost_nanos is not None:
        because = unbounded_because(plane, call, passage)
        if because:
            raise _refuse(plane, call, because)
    await reservation.admit(plane, call)


def unbounded_because(plane: DataPlane, call: Call, passage: Passage) -> str:
    """Return why nobody knows the most that a call can cost, "" where it is known."""
    because = passage.because or _misreads(passage)
    if because:
        return because
    if call.head.max_output_tokens is None:
        return "the request states no maximum for the length of the answer"
    ambiguity = _ambiguity_of(call, passage)
    if ambiguity:
        return ambiguity
    target = call.route.groups[0][0]
    price = call.snapshot.price_of(target, tenant_id=call.caller.tenant_id, now_s=plane.counters.now_s())
    return f"the model '{target.model[:200]}' has no price" if price is None else ""


def _misreads(passage: Passage) -> str:
    """Return why a path and query may mean something else than its door takes them for, "" where they can't."""
    if not passage.told.exact:
        return "the path may name another model than the request"
    return "" if passage.raw.query in _HARMLESS else "the query may change what is answered"


class _Twice(Exception):
    """A name stands twice in an object."""


def _ambiguity_of(call: Call, passage: Passage) -> str:
    """Return why a provider may read something else than what was read here, "" where it can't."""
    twice = "the body says a field twice"
    try:
        body = json.loads(call.body, object_pairs_hook=_once)
    except (_Twice, ValueError, RecursionError):
        return twice
    if any(_is_spelt_twice(part) for part in (body, *body.values()) if isinstance(part, dict)):
        return twice
    if call.said.door.dialect is Dialect.GEMINI and not _agrees(body, call.head.model):
        return "the body names another model than the path"
    return _misses_bounds(call, body, passage) if call.said.door.dialect is Dialect.OPENAI else ""


def _misses_bounds(call: Call, body: dict[str, Any], passage: Passage) -> str:
    """Return why a provider may not heed the maximum, or not say what it used.

    It may know another field for the maximum, or choose between two; reasoning that a stream doesn't report is unseen.
    """
    assert passage.told.door is not None
    preset, operation = passage.connection.preset, passage.told.door.operation
    stated, known = [name for name in EITHER_CAP if body.get(name) is not None], preset.cap_fields_of(operation)
    if stated and (len(stated) > 1 or stated[0] not in known):
        return f"the maximum has to be stated once, as {' or '.join(known)}"
    speaks = operation in (Operation.CHAT, Operation.COMPLETION) and preset.accepts_stream_options
    if speaks and call.head.stream and not call.head.wants_stream_usage:
        return "a stream has to ask for its usage (stream_options.include_usage)"
    return ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


def _is_spelt_twice(names: Iterable[str]) -> bool:
    """Tell whether a name stands in two spellings, as `maxOutputTokens` and `max_output_tokens`."""
    spelt = [name.replace("_", "").lower() for name in names]
    return len(set(spelt)) != len(spelt)


def _agrees(body: dict[str, Any], model: str) -> bool:
    """Tell whether a body says no other model than the path."""
    requests = body.get("requests")
    said = [
        part.get("model")
        for part in (body, *(requests if isinstance(requests, list) else ()))
        if isinstance(part, dict)
    ]
    return all(name in (None, model, f"models/{model}") for name in said)


def _refuse(plane: DataPlane, call: Call, because: str) -> PermissionRefused:
    message = f"A budget applies to this call, and its worst cost can't be known: {because}."
    error = PermissionRefused(message, code="cost_unknown")
    caller = call.caller
    call.refusal = Refusal(reservation.PRICE_RULE, 0, error)
    plane.denials.note(
        request_id=call.request_id,
        tenant_id=caller.tenant_id,
        key_id=caller.key_id,
        user_id=caller.user_id,
        route=call.route.name,
        code=error.code,
        rule=reservation.PRICE_RULE,
        remaining=0,
    )
    return error
