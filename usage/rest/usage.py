"""`GET /v0/management/usage`: the sums of usage and cost, over the wire."""

from datetime import datetime, time, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import msgspec
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from kernel import clock
from kernel.errors import InvalidRequest, PermissionRefused
from kernel.money import format_usd
from tenants.authentication import tenant_scope
from tenants.models import Tenant
from tenants.rest import ManagementView, refuse_unknown_parameters
from usage.reports import summaries
from usage.reports.summaries import GroupBy, Summary, SummaryRow, Sums

__all__ = ["UsageView", "urlpatterns"]

_PARAMETERS = frozenset({"start", "end", "timezone", "group_by", "tenant", "key"})
_USUAL_PERIOD = timedelta(days=30)
_LONGEST_PERIOD = timedelta(days=3_700)
_YEARS = range(2000, 2200)


class UsageView(ManagementView):
    """What was used from `start` to before `end`, in groups.

    `start` and `end` are ISO 8601 instants or days; without an offset they are of `timezone`. Usual are the last 30
    days up to now, in days of UTC. A key sees its own tenant.
    """

    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, known=_PARAMETERS)
        found = summaries.summary(**_question_in(request))
        return Response(_render(found))


def _question_in(request: Request) -> dict[str, Any]:
    """Read the query. Raises InvalidRequest naming the parameter that is wrong."""
    given = request.query_params
    zone = _zone_in(given.get("timezone", "UTC"))
    until = _instant_in(given["end"], "end", zone) if "end" in given else clock.now()
    since = _instant_in(given["start"], "start", zone) if "start" in given else _usual_start(until, zone)
    if since >= until:
        raise InvalidRequest("start must be before end.", param="start")
    if until - since > _LONGEST_PERIOD:
        raise InvalidRequest(f"The period is longer than {_LONGEST_PERIOD.days} days.", param="start")
    return {
        "since": since,
        "until": until,
        "time_zone": zone.key,
        "group_by": _group_in(given.get("group_by", "day")),
        "tenant_id": _tenant_in(request),
        "key_id": _key_in(given["key"]) if "key" in given else None,
    }


def _zone_in(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidRequest(f"{text!r} is not an IANA time zone such as Europe/Berlin.", param="timezone") from error


def _instant_in(text: str, param: str, zone: ZoneInfo) -> datetime:
    """Read an instant; the + of an offset may have come as the space that an unescaped + means in a query."""
    try:
        instant = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text.strip())
    except ValueError as error:
        raise InvalidRequest(f"{text!r} is not an ISO 8601 day or instant.", param=param) from error
    if instant.year not in _YEARS:
        raise InvalidRequest(f"{param} must be in the years {_YEARS[0]} to {_YEARS[-1]}.", param=param)
    return instant if instant.tzinfo else instant.replace(tzinfo=zone)


def _usual_start(until: datetime, zone: ZoneInfo) -> datetime:
    """Return the midnight at which the usual period begins."""
    return datetime.combine((until - _USUAL_PERIOD).astimezone(zone).date(), time(), zone)


def _group_in(text: str) -> GroupBy:
    for group in get_args(GroupBy):
        if text == group:
            return group  # type: ignore[no-any-return]  # get_args is untyped
    raise InvalidRequest(f"group_by must be one of {', '.join(get_args(GroupBy))}.", param="group_by")


def _tenant_in(request: Request) -> int | None:
    """Return the tenant asked for by its slug. Raises PermissionRefused where that isn't the key's own."""
    slug, own = request.query_params.get("tenant"), tenant_scope(request)
    if slug is None:
        return own
    found = Tenant.objects.filter(slug=slug).values_list("pk", flat=True).first()
    if own is not None and found != own:
        raise PermissionRefused("This key sees the usage of its own tenant only.", param="tenant")
    if found is None:
        raise InvalidRequest(f"There is no tenant {slug!r}.", param="tenant")
    return int(found)


def _key_in(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidRequest("key is the number of a key.", param="key")
    return int(text)


def _render(found: Summary) -> dict[str, Any]:
    return {
        "object": "usage",
        "start": found.since.isoformat(),
        "end": found.until.isoformat(),
        "timezone": found.time_zone,
        "group_by": found.group_by,
        "rows": [_render_row(found.group_by, row) for row in found.rows],
        "truncated": found.truncated,
        "totals": _render_sums(found.totals),
    }


def _render_row(group_by: GroupBy, row: SummaryRow) -> dict[str, Any]:
    identity = {group_by: row.value} if row.id is None else {group_by: row.value, f"{group_by}_id": row.id}
    return identity | _render_sums(row.sums)


def _render_sums(sums: Sums) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(sums),
        "cost_usd": format_usd(sums.cost_nanos),
        "mean_latency_us": sums.mean_latency_us,
    }


urlpatterns = [path("usage", UsageView.as_view(), name="management-usage")]
