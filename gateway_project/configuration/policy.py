"""Declared budgets and limits become rows, and every change of them is written into their history.

They are known by name. What an operator does to a budget while it is in force (raise it, reset it, override it) holds
until a file that states something else is applied with `update`.
"""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from gateway_project.configuration.declared import DeclaredAllowance, DeclaredBudget, DeclaredCalls, DeclaredLimit
from gateway_project.configuration.document import Mark
from gateway_project.configuration.people import find_tenant
from gateway_project.configuration.rows import Application
from kernel import clock
from providers.models import Provider
from routing.models import Route
from tenants.models import Key, Tenant, User
from usage.ledger import budgets
from usage.models.rules import Budget, BudgetAllowance, Limit, Per
from usage.rules.changes import add_rule, change_rule

ACTOR = "configuration file"
PERIODS = tuple(Budget.Period.values)
ROLLING = frozenset({Budget.Period.ROLLING_HOURS.value, Budget.Period.ROLLING_DAYS.value})
MEASURES = tuple(Limit.Measure.values)
SPANS = tuple(Limit.Span.values)
PERS = tuple(value for value in Per.values if value)


def put_budget(application: Application, declared: DeclaredBudget) -> None:
    """Create or revise a budget and the overrides that its declaration states; others stay."""
    found = _find(application, declared.calls, declared.at)
    if found is None:
        return
    label = f"budget {declared.name}"
    row = Budget.objects.filter(name=declared.name).first()
    if _put(application, row or Budget(name=declared.name), {**declared.values, **found}, declared.at, label):
        budget = Budget.objects.get(name=declared.name)
        for allowance in declared.allowances:
            _put_allowance(application, budget, allowance, label)


def put_limit(application: Application, declared: DeclaredLimit) -> None:
    """Create or revise a limit."""
    found = _find(application, declared.calls, declared.at)
    if declared.provider is not None and found is not None:
        provider = _find_provider(application, declared.provider, declared.at)
        found = None if provider is None else {**found, "provider": provider}
    if found is None:
        return
    row = Limit.objects.filter(name=declared.name).first() or Limit(name=declared.name)
    _put(application, row, {**declared.values, **found}, declared.at, f"limit {declared.name}")


def _put(application: Application, row: Budget | Limit, values: Mapping[str, Any], at: Mark, label: str) -> bool:
    """Save a rule where it is new, or differs and rows are changed; False where it does not hold."""
    fresh = row.pk is None
    differing = {name: value for name, value in values.items() if fresh or getattr(row, name) != value}
    if not fresh and (not application.update or not differing):
        return True
    for name, value in differing.items():
        setattr(row, name, value)
    if not application.holds(row, at, label):
        return False
    if fresh:
        add_rule(row, actor=ACTOR)
        application.created.append(label)
        return True
    try:
        change_rule(row, fields=differing, actor=ACTOR)
    except ValidationError as error:
        application.complain(at, f"{label}: {' '.join(error.messages)}")
        return False
    application.updated.append(label)
    return True


def _put_allowance(application: Application, budget: Budget, declared: DeclaredAllowance, label: str) -> None:
    """Override the limit for one subject, unless the moment until which that holds is over."""
    found = _find(application, declared.subject, declared.at)
    if found is None or (declared.until is not None and declared.until <= clock.now()):
        return
    subject = _spell(found)
    stated = {"limit_nanos": declared.limit_nanos, "until": declared.until, "reason": declared.reason.strip()}
    row = BudgetAllowance.objects.filter(budget=budget, subject=subject).first()
    if row is not None and (not application.update or all(getattr(row, name) == stated[name] for name in stated)):
        return
    try:
        budgets.override(
            budget,
            subject=subject,
            limit_nanos=declared.limit_nanos,
            until=declared.until,
            reason=declared.reason,
            actor=ACTOR,
        )
    except ValidationError as error:
        application.complain(declared.at, f"{label}: {' '.join(error.messages)}")
        return
    application.note_update(label)


def _spell(found: Mapping[str, Any]) -> str:
    """Return the subject that budgets count the closest of these under: a key rather than its tenant."""
    for name in ("key", "user", "tenant"):
        if name in found:
            return f"{name[0]}{found[name].pk}"
    return f"r{found['route']}" if "route" in found else ""


def _find(application: Application, calls: DeclaredCalls, at: Mark) -> dict[str, Any] | None:
    """Return the rows that are named, as a rule's fields; None where one is missing, which is a problem."""
    tenant = find_tenant(application, calls.tenant, at) if calls.tenant else None
    found: dict[str, Any] = {
        "tenant": tenant,
        "user": _find_user(application, calls.user, at) if calls.user else None,
        "key": _find_key(application, tenant, calls.key, at) if calls.key and tenant else None,
        "route": _find_route(application, calls.route, at) if calls.route else None,
    }
    named = {"tenant": calls.tenant, "user": calls.user, "key": calls.key, "route": calls.route}
    if any(named[name] and row is None for name, row in found.items()):
        return None
    return {name: row for name, row in found.items() if row is not None}


def _find_user(application: Application, name: str, at: Mark) -> User | None:
    user = User.objects.filter(Q(email__iexact=name) | Q(username=name)).first()
    if user is None:
        application.complain(at, f"there is no user {name}")
    return user


def _find_key(application: Application, tenant: Tenant, name: str, at: Mark) -> Key | None:
    key = Key.objects.filter(tenant=tenant, name=name).first()
    if key is None:
        application.complain(at, f"there is no key {tenant.slug}/{name}")
    return key


def _find_route(application: Application, name: str, at: Mark) -> str | None:
    if Route.objects.filter(name=name).exists():
        return name
    application.complain(at, f"there is no route {name}")
    return None


def _find_provider(application: Application, slug: str, at: Mark) -> Provider | None:
    provider = Provider.objects.filter(slug=slug).first()
    if provider is None:
        application.complain(at, f"there is no provider {slug}")
    return provider
