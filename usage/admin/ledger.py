"""The ledger, the refusals and the history of rules in the admin, to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter

from kernel.money import format_usd
from tenants.admin_base import ChangeList, ModelAdmin, ViewOnly, column
from tenants.paging import KeysetAdmin
from usage.admin.bars import usd
from usage.admin.filters import RouteFilter
from usage.admin.history import describe_change
from usage.admin.ledger_lists import (
    AtFilter,
    BoundedChangeList,
    CodeFilter,
    DenialChangeList,
    LedgerChangeList,
    RuleFilter,
    name_budgets,
    name_owners,
)
from usage.admin.searches import FOUND_MAX, begins
from usage.models import Denial, LedgerEntry, PolicyChange
from usage.rules.subjects import name_subjects

KIND_COLORS = {"reserve": "info", "post": "success", "void": "", "expire": "warning", "adjust": "primary"}
_CODE_COLORS = {"budget_exceeded": "danger", "rate_limit_exceeded": "warning"}
_ACTION_COLORS = {
    "created": "success",
    "changed": "info",
    "deleted": "danger",
    "raised": "warning",
    "reset": "warning",
    "overridden": "warning",
    "override_ended": "info",
    "adjusted": "primary",
}


@admin.register(LedgerEntry)
class LedgerEntryAdmin(KeysetAdmin, ViewOnly, ModelAdmin[LedgerEntry]):
    """Every movement of money, newest first."""

    ordering = ("-at", "-entry_id")
    list_display = ("when", "kind_badge", "amount", "call", "tenant_shown", "key_shown", "budgets_shown", "note")
    list_filter = (
        AtFilter,
        ("kind", ChoicesDropdownFilter),
        ("tenant", AutocompleteSelectFilter),
        ("key", AutocompleteSelectFilter),
        ("estimated", BooleanRadioFilter),
    )
    list_before_template = "admin/usage/searched.html"
    search_fields = ("request_id",)
    search_help_text = "How a request id or an attempt id begins"
    actions = None
    fields = (
        ("when", "kind_badge", "amount"),
        ("request_id", "attempt_id"),
        ("tenant_shown", "key_shown"),
        "budgets_shown",
        ("charges", "worker"),
        ("estimated", "actor_name"),
        "reason",
    )
    readonly_fields = ("when", "kind_badge", "amount", "tenant_shown", "key_shown", "budgets_shown")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LedgerChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> LedgerEntry | None:
        entry = super().get_object(request, object_id, from_field)
        if entry is not None:
            name_owners([entry])
            name_budgets([entry])
        return entry

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LedgerEntry], search_term: str
    ) -> tuple[QuerySet[LedgerEntry], bool]:
        term = search_term.strip()
        return (queryset.filter(pk__in=find_entries(term)) if term else queryset), False

    @column("at")
    def when(self, entry: LedgerEntry) -> str:
        return f"{timezone.localtime(entry.at):%d %b %Y %H:%M:%S}"

    @column("kind", label=KIND_COLORS)
    def kind_badge(self, entry: LedgerEntry) -> str:
        return entry.kind

    @column("amount")
    def amount(self, entry: LedgerEntry) -> str:
        if entry.amount_nanos is None:
            return "no price"
        return f"{'≈ ' if entry.estimated else ''}{usd(entry.amount_nanos)}"

    @column("request")
    def call(self, entry: LedgerEntry) -> str:
        return entry.request_id or "-"

    @column("tenant")
    def tenant_shown(self, entry: Any) -> str:
        return entry.tenant_name or "-"

    @column("key")
    def key_shown(self, entry: Any) -> str:
        return entry.key_name or "-"

    @column("counts against")
    def budgets_shown(self, entry: Any) -> str:
        return ", ".join(entry.budgets) or "-"

    @column("note")
    def note(self, entry: LedgerEntry) -> str:
        return " · ".join(words for words in (entry.actor_name, entry.reason) if words) or "-"


@admin.register(Denial)
class DenialAdmin(KeysetAdmin, ViewOnly, ModelAdmin[Denial]):
    """What limits and budgets refused, newest first; one row may stand for many calls of a moment."""

    ordering = ("-at", "-denial_id")
    list_display = ("when", "code_badge", "rule", "tenant_shown", "key_shown", "route", "left", "calls", "request_id")
    list_filter = (
        AtFilter,
        CodeFilter,
        RuleFilter,
        RouteFilter,
        ("tenant", AutocompleteSelectFilter),
        ("key", AutocompleteSelectFilter),
    )
    list_before_template = "admin/usage/searched.html"
    search_fields = ("request_id",)
    search_help_text = "How the id of a refused request begins; of many refused in a moment the last one is kept"
    actions = None
    fields = (
        ("when", "code_badge", "rule"),
        ("tenant_shown", "key_shown", "user_id"),
        ("route", "left"),
        ("calls", "request_id"),
    )
    readonly_fields = ("when", "code_badge", "tenant_shown", "key_shown", "left", "calls")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DenialChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Denial | None:
        denial = super().get_object(request, object_id, from_field)
        if denial is not None:
            name_owners([denial])
        return denial

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Denial], search_term: str
    ) -> tuple[QuerySet[Denial], bool]:
        term = search_term.strip()
        return (queryset.filter(begins("request_id", term)) if term else queryset), False

    @column("at")
    def when(self, denial: Denial) -> str:
        return f"{timezone.localtime(denial.at):%d %b %Y %H:%M:%S}"

    @column("code", label=_CODE_COLORS)
    def code_badge(self, denial: Denial) -> str:
        return denial.code

    @column("tenant")
    def tenant_shown(self, denial: Any) -> str:
        return denial.tenant_name or "-"

    @column("key")
    def key_shown(self, denial: Any) -> str:
        return denial.key_name or "-"

    @column("left of it")
    def left(self, denial: Denial) -> str:
        return f"${format_usd(denial.remaining)}" if denial.code == "budget_exceeded" else f"{denial.remaining:,}"

    @column("calls")
    def calls(self, denial: Denial) -> str:
        return f"{denial.count:,}"


class ChangeChangeList(BoundedChangeList):
    """The history, with subjects by their names."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        names = name_subjects({change.subject for change in self.result_list})
        for change in self.result_list:
            change.subject_name = names[change.subject] if change.subject else ""


