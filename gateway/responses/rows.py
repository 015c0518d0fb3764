"""Stored responses as rows: the synchronous side, one function a look at the database."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from gateway.models import StoredResponse
from gateway.responses.base import Bounds, StoredTurn, not_found, too_long

# From a turn back to the first, newest first. It stops one step beyond the bounds, so that a longer one is noticed.
_CHAIN = """
WITH RECURSIVE chain (id, previous_id, depth, size) AS (
    SELECT id, previous_id, 1, LENGTH(input) + LENGTH(response)
    FROM gateway_storedresponse WHERE id = %(id)s AND tenant_id = %(tenant_id)s AND expires_at > %(now)s
    UNION ALL
    SELECT earlier.id, earlier.previous_id, chain.depth + 1,
           chain.size + LENGTH(earlier.input) + LENGTH(earlier.response)
    FROM chain JOIN gateway_storedresponse AS earlier ON earlier.id = chain.previous_id
    WHERE earlier.tenant_id = %(tenant_id)s AND earlier.expires_at > %(now)s
      AND chain.depth <= %(turns_max)s AND chain.size <= %(bytes_max)s
)
SELECT id, previous_id, size FROM chain ORDER BY depth
"""


def insert_turns(turns: Sequence[StoredTurn]) -> None:
    """Write turns in one statement; one that is there already stays."""
    StoredResponse.objects.bulk_create([_to_row(turn) for turn in turns], ignore_conflicts=True)


def find_turn(tenant_id: int, response_id: str, now: datetime) -> StoredTurn | None:
    """Return a tenant's turn whose time is not over."""
    row = StoredResponse.objects.filter(id=response_id, tenant_id=tenant_id, expires_at__gt=now).first()
    return None if row is None else _to_turn(row)


def delete_turn(tenant_id: int, response_id: str, now: datetime) -> bool:
    """Delete a tenant's turn, and tell whether there was one."""
    kept = StoredResponse.objects.filter(id=response_id, tenant_id=tenant_id, expires_at__gt=now)
    return kept.delete()[0] > 0


def find_chain(tenant_id: int, response_id: str, bounds: Bounds, now: datetime) -> list[StoredTurn]:
    """Return the turns up to a response, oldest first. Raises InvalidRequest for a gap, and beyond the bounds."""
    values: dict[str, str | int] = {
        "id": response_id,
        "tenant_id": tenant_id,
        "now": str(connection.ops.adapt_datetimefield_value(now)),
        "turns_max": bounds.turns_max,
        "bytes_max": bounds.bytes_max,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CHAIN, values)
        steps: list[tuple[str, str, int]] = cursor.fetchall()
    if len(steps) > bounds.turns_max or (steps and steps[-1][2] > bounds.bytes_max):
        raise too_long(bounds)
    missing = steps[-1][1] if steps else response_id
    if missing:
        raise not_found(missing)
    found = StoredResponse.objects.in_bulk([step[0] for step in steps])
    return [_to_turn(found[step[0]]) for step in reversed(steps) if step[0] in found]


def expire_responses(now: datetime) -> int:
    """Delete every response whose time is over, and return how many there were; for housekeeping."""
    return StoredResponse.objects.filter(expires_at__lte=now).delete()[0]


def _to_row(turn: StoredTurn) -> StoredResponse:
    return StoredResponse(
        id=turn.id,
        tenant_id=turn.tenant_id,
        key_id=turn.key_id,
        created_at=turn.created_at,
        expires_at=turn.expires_at,
        previous_id=turn.previous_id,
        input=turn.input.decode(errors="replace"),
        response=turn.response.decode(errors="replace"),
        provider=turn.provider,
        upstream_id=turn.upstream_id,
    )


def _to_turn(row: StoredResponse) -> StoredTurn:
    return StoredTurn(
        id=row.id,
        tenant_id=row.tenant_id,
        key_id=row.key_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        input=row.input.encode(),
        response=row.response.encode(),
        previous_id=row.previous_id,
        provider=row.provider,
        upstream_id=row.upstream_id,
    )
