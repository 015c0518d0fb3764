"""Declared prices become rows: a price that says something new is added, and none is ever rewritten."""

from typing import Any

from gateway_project.configuration.declared import RATES, DeclaredPrice
from gateway_project.configuration.people import find_tenant
from gateway_project.configuration.rows import Application
from providers.catalog import OPERATOR, set_price
from providers.models import Price, Provider
from providers.presets import PRESETS
from tenants.models import Tenant


def put_price(application: Application, declared: DeclaredPrice) -> None:
    """Add a price where there is none of the operator's own, or, with update, where that one differs."""
    tenant = find_tenant(application, declared.tenant, declared.at) if declared.tenant else None
    vendor = declared.vendor or _vendor_of(application, declared)
    if not vendor or (declared.tenant and tenant is None):
        return
    label = f"price of {vendor}/{declared.model}" + (f" for {declared.tenant}" if declared.tenant else "")
    stated = {**dict.fromkeys(RATES), "tiers": [], **declared.values}
    before = _in_force(vendor, declared.model, tenant)
    if before is not None and (not application.update or _says(before, stated)):
        return
    row = Price(vendor=vendor, model=declared.model, tenant=tenant, **stated)
    if application.holds(row, declared.at, label, unchecked=("catalog",)):
        set_price(vendor=vendor, model=declared.model, tenant=tenant, **stated)
        (application.created if before is None else application.updated).append(label)


def _vendor_of(application: Application, declared: DeclaredPrice) -> str:
    provider = Provider.objects.filter(slug=declared.provider).first()
    if provider is None:
        application.complain(declared.at, f"there is no provider {declared.provider}")
        return ""
    preset = PRESETS.get(provider.kind)
    if preset is None or not preset.price_vendor:
        application.complain(declared.at, f"providers of kind {provider.kind} have no prices of their own")
        return ""
    return preset.price_vendor


def _in_force(vendor: str, model: str, tenant: Tenant | None) -> Price | None:
    own = Price.objects.filter(catalog__source=OPERATOR, vendor=vendor, model=model, tenant=tenant)
    price: Price | None = own.order_by("-effective_from", "-pk").first()
    return price


def _says(price: Price, stated: dict[str, Any]) -> bool:
    return not price.withdrawn and all(getattr(price, name) == value for name, value in stated.items())
