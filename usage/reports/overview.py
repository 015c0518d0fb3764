"""What the admin's first page asks beyond sums: the latest failures."""

from datetime import datetime

import msgspec

from tenants.models import Tenant
from usage.models import UsageRecord
from usage.reports.totals import SUCCESSES

_LOOKED_AT_MAX = 10_000


class Failure(msgspec.Struct, frozen=True):
    """One attempt that failed, in short."""

    attempt_id: str
    started_at: datetime
    tenant: str
    route: str
    target: str
    ending: str
    status: int | None
    error_code: str


def recent_failures(*, limit: int = 8) -> list[Failure]:
    """Return the latest failures among the newest attempts, the latest first."""
    newest = UsageRecord.objects.order_by("-started_at")
    oldest_looked_at = newest.values_list("started_at", flat=True)[_LOOKED_AT_MAX : _LOOKED_AT_MAX + 1]
    failed = newest.exclude(ending__in=SUCCESSES)
    for started_at in oldest_looked_at:
        failed = failed.filter(started_at__gte=started_at)
    rows = list(failed[:limit])
    names = dict(Tenant.objects.filter(pk__in={row.tenant_id for row in rows}).values_list("pk", "name"))
    return [
        Failure(
            attempt_id=row.attempt_id,
            started_at=row.started_at,
            tenant=names.get(row.tenant_id, ""),
            route=row.route,
            target=row.target,
            ending=row.ending,
            status=row.status,
            error_code=row.error_code,
        )
        for row in rows
    ]
