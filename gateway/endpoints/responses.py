"""The Responses door: responses made, kept, read and forgotten, their tokens counted, conversations compacted.

Earlier turns are resolved here, whoever answers: a provider never hears of `previous_response_id`.
"""

from functools import partial
from typing import Literal
from urllib.parse import parse_qs

from gateway import access, dry_run, pipeline
from gateway.endpoints.compaction import is_compacted_there, summarise
from gateway.endpoints.counting import count_tokens
from gateway.endpoints.edge import caller_of, endpoint, require_plain_body
from gateway.idempotency.once import once
from gateway.messages import JSON, Incoming, Reply
from gateway.plane import DataPlane
from gateway.responses.answer import keep_reply
from gateway.responses.base import StoredTurn
from gateway.responses.turn import read_turn, resume
from kernel.errors import InvalidRequest, NotFound
from providers.dialects import doors
from providers.dialects.openai_responses import keeping
from tenants.keys import Caller


@endpoint
async def create_response(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/responses."""
    caller = await _caller(plane, incoming)
    if dry_run.is_asked(incoming):
        asked = await _resumed(plane, caller, incoming)
        return await dry_run.answer(plane, caller, doors.RESPONSES, asked, request_id)
    create = partial(_create, plane, caller, incoming, request_id)
    return await once(plane.idempotency, caller, incoming, request_id, create, complete=plane.turn.end)


@endpoint
async def count_input_tokens(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/responses/input_tokens."""
    caller = await _caller(plane, incoming)
    asked = await _resumed(plane, caller, incoming)
    return await count_tokens(plane, asked, request_id, doors.COUNT_RESPONSE)


@endpoint
async def compact_response(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/responses/compact."""
    caller = await _caller(plane, incoming)
    if dry_run.is_asked(incoming):
        asked = await _resumed(plane, caller, incoming)
        return await dry_run.answer(plane, caller, doors.RESPONSES, asked, request_id)
    compact = partial(_compact, plane, caller, incoming, request_id)
    return await once(plane.idempotency, caller, incoming, request_id, compact, complete=plane.turn.end)


@endpoint
async def get_response(plane: DataPlane, incoming: Incoming, request_id: str, response_id: str) -> Reply:
    """Answer GET /v1/responses/{response_id}."""
    turn = await _find(plane, incoming, response_id)
    if _parameter(incoming, "stream").lower() in ("true", "1"):
        message = "A kept response is not streamed again; get it whole."
        raise InvalidRequest(message, code="unsupported_parameter", param="stream")
    return Reply(200, [JSON], body=turn.response)


@endpoint
async def delete_response(plane: DataPlane, incoming: Incoming, request_id: str, response_id: str) -> Reply:
    """Answer DELETE /v1/responses/{response_id}."""
    caller = await _caller(plane, incoming)
    if not await plane.responses.delete(caller.tenant_id, response_id):
        raise _unknown(response_id)
    return Reply(200, [JSON], body=keeping.deleted(response_id))


@endpoint
async def cancel_response(plane: DataPlane, incoming: Incoming, request_id: str, response_id: str) -> Reply:
    """Answer POST /v1/responses/{response_id}/cancel."""
    turn = await _find(plane, incoming, response_id)
    return Reply(200, [JSON], body=keeping.cancelled(turn.response))


@endpoint
async def list_input_items(plane: DataPlane, incoming: Incoming, request_id: str, response_id: str) -> Reply:
    """Answer GET /v1/responses/{response_id}/input_items."""
    turn = await _find(plane, incoming, response_id)
    body = keeping.list_items(
        keeping.read_items(turn.input),
        after=_parameter(incoming, "after"),
        limit=_limit(incoming),
        order=_order(incoming),
    )
    return Reply(200, [JSON], body=body)


async def _create(plane: DataPlane, caller: Caller, incoming: Incoming, request_id: str) -> Reply:
    turn = read_turn(caller, incoming)
    asked = await resume(plane.responses, turn, incoming)
    reply = await pipeline.serve(plane, caller, doors.RESPONSES, asked, request_id)
    return await keep_reply(plane.responses.save if turn.is_kept else None, turn, reply)


async def _compact(plane: DataPlane, caller: Caller, incoming: Incoming, request_id: str) -> Reply:
    asked = await _resumed(plane, caller, incoming)
    head = doors.COMPACT_RESPONSE.heads.decode_head(asked.body, asked.said)
    if is_compacted_there(access.find_route(plane.snapshot, caller, head.model)):
        return await pipeline.serve(plane, caller, doors.COMPACT_RESPONSE, asked, request_id)
    return await summarise(plane, caller, asked, request_id)


async def _caller(plane: DataPlane, incoming: Incoming) -> Caller:
    caller = await caller_of(plane, incoming)
    access.require_scope(caller, "inference")
    require_plain_body(incoming)
    return caller


async def _resumed(plane: DataPlane, caller: Caller, incoming: Incoming) -> Incoming:
    return await resume(plane.responses, read_turn(caller, incoming), incoming)


async def _find(plane: DataPlane, incoming: Incoming, response_id: str) -> StoredTurn:
    caller = await _caller(plane, incoming)
    turn = await plane.responses.find(caller.tenant_id, response_id)
    if turn is None:
        raise _unknown(response_id)
    return turn


def _unknown(response_id: str) -> NotFound:
    return NotFound(f"Response with id '{response_id[:128]}' not found.", code="response_not_found")


def _parameter(incoming: Incoming, name: str) -> str:
    return parse_qs(incoming.query).get(name, [""])[0]


def _limit(incoming: Incoming) -> int:
    given = _parameter(incoming, "limit") or str(keeping.LIMIT_USUAL)
    if not (given.isascii() and given.isdigit() and len(given) <= 4):
        raise InvalidRequest("limit is a whole number.", code="invalid_value", param="limit")
    return int(given)


def _order(incoming: Incoming) -> Literal["asc", "desc"]:
    given = _parameter(incoming, "order") or "desc"
    if given == "asc":
        return "asc"
    if given == "desc":
        return "desc"
    raise InvalidRequest("order is asc or desc.", code="invalid_value", param="order")
