"""The lists of the ledger, of denials and of changes: newest first, named without joins, quick over any number of rows.

A filter that no index serves looks at the newest rows only, and the page says how far back that was.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from tenants.models import Key, Tenant
from tenants.paging import KeysetChangeList
from usage.admin.filters import DaysFilter, TextFilter
from usage.ledger.charges import read_charges, read_counter
from usage.models import Budget, LedgerEntry
from usage.rules.subjects import name_subjects

SCANNED_MAX = 100_000


class AtFilter(DaysFilter):
    """Rows from one day to another, both included."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        bounds = {"at__gte": self.since, "at__lt": self.until}
        return queryset.filter(**{name: value for name, value in bounds.items() if value})


class CodeFilter(TextFilter):
    """Refusals with one code."""

    title = "code"
    parameter_name = "code"


class RuleFilter(TextFilter):
    """Rows of one budget or limit."""

    title = "budget or limit"
    parameter_name = "rule"


class BoundedChangeList(KeysetChangeList):
    """Rows with an `at`. `served` names the filters that an index serves, besides the days."""

    served: frozenset[str] = frozenset()
    searched_since: datetime | None = None

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        rows = super().get_queryset(request, exclude_parameters)
        asked = {name for name, values in self.get_filters_params().items() if any(values)}
        if self.query or not asked - self.served - {"day_from", "day_to"}:
            return rows
        of_days = self.root_queryset
        for spec in self.filter_specs:
            if isinstance(spec, AtFilter):
                of_days = spec.queryset(request, of_days)
        oldest = of_days.order_by("-at").values_list("at", flat=True)[SCANNED_MAX : SCANNED_MAX + 1]
        self.searched_since = next(iter(oldest), None)
        return rows.filter(at__gte=self.searched_since) if self.searched_since else rows


class OwnedChangeList(BoundedChangeList):
    """Rows of tenants and keys, which they outlive."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        name_owners(self.result_list)


class DenialChangeList(OwnedChangeList):
    """Refusals, which have an index by tenant."""

    served = frozenset({"tenant__id__exact"})


class LedgerChangeList(OwnedChangeList):
    """Entries of the ledger, with the budgets they count against."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        name_budgets(self.result_list)


def name_owners(rows: Iterable[Any]) -> None:
    """Set the names of tenants and keys; a join could lose rows whose tenant is gone."""
    tenants = dict(Tenant.objects.filter(pk__in={row.tenant_id for row in rows}).values_list("pk", "name"))
    keys = dict(Key.objects.filter(pk__in={row.key_id for row in rows}).order_by().values_list("pk", "name"))
    for row in rows:
        row.tenant_name = _named(tenants, row.tenant_id)
        row.key_name = _named(keys, row.key_id)


def name_budgets(entries: Iterable[LedgerEntry]) -> None:
    """Set on every entry as `budgets` what it counts against, in words."""
    counters = {entry.pk: [read_counter(charge.counter) for charge in read_charges(entry.charges)] for entry in entries}
    flat = [counter for found in counters.values() for counter in found]
    budgets = dict(Budget.objects.filter(pk__in={counter.budget_id for counter in flat}).values_list("pk", "name"))
    subjects = name_subjects({counter.subject for counter in flat})
    for entry in entries:
        entry.budgets = [  # type: ignore[attr-defined] # for the page alone
            _named(budgets, counter.budget_id) + (f" for {subjects[counter.subject]}" if counter.subject else "")
            for counter in counters[entry.pk]
        ]


def _named(names: dict[int, str], number: int | None) -> str:
    return "" if number is None else names.get(number, f"deleted ({number})")
