"""The gateway's own door: is it up, is it ready, what did a request cost."""

import asyncio
from typing import Any

import msgspec

from gateway import access, dry_run
from gateway.endpoints.edge import caller_of, endpoint, require_plain_body
from gateway.messages import JSON, Incoming, Reply
from gateway.plane import DataPlane
from kernel.errors import NotFound
from kernel.money import format_usd
from usage.records import AttemptRecord

LOOK_UP_TRIES = 6
LOOK_UP_PAUSE_S = 0.25


@endpoint
async def health(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer GET /health: the process is alive."""
    return _json({"status": "ok"})


@endpoint
async def ready(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer GET /ready: calls would be served, that is, usage can be written down."""
    facts = {
        "configuration_version": plane.snapshot.version,
        "journal_backlog": plane.journal.backlog,
        "journal_bytes": plane.journal.backlog_bytes,
        "journal_alarming": plane.journal.alarming,
    }
    if not plane.journal.accepting:
        return _json({"status": "not ready", **facts}, status=503)
    return _json({"status": "ready", **facts})


@endpoint
async def try_dry(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/gateway/dry-run: what would become of the call in the body, told apart by its fields."""
    caller = await caller_of(plane, incoming)
    require_plain_body(incoming)
    return await dry_run.answer(plane, caller, dry_run.door_of(incoming.body), incoming, request_id)


@endpoint
async def request_usage(plane: DataPlane, incoming: Incoming, request_id: str, wanted: str) -> Reply:
    """Answer GET /v1/gateway/usage/{request_id} to the key that made the request.

    A call of a moment ago may still be on its way from another worker's journal, so a miss is looked up again for
    a short while before it is a 404.
    """
    caller = await caller_of(plane, incoming)
    access.require_scope(caller, "usage")
    attempts = plane.recent.find(key_id=caller.key_id, request_id=wanted)
    for tries in range(LOOK_UP_TRIES):
        if attempts:
            break
        if tries:
            await asyncio.sleep(LOOK_UP_PAUSE_S)
        attempts = await plane.usage_of_request(wanted, caller.key_id)
    if not attempts:
        raise NotFound(f"This key made no request '{wanted[:128]}'.", code="request_not_found")
    return _json(_describe(wanted, attempts))


def _describe(request_id: str, attempts: list[AttemptRecord]) -> dict[str, Any]:
    costs = [attempt.cost_nanos for attempt in attempts]
    total = None if None in costs else sum(cost for cost in costs if cost is not None)
    return {
        "request_id": request_id,
        "cost_usd": None if total is None else format_usd(total),
        "cost_nanos": total,
        "attempts": [_describe_attempt(attempt) for attempt in attempts],
    }


def _describe_attempt(attempt: AttemptRecord) -> dict[str, Any]:
    cost = attempt.cost_nanos
    usage = attempt.usage
    return {
        "attempt_id": attempt.attempt_id,
        "number": attempt.attempt_number,
        "target": attempt.target,
        "because": attempt.chosen_because,
        "ending": attempt.ending,
        "status": attempt.status,
        "error_code": attempt.error_code or None,
        "usage": msgspec.to_builtins(usage) | {"total_tokens": usage.total_tokens, "estimated": usage.estimated},
        "cost_usd": None if cost is None else format_usd(cost),
        "latency_ms": attempt.latency_us / 1000,
        "first_byte_ms": None if attempt.first_byte_us is None else attempt.first_byte_us / 1000,
    }


def _json(value: dict[str, Any], *, status: int = 200) -> Reply:
    return Reply(status, [JSON], body=msgspec.json.encode(value))
