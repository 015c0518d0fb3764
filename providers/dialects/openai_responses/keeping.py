"""What is kept of a turn, and how a later one goes on from it.

The gateway keeps responses itself where it translates: the items that were given, with ids, and the response. The next
turn gets them put before its own input, so that whatever model comes next reads the whole conversation. Shapes from
OpenAI's reference (`/responses/{id}`, `/input_items`, November 2026).
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects import complaints, sse
from providers.dialects.openai_responses import framing
from providers.dialects.openai_responses.wire import BROKEN, KIND, OBJECT, REASONING, raw_of, refuse

LIMIT_MAX = 100
LIMIT_USUAL = 20

_PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}
_WITH_STATUS = frozenset({"message", "function_call", "function_call_output"})
_UNDER_WAY = frozenset({"in_progress", "queued"})
_ENDS = frozenset({"response.completed", "response.incomplete"})
_MADE_ID = re.compile(r"_in\d+\Z")  # of items given without one, made by `input_items`


class Wish(msgspec.Struct, frozen=True):
    """What a request says of turns: the one it goes on from, and whether this one is to be kept."""

    previous_response_id: str | None = None
    store: bool | None = None

    @property
    def is_kept(self) -> bool:
        """Tell whether the answer is to be kept; it usually is."""
        return self.store is not False


class _Given(msgspec.Struct):
    input: str | list[msgspec.Raw] | None = None


class _Answered(msgspec.Struct):
    output: list[msgspec.Raw]
    store: bool | None = None


class _Named(msgspec.Struct):
    id: str


class _Event(msgspec.Struct):
    type: str = ""
    response: msgspec.Raw = msgspec.Raw(b"")


class _State(msgspec.Struct):
    status: str = ""
    background: bool | None = None


_wish = msgspec.json.Decoder(Wish)
_given = msgspec.json.Decoder(_Given)
_named = msgspec.json.Decoder(_Named)
_event = msgspec.json.Decoder(_Event)
_answered = msgspec.json.Decoder(_Answered)
_state = msgspec.json.Decoder(_State)
_list = msgspec.json.Decoder(list[msgspec.Raw])
_id = msgspec.json.Decoder(str)


def read_wish(body: bytes) -> Wish:
    """Return what a request says of turns. Raises InvalidRequest that names the field."""
    return complaints.decode(_wish, body)


def id_of(response: bytes) -> str | None:
    """Return the id of a response; None where it has none and so can't be kept."""
    try:
        return _named.decode(response).id or None
    except BROKEN:
        return None


def ended_response(events: bytes) -> bytes | None:
    """Return the response of the event that ends a stream well; None where it is not among these whole events."""
    if b"response.completed" not in events and b"response.incomplete" not in events:
        return None
    for event in sse.EventSplitter().feed(events):
        data = framing.data_of(event)
        if data is None or data == framing.DONE:
            continue
        try:
            found = _event.decode(data)
        except BROKEN:
            continue
        if found.type in _ENDS:
            return bytes(found.response) or None
    return None


def told(response: bytes, *, previous_id: str, store: bool) -> bytes:
    """Return a response that says what the gateway did for its provider: what it goes on from, whether it is kept."""
    said = {"previous_response_id": raw_of(previous_id or None), "store": raw_of(store)}
    fields = OBJECT.decode(response)
    if all(bytes(fields.get(name, b"")) == bytes(value) for name, value in said.items()):
        return response
    return msgspec.json.encode(fields | said)


def input_items(body: bytes, response_id: str) -> list[msgspec.Raw]:
    """Return the items given in a request whose head was decoded, each with an id; made ids follow from the response's.

    A text becomes a message, and a message's text becomes a part, as the API lists them.
    """
    given = _given.decode(body).input
    raws = [_message(given)] if isinstance(given, str) else given or []
    stem = response_id.partition("_")[2] or response_id
    return [_with_id(raw, f"{stem}_in{number}") for number, raw in enumerate(raws)]


def read_items(given: bytes) -> list[msgspec.Raw]:
    """Return the items of a JSON list."""
    return _list.decode(given)


def turn_items(given: bytes, response: bytes) -> list[msgspec.Raw]:
    """Return what a turn adds to the conversation: the items given, a JSON list, and those answered.

    Made ids stay behind, since providers know none of them. Of a response that its provider did not store only what
    can be read without that goes along.
    """
    answered = _answered.decode(response)
    output = answered.output
    if answered.store is False:
        output = [kept for raw in output if (kept := _readable_alone(raw)) is not None]
    return [*(_without_made_id(raw) for raw in _list.decode(given)), *output]


