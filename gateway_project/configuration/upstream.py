"""Declared providers, routes and targets become rows."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from gateway_project.configuration.declared import DeclaredProvider, DeclaredRoute, DeclaredTarget
from gateway_project.configuration.people import find_tenant
from gateway_project.configuration.rows import Application
from kernel.secrets import SealBroken
from providers.models import Provider
from routing.models import Route, Target
from tenants.models import Tenant


def put_provider(application: Application, declared: DeclaredProvider) -> None:
    """Create or revise a provider; its credential is sealed, and changed only where it differs."""
    label = f"provider {declared.slug}"
    row = Provider.objects.filter(slug=declared.slug).first()
    if row is None:
        row = Provider(slug=declared.slug, **declared.values)
        row.set_credential(declared.credential or "")
        application.create(row, declared.at, label)
        return
    values: Mapping[str, Any] = declared.values
    if declared.credential is not None and _differs(row, declared.credential):
        sealed = Provider()
        sealed.set_credential(declared.credential)
        values = {**values, "sealed_credential": sealed.sealed_credential}
    application.revise(row, values, declared.at, label)


def put_route(application: Application, declared: DeclaredRoute) -> None:
    """Create or revise a route and, where the declaration lists them, its targets."""
    tenant = find_tenant(application, declared.tenant, declared.at) if declared.tenant else None
    if declared.tenant and tenant is None:
        return
    label = f"route {declared.name}" + (f" of {declared.tenant}" if declared.tenant else "")
    route = Route.objects.filter(name=declared.name, tenant=tenant).first()
    known = route is not None
    if route is not None:
        application.revise(route, declared.values, declared.at, label)
    else:
        route = application.create(Route(name=declared.name, tenant=tenant, **declared.values), declared.at, label)
    if route is None or declared.targets is None:
        _look_at_targets(application, declared)
    elif not known or application.update:
        _put_targets(application, route, declared.targets, label)


def check_fallbacks(application: Application, declared: DeclaredRoute) -> None:
    """Complain of fallbacks that are no routes; call it when all routes are in place."""
    at = declared.fallbacks_at or declared.at
    tenant = Tenant.objects.filter(slug=declared.tenant).first() if declared.tenant else None
    for name in declared.values.get("fallbacks", ()):
        if name == declared.name:
            application.complain(at, f"the route {name} can't be its own fallback")
        elif "*" in name and "*" not in declared.name:
            application.complain(at, f"the route {name} needs a * that {declared.name} has not")
        elif not _is_route(name, tenant):
            application.complain(at, f"there is no route {name} to fall back on")


def _differs(row: Provider, credential: str) -> bool:
    try:
        return row.credential() != credential
    except SealBroken:
        return True


def _is_route(name: str, tenant: Tenant | None) -> bool:
    return Route.objects.filter(Q(tenant=None) | Q(tenant=tenant), name=name).exists()


def _look_at_targets(application: Application, declared: DeclaredRoute) -> None:
    """Find dangling targets even where their route could not be put."""
    for target in declared.targets or ():
        _find_provider(application, target)


def _find_provider(application: Application, declared: DeclaredTarget) -> Provider | None:
    provider = Provider.objects.filter(slug=declared.provider).first()
    if provider is None:
        application.complain(declared.at, f"there is no provider {declared.provider}")
    return provider


def _put_targets(application: Application, route: Route, targets: tuple[DeclaredTarget, ...], label: str) -> None:
    left = {(row.provider_id, row.model, row.order): row for row in route.targets.all()}
    seen: set[tuple[int, str, int]] = set()
    for declared in targets:
        provider = _find_provider(application, declared)
        if provider is None:
            continue
        identity = (provider.pk, declared.model, declared.order)
        if identity in seen:
            application.complain(declared.at, f"{label} has this target twice")
            continue
        if declared.model.count("*") > route.name.count("*"):
            application.complain(declared.at, f"the model {declared.model} needs a * that {label} has not")
        seen.add(identity)
        values = {"route": route, "provider": provider, "model": declared.model, "order": declared.order}
        row = left.pop(identity, None) or Target(**values)
        _put_target(application, row, declared, f"target {declared.provider}/{declared.model} of {label}")
    for row in left.values():
        row.delete()
        application.note_update(label)


def _put_target(application: Application, row: Target, declared: DeclaredTarget, label: str) -> None:
    if row.pk is not None:
        application.revise(row, declared.values, declared.at, label)
        return
    for name, value in declared.values.items():
        setattr(row, name, value)
    application.create(row, declared.at, label)
