"""The lists of usage: names without joins, totals, and no looking back further than is quick."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from tenants.models import Key, Tenant
from tenants.paging import KeysetChangeList
from usage.admin.filters import DaysFilter
from usage.models import UsageHour, UsageRecord
from usage.reports.totals import Totals, add_hours, add_records

SCANNED_MAX = 100_000
_BY_INDEX = {"tenant__id__exact", "key__id__exact", "day_from"}
_KNOWN_TO_HOURS = _BY_INDEX | {"day_to", "route", "provider", "model"}


class UsageChangeList(KeysetChangeList):
    """What lists of records and of hours have in common."""

    totals: Totals

    @property
    def asked(self) -> set[str]:
        """Return the names of the filters in use."""
        return {name for name, values in self.get_filters_params().items() if any(values)}

    def narrow(self, request: HttpRequest, rows: QuerySet[Any], names: set[str]) -> QuerySet[Any]:
        """Apply those filters in use that go by one of the names."""
        for spec in self.filter_specs:
            if names & set(spec.expected_parameters()):
                narrowed = spec.queryset(request, rows)
                rows = rows if narrowed is None else narrowed
        return rows

    def hours_label(self) -> str:
        """Say which days the hours are of; nothing where no day is named."""
        days = next(spec for spec in self.filter_specs if isinstance(spec, DaysFilter))
        if days.since is None and days.until is None:
            return ""
        return "the days chosen"

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self._name(self.result_list)
        self.totals = self.add_up(request)

    def add_up(self, request: HttpRequest) -> Totals:
        """Return the totals of the filter."""
        hours = self.narrow(request, UsageHour.objects.all(), _KNOWN_TO_HOURS)
        return add_hours(hours, label=self.hours_label())

    def _name(self, rows: Any) -> None:
        """Set the names of tenants and keys; usage outlives both, so that a join could lose rows."""
        tenants = dict(Tenant.objects.filter(pk__in={row.tenant_id for row in rows}).values_list("pk", "name"))
        keys = dict(Key.objects.filter(pk__in={row.key_id for row in rows}).values_list("pk", "name"))
        for row in rows:
            row.tenant_name = tenants.get(row.tenant_id, f"deleted ({row.tenant_id})")
            row.key_name = keys.get(row.key_id, f"deleted ({row.key_id})")


class HourChangeList(UsageChangeList):
    """Usage by hour."""


class RecordChangeList(UsageChangeList):
    """Attempts. A filter that no index serves looks at the newest records only, and the page says so."""

    searched_since: datetime | None = None

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[UsageRecord]:
        rows = super().get_queryset(request, exclude_parameters)
        if self.query or not self.asked - _BY_INDEX - {"day_to"}:
            return rows
        served = self.narrow(request, self.root_queryset, _BY_INDEX | {"day_to"}).order_by("-started_at")
        oldest = served.values_list("started_at", flat=True)[SCANNED_MAX : SCANNED_MAX + 1]
        self.searched_since = next(iter(oldest), None)
        return rows.filter(started_at__gte=self.searched_since) if self.searched_since else rows

    def add_up(self, request: HttpRequest) -> Totals:
        if self.query or self.asked - _KNOWN_TO_HOURS:
            return add_records(self.queryset)
        return super().add_up(request)