def with_history(body: bytes, items: Iterable[msgspec.Raw]) -> bytes:
    """Return a request that goes on from earlier items and names no earlier response. Raises InvalidRequest."""
    given = complaints.decode(_given, body).input
    fields = complaints.decode(OBJECT, body)
    fields.pop("previous_response_id", None)
    new = [_message(given)] if isinstance(given, str) else given or []
    fields["input"] = raw_of([*items, *new])
    return msgspec.json.encode(fields)


def list_items(
    items: Sequence[msgspec.Raw],
    *,
    after: str = "",
    limit: int = LIMIT_USUAL,
    order: Literal["asc", "desc"] = "desc",
) -> bytes:
    """Return a page of items in the API's list; `after` is the last id of the page before. Raises InvalidRequest."""
    if not 1 <= limit <= LIMIT_MAX:
        raise refuse(f"limit is from 1 to {LIMIT_MAX}, got {limit}", param="limit")
    ordered = list(items) if order == "asc" else list(reversed(items))
    ids = [_id_of(item) for item in ordered]
    if after and after not in ids:
        raise refuse(f"No item has the id '{after}'.", param="after")
    start = ids.index(after) + 1 if after else 0
    page = slice(start, start + limit)
    shown = ids[page] or [""]  # the clients' types have no null there
    return msgspec.json.encode(
        {
            "object": "list",
            "data": ordered[page],
            "first_id": shown[0],
            "last_id": shown[-1],
            "has_more": start + limit < len(ordered),
        }
    )


def deleted(response_id: str) -> bytes:
    """Return the answer to a deletion."""
    return msgspec.json.encode({"id": response_id, "object": "response", "deleted": True})


def cancelled(response: bytes) -> bytes:
    """Return a response of the background as cancelled, or as it ended. Raises InvalidRequest for any other."""
    state = _state.decode(response)
    if not state.background:
        raise InvalidRequest("Only responses that run in the background can be cancelled.", code="invalid_request")
    if state.status not in _UNDER_WAY:
        return response
    return msgspec.json.encode(OBJECT.decode(response) | {"status": raw_of("cancelled")})


def _message(text: str) -> msgspec.Raw:
    return raw_of({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})


def _id_of(raw: msgspec.Raw) -> str:
    try:
        return KIND.decode(raw).id or ""
    except BROKEN:
        return ""


def _without_made_id(raw: msgspec.Raw) -> msgspec.Raw:
    if not _MADE_ID.search(_id_of(raw)):
        return raw
    return raw_of({name: value for name, value in OBJECT.decode(raw).items() if name != "id"})


def _readable_alone(raw: msgspec.Raw) -> msgspec.Raw | None:
    """Return an item without what only its provider's memory could complete; None where nothing is left."""
    try:
        kind = KIND.decode(raw).type
        if kind == "reasoning" and not REASONING.decode(raw).encrypted_content:
            return None
    except BROKEN:
        return raw
    if kind != "function_call":
        return raw
    return raw_of({name: value for name, value in OBJECT.decode(raw).items() if name != "id"})


def _with_id(raw: msgspec.Raw, name: str) -> msgspec.Raw:
    try:
        return _named_item(raw, name)
    except BROKEN:
        return raw  # odd, and yet a provider took it


def _named_item(raw: msgspec.Raw, name: str) -> msgspec.Raw:
    fields: dict[str, Any] = dict(OBJECT.decode(raw))
    found = KIND.decode(raw)
    kind = found.type or ("message" if found.role else "item_reference")
    if not found.id:
        fields["id"] = f"{_PREFIXES.get(kind, 'item')}_{name}"
    fields["type"] = kind
    if kind in _WITH_STATUS:
        fields.setdefault("status", "completed")
    if kind == "message" and bytes(fields.get("content", b""))[:1] == b'"':
        fields["content"] = [_part(_id.decode(fields["content"]), found.role or "")]
    return raw_of(fields)


def _part(text: str, role: str) -> dict[str, Any]:
    if role == "assistant":
        return {"type": "output_text", "text": text, "annotations": []}
    return {"type": "input_text", "text": text}
