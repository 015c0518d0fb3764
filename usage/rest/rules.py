"""Budgets and limits over the wire, under `/v0/management/`.

    GET, POST            budgets, limits             a page of them; a new one
    GET, PATCH, DELETE   budgets/{id}, limits/{id}   one of them
    GET                  budgets/{id}/standing       what is spent, reserved and left, subject by subject
    POST                 budgets/{id}/{action}       raise, reset, override, end-override or adjust it

Staff read all, and write what their permissions let them; a management key reads its own tenant's. Every change takes
a `reason`, which the actions demand, and goes into the history.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from kernel.errors import InvalidRequest, NotFound, PermissionRefused
from tenants.authentication import tenant_scope
from tenants.rest import ManagementView, refuse_unknown_parameters
from usage.ledger import budgets
from usage.models import Budget, Limit
from usage.rest.pages import read_page_size, read_whole
from usage.rest.rule_json import (
    ACTION_FIELDS,
    BUDGET_FIELDS,
    LIMIT_FIELDS,
    Readers,
    as_row_fields,
    read_fields,
    refused,
    render_budget,
    render_limit,
    render_standing,
)
from usage.rules.changes import add_rule, change_rule, delete_rule
from usage.rules.limits import read_uses

__all__ = ["urlpatterns"]

RuleT = TypeVar("RuleT", Budget, Limit)
ACTIONS: Mapping[str, Callable[..., object]] = {
    "raise": lambda budget, limit_usd, **why: budgets.raise_limit(budget, to_nanos=limit_usd, **why),
    "reset": budgets.reset,
    "override": lambda budget, limit_usd, **rest: budgets.override(budget, limit_nanos=limit_usd, **rest),
    "end-override": budgets.end_override,
    "adjust": lambda budget, amount_usd, **rest: budgets.adjust(budget, amount_nanos=amount_usd, **rest),
}


class RuleView(ManagementView, Generic[RuleT]):
    """What budgets and limits have in common."""

    model: type[RuleT]
    fields: Readers
    related: tuple[str, ...]

    def rows(self, request: Request) -> QuerySet[RuleT]:
        """Return the rules that a request may see."""
        rows: QuerySet[RuleT] = self.model.objects.select_related(*self.related).order_by("pk")
        own = tenant_scope(request)
        return rows if own is None else rows.filter(Q(tenant=own) | Q(key__tenant=own))

    def find(self, request: Request, pk: int) -> RuleT:
        """Return one of them. Raises NotFound."""
        found: RuleT | None = self.rows(request).filter(pk=pk).first()
        if found is None:
            raise NotFound(f"There is no {self.model._meta.verbose_name} {pk}.")
        return found

    def demand(self, request: Request, verb: str) -> None:
        """Raise PermissionRefused unless it is a person who may do that; keys only read."""
        name = self.model._meta.model_name
        if tenant_scope(request) is not None or not request.user.has_perm(f"usage.{verb}_{name}"):
            raise PermissionRefused(f"This needs a staff session with the permission to {verb} a {name}.")

    def render(self, rules: list[RuleT]) -> list[dict[str, Any]]:
        """Return rules as they go over the wire."""
        raise NotImplementedError

    def one(self, request: Request, pk: int, status: int = 200) -> Response:
        """Answer with a rule as it is stored."""
        return Response(self.render([self.find(request, pk)])[0], status=status)


class RuleListView(RuleView[RuleT]):
    """All of them, in the order in which they were made."""

    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, known=frozenset({"after", "limit"}))
        size = read_page_size(request)
        rows = self.rows(request).filter(pk__gt=read_whole(request, "after", usual=0))
        found: list[RuleT] = list(rows[: size + 1])
        return Response({"object": "list", "data": self.render(found[:size]), "has_more": len(found) > size})

    def post(self, request: Request) -> Response:
        self.demand(request, "add")
        values = read_fields(request.data, self.fields)
        rule = self.model(**as_row_fields(values))
        try:
            rule.full_clean()
            add_rule(rule, actor=request.user, reason=values.get("reason", ""))
        except ValidationError as error:
            raise refused(error) from error
        return self.one(request, rule.pk, status=201)


class RuleDetailView(RuleView[RuleT]):
    """One of them."""

    def get(self, request: Request, pk: int) -> Response:
        refuse_unknown_parameters(request, known=frozenset())
        return self.one(request, pk)

    def patch(self, request: Request, pk: int) -> Response:
        self.demand(request, "change")
        rule, values = self.find(request, pk), read_fields(request.data, self.fields)
        changes = as_row_fields(values)
        for name, value in changes.items():
            setattr(rule, name, value)
        try:
            rule.full_clean()
            change_rule(rule, fields=changes, actor=request.user, reason=values.get("reason", ""))
        except ValidationError as error:
            raise refused(error) from error
        return self.one(request, pk)

    def delete(self, request: Request, pk: int) -> Response:
        self.demand(request, "delete")
        reason = read_fields(request.data, {"reason": self.fields["reason"]}).get("reason", "")
        delete_rule(self.find(request, pk), actor=request.user, reason=reason)
        return Response({"object": self.model._meta.model_name, "id": pk, "deleted": True})


class BudgetView(RuleView[Budget]):
    """Of budgets."""

    model = Budget
    fields = BUDGET_FIELDS
    related = ("tenant", "user", "key__tenant")

    def render(self, rules: list[Budget]) -> list[dict[str, Any]]:
        return [render_budget(budget) for budget in rules]


class LimitView(RuleView[Limit]):
    """Of limits."""

    model = Limit
    fields = LIMIT_FIELDS
    related = ("tenant", "user", "key", "provider")

    def render(self, rules: list[Limit]) -> list[dict[str, Any]]:
        uses = read_uses(rules)
        return [render_limit(limit, used=uses.get(limit.pk)) for limit in rules]


class BudgetListView(BudgetView, RuleListView[Budget]):
    """`budgets`."""


class BudgetDetailView(BudgetView, RuleDetailView[Budget]):
    """`budgets/{id}`."""


class LimitListView(LimitView, RuleListView[Limit]):
    """`limits`."""


class LimitDetailView(LimitView, RuleDetailView[Limit]):
    """`limits/{id}`."""


class StandingView(BudgetView):
    """`budgets/{id}/standing`: the subjects with the largest share first, no more than fifty."""

    def get(self, request: Request, pk: int) -> Response:
        refuse_unknown_parameters(request, known=frozenset())
        lines = budgets.standing(self.find(request, pk))
        return Response({"object": "list", "budget": pk, "data": [render_standing(line) for line in lines]})


class BudgetActionView(BudgetView):
    """`budgets/{id}/{action}`: answers with the budget as it is afterwards."""

    def post(self, request: Request, pk: int, action: str) -> Response:
        if action not in ACTIONS:
            raise NotFound(f"There is no action {action!r}: there are {', '.join(ACTIONS)}.")
        self.demand(request, "change")
        budget, values = self.find(request, pk), read_fields(request.data, ACTION_FIELDS[action])
        for name in ACTION_FIELDS[action].keys() - {"subject", "until"} - values.keys():
            raise InvalidRequest(f"{name} is missing.", param=name)
        usual = {"subject": "", "until": None}
        given = {name: values.get(name, usual.get(name)) for name in ACTION_FIELDS[action]}
        try:
            ACTIONS[action](budget, actor=request.user, **given)
        except ValidationError as error:
            raise refused(error) from error
        return self.one(request, pk)


urlpatterns = [
    path("budgets", BudgetListView.as_view(), name="management-budgets"),
    path("budgets/<int:pk>", BudgetDetailView.as_view(), name="management-budget"),
    path("budgets/<int:pk>/standing", StandingView.as_view(), name="management-budget-standing"),
    path("budgets/<int:pk>/<str:action>", BudgetActionView.as_view(), name="management-budget-action"),
    path("limits", LimitListView.as_view(), name="management-limits"),
    path("limits/<int:pk>", LimitDetailView.as_view(), name="management-limit"),
]