@admin.register(PolicyChange)
class PolicyChangeAdmin(KeysetAdmin, ViewOnly, ModelAdmin[PolicyChange]):
    """Who changed which budget or limit, newest first."""

    ordering = ("-id",)
    list_display = ("when", "who", "action_badge", "rule", "subject_shown", "what", "reason")
    list_filter = (
        AtFilter,
        ("action", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        RuleFilter,
    )
    list_before_template = "admin/usage/searched.html"
    actions = None
    fields = (("when", "who"), ("action_badge", "kind", "rule"), "subject_shown", "what", "reason")
    readonly_fields = ("when", "who", "action_badge", "subject_shown", "what")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ChangeChangeList

    @column("at")
    def when(self, change: PolicyChange) -> str:
        return f"{timezone.localtime(change.at):%d %b %Y %H:%M:%S}"

    @column("who")
    def who(self, change: PolicyChange) -> str:
        return change.actor_name or "-"

    @column("did", label=_ACTION_COLORS)
    def action_badge(self, change: PolicyChange) -> tuple[str, str]:
        return change.action, change.get_action_display().lower()

    @column("for")
    def subject_shown(self, change: Any) -> str:
        return getattr(change, "subject_name", change.subject) or "-"

    @column("what")
    def what(self, change: PolicyChange) -> str:
        return format_html_join("", '<span class="block">{}</span>', ((line,) for line in describe_change(change)))


def find_entries(term: str) -> list[str]:
    """Return the entries whose request's or attempt's id begins with a term; no more than a page can use."""
    by_attempt = LedgerEntry.objects.filter(begins("entry_id", term))
    by_request = LedgerEntry.objects.filter(begins("request_id", term))
    found = [rows.order_by().values_list("pk", flat=True)[:FOUND_MAX] for rows in (by_attempt, by_request)]
    return [pk for pks in found for pk in pks]


def call_ledger(*, request_id: str, key_id: int) -> dict[str, Any]:
    """Return the entries of one call, in the order in which money moves, and whether they add up.

    Two callers may give their requests one id, hence the key.
    """
    same_id = LedgerEntry.objects.filter(request_id=request_id).order_by()[:FOUND_MAX]
    entries = sorted((entry for entry in same_id if entry.key_id == key_id), key=_moved)
    name_budgets(entries)
    sums = {kind: sum(entry.amount_nanos or 0 for entry in entries if entry.kind == kind) for kind in LedgerEntry.Kind}
    return {
        "rows": [(entry, "no price" if entry.amount_nanos is None else usd(entry.amount_nanos)) for entry in entries],
        "remark": _remark(sums) if any(entry.kind == "reserve" for entry in entries) else "",
    }


def _moved(entry: LedgerEntry) -> tuple[int, Any, str]:
    return list(LedgerEntry.Kind).index(LedgerEntry.Kind(entry.kind)), entry.at, entry.entry_id


def _remark(sums: dict[LedgerEntry.Kind, int]) -> str:
    """Hold what was reserved against what became of it."""
    kind = LedgerEntry.Kind
    rest = sums[kind.RESERVE] - sums[kind.POST] - sums[kind.VOID] - sums[kind.EXPIRE]
    if rest == 0:
        return "What was reserved is what was posted and what was given back."
    if rest < 0:
        return f"It cost {usd(-rest)} more than was reserved for it."
    return f"{usd(rest)} of what was reserved is not accounted for yet."
