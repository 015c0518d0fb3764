"""Lists that stay quick over tables of any size.

Counting a table reads all of it, and so does skipping to its ten-thousandth page. Here the count is exact up to a bound
and an estimate beyond, and the next page starts at a key, not after a number of rows.
"""

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db import connections
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

from tenants.admin_base import ChangeList

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    _Page = ModelAdmin[Any]
else:
    _Page = object

BOUND_ROWS = 10_000
OLDER, NEWER = "older", "newer"

# A partitioned table is not analyzed as a whole by itself; its partitions are.
_POSTGRESQL_ESTIMATE = (
    "SELECT COALESCE(SUM(reltuples), 0)::bigint FROM pg_class WHERE relkind = 'r' AND reltuples > 0 AND "
    "(oid = %s::regclass OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = %s::regclass))"
)


def estimate_rows(rows: QuerySet[Any]) -> int | None:
    """Return about how many rows the whole table has, from what the database knows without counting."""
    connection = connections[rows.db]
    table = rows.model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRESQL_ESTIMATE, [table, table])
        elif connection.vendor == "sqlite":
            cursor.execute(f"SELECT MAX(rowid) FROM {connection.ops.quote_name(table)}")  # noqa: S608 - a model's table
        else:
            return None
        found = cursor.fetchone()
    return found[0] if found else None


class EstimatedPaginator(Paginator[Any]):
    """A paginator that counts no further than a bound and says how sure it is."""

    template_name = "admin/keyset_pagination.html"
    object_list: Any

    @cached_property
    def _bounded(self) -> int:
        return int(self.object_list.order_by().values("pk")[: BOUND_ROWS + 1].count())

    @cached_property
    def count(self) -> int:
        if self._bounded <= BOUND_ROWS or self.object_list.query.where:
            return self._bounded
        return max(self._bounded, estimate_rows(self.object_list) or 0)

    @property
    def count_text(self) -> str:
        """Return the count in words: exact, a lower bound, or an estimate."""
        if self._bounded <= BOUND_ROWS:
            return f"{self.count:,}"
        return f"about {self.count:,}" if self.count > self._bounded else f"more than {BOUND_ROWS:,}"


class KeysetChangeList(ChangeList):
    """A list whose pages start at a row: the page admin's `ordering`, all descending, the last one unique."""

    has_older: bool
    has_newer: bool

    def get_results(self, request: HttpRequest) -> None:
        older, newer = getattr(request, "keyset", ("", ""))
        rows = self._page_from(older=older, newer=newer)
        full = len(rows) > self.list_per_page
        rows = rows[: self.list_per_page]
        if newer:
            rows.reverse()
        self.has_older, self.has_newer = (True, full) if newer else (full, bool(older))
        self._publish(request, rows)

    @property
    def older_url(self) -> str:
        """Return the link to the next page, empty on the last."""
        return self.get_query_string({OLDER: self.result_list[-1].pk}) if self.has_older and self.result_list else ""

    @property
    def newer_url(self) -> str:
        """Return the link to the page before, empty on the first."""
        return self.get_query_string({NEWER: self.result_list[0].pk}) if self.has_newer and self.result_list else ""

    @property
    def newest_url(self) -> str:
        """Return the link to the first page."""
        return self.get_query_string()

    def _page_from(self, *, older: str, newer: str) -> list[Any]:
        fields = [str(name).removeprefix("-") for name in self.model_admin.ordering or ()]
        cursor = self._row_at(older or newer)
        if cursor is None:
            page = self.queryset.order_by(*(f"-{name}" for name in fields))
        elif newer:
            page = self.queryset.filter(_beyond(cursor, fields, "gt")).order_by(*fields)
        else:
            page = self.queryset.filter(_beyond(cursor, fields, "lt")).order_by(*(f"-{name}" for name in fields))
        return list(page[: self.list_per_page + 1])

    def _row_at(self, key: str) -> Model | None:
        pk = self.model._meta.pk
        if not key or (pk.get_internal_type().endswith("AutoField") and not key.isdecimal()):
            return None
        return self.root_queryset.filter(pk=key).first()

    def _publish(self, request: HttpRequest, rows: list[Any]) -> None:
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        self.result_count = self.paginator.count
        self.result_list = rows
        self.full_result_count = self.result_count  # anything else makes the header offer to show all
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = self.has_older or self.has_newer


def _beyond(cursor: Model, fields: list[str], comparison: str) -> Q:
    """Return the rows after the cursor in the order of the fields.

    The first field's own bound stands beside the exact condition, because that is what an index can use.
    """
    first = fields[0]
    exact, equal = Q(), Q()
    for name in fields:
        value = getattr(cursor, name)
        exact |= equal & Q(**{f"{name}__{comparison}": value})
        equal &= Q(**{name: value})
    return exact if len(fields) == 1 else Q(**{f"{first}__{comparison}e": getattr(cursor, first)}) & exact


class KeysetAdmin(_Page):
    """Mix into a page for a big table, before ModelAdmin."""

    paginator = EstimatedPaginator
    show_full_result_count = False
    sortable_by = ()
    list_disable_select_all = True  # unfold's: no action over more rows than are seen

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Take the cursor out of the query, so that no filter or link carries it on."""
        query = request.GET.copy()
        older, newer = (str(query.pop(name, [""])[-1]) for name in (OLDER, NEWER))
        request.GET = query  # type: ignore[assignment] # a QueryDict like before, and still not written to
        request.keyset = (older, newer)  # type: ignore[attr-defined] # read by KeysetChangeList
        return super().changelist_view(request, extra_context)
