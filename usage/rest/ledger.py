"""The ledger and the refusals over the wire: `GET /v0/management/ledger` and `/v0/management/denials`.

Newest first. A page ends at its size, or where so many rows were looked at that a rare match would take too long;
`next` goes on from there either way, until it is null.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from kernel.errors import InvalidRequest, PermissionRefused
from kernel.money import format_usd
from tenants.authentication import tenant_scope
from tenants.models import Tenant
from tenants.rest import ManagementView, refuse_unknown_parameters
from usage.models import Denial, LedgerEntry
from usage.rest.pages import read_moment, read_page_size, read_whole

__all__ = ["urlpatterns"]

SCANNED_MAX = 50_000
_SHARED = frozenset({"tenant", "key", "start", "end", "limit", "after", "request_id"})


class Page(NamedTuple):
    """Some rows, and where the next ones begin."""

    rows: list[Any]
    next: str | None


class LedgerView(ManagementView):
    """Entries, by `tenant`, `key`, `kind`, `request_id`, and from `start` to before `end`."""

    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, known=_SHARED | {"kind"})
        rows = LedgerEntry.objects.order_by("-at", "-entry_id")
        matching = _of_owner(request)
        if kind := request.query_params.get("kind"):
            if kind not in LedgerEntry.Kind.values:
                raise InvalidRequest(f"kind is one of {', '.join(LedgerEntry.Kind.values)}.", param="kind")
            matching &= Q(kind=kind)
        page = _page(request, rows, matching)
        return _answer(page, [_render_entry(entry) for entry in page.rows])


class DenialsView(ManagementView):
    """Refusals, by `tenant`, `key`, `code`, `rule`, `route`, `request_id`, and from `start` to before `end`."""

    def get(self, request: Request) -> Response:
        exact = ("code", "rule", "route")
        refuse_unknown_parameters(request, known=_SHARED | set(exact))
        rows = Denial.objects.order_by("-at", "-denial_id")
        matching = _of_owner(request)
        for name in exact:
            if name in request.query_params:
                matching &= Q(**{name: request.query_params[name]})
        page = _page(request, rows, matching)
        return _answer(page, [_render_denial(denial) for denial in page.rows])


def _of_owner(request: Request) -> Q:
    """Return the condition on tenant and key; a key sees its own tenant's rows."""
    for name, text in request.query_params.items():
        if "\0" in text:
            raise InvalidRequest(f"{name} has a character that no text here has.", param=name)
    own, slug, matching = tenant_scope(request), request.query_params.get("tenant"), Q()
    found = None if slug is None else Tenant.objects.filter(slug=slug).values_list("pk", flat=True).first()
    if own is not None and slug is not None and found != own:
        raise PermissionRefused("This key sees the rows of its own tenant only.", param="tenant")
    if slug is not None and found is None:
        raise InvalidRequest(f"There is no tenant {slug!r}.", param="tenant")
    if own is not None or found is not None:
        matching &= Q(tenant_id=found if own is None else own)
    if "key" in request.query_params:
        matching &= Q(key_id=read_whole(request, "key", usual=0))
    return matching


def _page(request: Request, rows: QuerySet[Any], matching: Q) -> Page:
    """Return the rows that match after the cursor, looking no further than is quick."""
    given, size = request.query_params, read_page_size(request)
    if "request_id" in given:  # an index serves it, and few rows share one
        matching &= Q(request_id=given["request_id"])
        rows = _within(rows, given).filter(matching)
        found = list(_after(request, rows)[: size + 1])
        return Page(found[:size], _cursor(found[size - 1].at, found[size - 1].pk) if len(found) > size else None)
    rows = _after(request, _within(rows, given))
    last = next(iter(rows.values_list("at", flat=True)[SCANNED_MAX - 1 : SCANNED_MAX]), None)
    looked_at = rows if last is None else rows.filter(at__gte=last)
    found = list(looked_at.filter(matching)[: size + 1])
    if len(found) > size:
        return Page(found[:size], _cursor(found[size - 1].at, found[size - 1].pk))
    return Page(found, None if last is None else _cursor(last))


def _within(rows: QuerySet[Any], given: Any) -> QuerySet[Any]:
    for name, bound in (("start", "at__gte"), ("end", "at__lt")):
        if name in given:
            rows = rows.filter(**{bound: read_moment(given[name], name)})
    return rows


def _cursor(at: datetime, pk: str = "") -> str:
    """Return where a page ended: at a row, or (no `pk`) with everything of a moment. It tells of no other row."""
    moment = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    return f"{moment}~{pk}" if pk else moment


def _after(request: Request, rows: QuerySet[Any]) -> QuerySet[Any]:
    cursor = request.query_params.get("after")
    if cursor is None:
        return rows
    moment, _, pk = cursor.partition("~")
    at = read_moment(moment, "after")
    return rows.filter(Q(at__lte=at) & (Q(at__lt=at) | Q(pk__lt=pk))) if pk else rows.filter(at__lt=at)


def _answer(page: Page, data: list[dict[str, Any]]) -> Response:
    return Response({"object": "list", "data": data, "next": page.next})


def _render_entry(entry: LedgerEntry) -> dict[str, Any]:
    nanos = entry.amount_nanos
    return {
        "id": entry.pk,
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "amount_nanos": nanos,
        "amount_usd": None if nanos is None else format_usd(nanos),
        "estimated": entry.estimated,
        "attempt_id": entry.attempt_id,
        "request_id": entry.request_id,
        "tenant_id": entry.tenant_id,
        "key_id": entry.key_id,
        "charges": entry.charges.split(),
        "reason": entry.reason,
        "actor": entry.actor_name,
    }


def _render_denial(denial: Denial) -> dict[str, Any]:
    return {
        "id": denial.pk,
        "at": denial.at.isoformat(),
        "code": denial.code,
        "rule": denial.rule,
        "remaining": denial.remaining,
        "count": denial.count,
        "request_id": denial.request_id,
        "tenant_id": denial.tenant_id,
        "key_id": denial.key_id,
        "user_id": denial.user_id,
        "route": denial.route,
    }


urlpatterns = [
    path("ledger", LedgerView.as_view(), name="management-ledger"),
    path("denials", DenialsView.as_view(), name="management-denials"),
]
