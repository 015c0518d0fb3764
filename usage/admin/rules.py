"""Budgets and limits in the admin: what is spent, reserved and left, and what an operator can do about it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from tenants.admin_base import ChangeList, ModelAdmin, button, column
from usage.admin.bars import bar_of_budget, bar_of_limit, usd
from usage.admin.history import history_of
from usage.ledger import budgets
from usage.models import Budget, Limit
from usage.rules.budget_windows import describe_window
from usage.rules.changes import FIXED, add_rule, change_rule, delete_rule
from usage.rules.forms import AdjustForm, BudgetForm, LimitForm, OverrideForm, RaiseForm, ReasonForm, SubjectForm
from usage.rules.limits import describe_value, read_uses
from usage.rules.standings import fullest
from usage.rules.subjects import describe_scope, name_subjects

_WHOSE = ("tenant", "user", "key")
_FILTERS = (
    "enabled",
    ("tenant", AutocompleteSelectFilter),
    ("key", AutocompleteSelectFilter),
    ("per", ChoicesDropdownFilter),
)
_SCOPE: Any = ("Which calls", {"fields": (("tenant", "user"), ("key", "route"), "per")})
_WHY: Any = ("Why", {"fields": ("reason",)})


class Action(NamedTuple):
    """Something to do to a budget: its page, its form, and the operation that it leads to."""

    title: str
    words: str
    form: type[forms.Form]
    do: Callable[..., object]
    done: str


ACTIONS = {
    "raise": Action(
        "Raise the limit",
        "What was spent stays counted. Every worker follows within a second.",
        RaiseForm,
        lambda budget, limit, **why: budgets.raise_limit(budget, to_nanos=limit, **why),
        "The limit was raised.",
    ),
    "reset": Action(
        "Reset what was spent",
        "The budget counts from zero again, for everybody it counts. The ledger keeps what was spent.",
        ReasonForm,
        budgets.reset,
        "It counts from zero again.",
    ),
    "override": Action(
        "Override the limit",
        "Another limit for one of those that this budget counts apart, until a moment or for good.",
        OverrideForm,
        lambda budget, limit, **rest: budgets.override(budget, limit_nanos=limit, **rest),
        "The override holds.",
    ),
    "end-override": Action(
        "End an override",
        "The budget's own limit holds again.",
        SubjectForm,
        budgets.end_override,
        "The override has ended.",
    ),
    "adjust": Action(
        "Adjust what was spent",
        "An entry in the ledger corrects what counts as spent in the present window.",
        AdjustForm,
        lambda budget, amount, **rest: budgets.adjust(budget, amount_nanos=amount, **rest),
        "The ledger has the correction.",
    ),
}


class RuleAdmin(ModelAdmin[Any]):
    """What the pages of budgets and limits share: every change goes into their history."""

    ordering = ("name",)
    search_fields = ("name", "route")
    change_form_outer_after_template = "admin/usage/history.html"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        reason = form.cleaned_data.get("reason", "")
        if change:
            fields = [name for name in form.changed_data if name != "reason"]
            change_rule(obj, fields=fields, actor=request.user, reason=reason)
        else:
            add_rule(obj, actor=request.user, reason=reason)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_rule(obj, actor=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for rule in queryset:
            delete_rule(rule, actor=request.user)

    @column("which calls")
    def scope(self, rule: Any) -> str:
        return describe_scope(rule)


class BudgetChangeList(ChangeList):
    """Budgets, each with the subject that is nearest to its limit."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        lines = fullest(self.result_list)
        for budget in self.result_list:
            budget.fullest = lines.get(budget.pk)


class LimitChangeList(ChangeList):
    """Limits, each with what is in use."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        uses = read_uses(self.result_list)
        for limit in self.result_list:
            limit.used = uses.get(limit.pk)


@admin.register(Budget)
class BudgetAdmin(RuleAdmin):
    """So much money a window."""

    form = BudgetForm
    list_display = ("name", "scope", "window", "limit", "standing_bar", "kind_badge", "enabled")
    list_select_related = _WHOSE
    autocomplete_fields = _WHOSE
    list_filter = (*_FILTERS, "hard", ("period", ChoicesDropdownFilter))
    change_form_outer_before_template = "admin/usage/budget/standing.html"
    actions_detail: Sequence[str] = ("raise_budget", "reset_budget", "override_budget", "adjust_budget")
    fieldsets = (
        (None, {"fields": (("name", "enabled"), ("limit_nanos", "hard"))}),
        (
            "Over which span",
            {
                "fields": (("period", "length", "time_zone"),),
                "description": "Changing the span, or which calls are counted, lets the budget count from zero.",
            },
        ),
        _SCOPE,
        ("Alerts", {"fields": ("alert_percents",)}),
        _WHY,
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BudgetChangeList

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        budget = self.get_object(request, object_id)
        shown = self._show(request, budget) if budget and self.has_view_permission(request, budget) else {}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def _show(self, request: HttpRequest, budget: Budget) -> dict[str, Any]:
        lines = budgets.standing(budget)
        return {
            "standings": [(line, bar_of_budget(budget, line), _amounts(line)) for line in lines],
            "standings_cut": len(lines) == budgets.SHOWN_MAX,
            "scope_words": describe_scope(budget),
            "window_words": describe_window(budget),
            "may_act": self.has_change_permission(request, budget),
            "history": history_of(budget),
        }

    # Doing something about it

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path(f"<int:pk>/{name}/", view(self.act_view), {"name": name}, name=f"usage_budget_{name}")
            for name in ACTIONS
        ]
        return own + super().get_urls()

    def act_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Ask what it takes and why, then do it."""
        budget, action = get_object_or_404(Budget, pk=pk), ACTIONS[name]
        if not self.has_change_permission(request, budget):
            raise PermissionDenied
        if request.method != "POST":
            form = action.form(initial={"subject": request.GET.get("subject", "")})
            return self._page(request, budget, action, form)
        form = action.form(request.POST)
        if form.is_valid() and self._act(request, budget, action, form):
            return HttpResponseRedirect(reverse("admin:usage_budget_change", args=[pk]))
        return self._page(request, budget, action, form)

    def _act(self, request: HttpRequest, budget: Budget, action: Action, form: forms.Form) -> bool:
        try:
            action.do(budget, actor=request.user, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused)
            return False
        self.log_change(request, budget, action.done)
        messages.success(request, f"{budget}: {action.done}")
        return True

    def _page(self, request: HttpRequest, budget: Budget, action: Action, form: forms.Form) -> HttpResponse:
        if not budget.per and "subject" in form.fields and "subject" not in form.errors:
            form.fields["subject"].widget = forms.HiddenInput()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{action.title} of {budget}",
            "action": action,
            "budget": budget,
            "form": form,
            "media": self.media + form.media,
            "limit_words": usd(budget.limit_nanos),
            "subject_words": name_subjects([subject])[subject] if (subject := request.GET.get("subject", "")) else "",
        }
        return TemplateResponse(request, "admin/usage/budget/act.html", context)

    @button("Raise it", icon="trending_up", permissions=("change",))
    def raise_budget(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return _to("raise", object_id)

    @button("Reset", icon="restart_alt", permissions=("change",))
    def reset_budget(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return _to("reset", object_id)

    @button("Override", icon="tune", permissions=("change",))
    def override_budget(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return _to("override", object_id)

    @button("Adjust", icon="edit_note", permissions=("change",))
    def adjust_budget(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return _to("adjust", object_id)

    # Columns

    @column("window")
    def window(self, budget: Budget) -> str:
        return describe_window(budget)

    @column("limit", ordering="limit_nanos")
    def limit(self, budget: Budget) -> str:
        return usd(budget.limit_nanos)

    @column("spent, reserved, left")
    def standing_bar(self, budget: Any) -> str:
        return bar_of_budget(budget, budget.fullest, named=True).render() if budget.fullest else "nothing yet"

    @column("kind", label={"hard": "danger", "soft": "info"})
    def kind_badge(self, budget: Budget) -> str:
        return "hard" if budget.hard else "soft"


@admin.register(Limit)
class LimitAdmin(RuleAdmin):
    """So many requests, tokens, calls or streams."""

    form = LimitForm
    list_display = ("name", "allows", "scope", "use_bar", "enabled")
    list_filter = (*_FILTERS, ("measure", ChoicesDropdownFilter))
    list_select_related = (*_WHOSE, "provider")
    autocomplete_fields = (*_WHOSE, "provider")
    change_form_outer_before_template = "admin/usage/limit/use.html"
    fieldsets = (
        (None, {"fields": (("name", "enabled"), ("value", "measure", "span"), "provider")}),
        _SCOPE,
        _WHY,
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LimitChangeList

    def get_readonly_fields(self, request: HttpRequest, obj: Limit | None = None) -> Any:
        """What a limit measures stays as it is: its counter would go on with numbers of another meaning."""
        return tuple(name.removesuffix("_id") for name in FIXED) if obj else ()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        limit = self.get_object(request, object_id)
        shown: dict[str, Any] = {}
        if limit and self.has_view_permission(request, limit):
            used = read_uses([limit]).get(limit.pk)
            shown = {
                "bar": None if used is None else bar_of_limit(limit, used),
                "scope_words": describe_scope(limit),
                "value_words": describe_value(limit),
                "history": history_of(limit),
            }
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    @column("allows")
    def allows(self, limit: Limit) -> str:
        return describe_value(limit)

    @column("in use now")
    def use_bar(self, limit: Any) -> str:
        return "-" if limit.used is None else bar_of_limit(limit, limit.used).render()


def _amounts(line: budgets.Standing) -> list[str]:
    reserved = "unknown" if line.reserved_nanos is None else usd(line.reserved_nanos)
    return [usd(line.limit_nanos), usd(line.spent_nanos), reserved, usd(line.left_nanos)]


def _to(name: str, object_id: str) -> HttpResponse:
    return HttpResponseRedirect(reverse(f"admin:usage_budget_{name}", args=[object_id]))
