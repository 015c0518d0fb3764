"""`GET /v0/management/config`: the configuration as it stands, without its secrets.

Staff see all of it. A key sees its own tenant, the routes that tenant may use, and the providers behind those.
"""

from typing import Any
from urllib.parse import urlsplit

from django.db.models import Count, Q
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from providers.models import PriceCatalog, Provider
from routing.models import Route, Target
from tenants.authentication import tenant_scope
from tenants.models import ConfigurationVersion, Tenant
from tenants.rest import ManagementView, refuse_unknown_parameters

__all__ = ["ConfigView", "urlpatterns"]


class ConfigView(ManagementView):
    """Tenants, providers, routes with their targets, price catalogs, and the version they are of."""

    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, known=frozenset())
        return Response(_render(tenant_scope(request)))


def _render(tenant_id: int | None) -> dict[str, Any]:
    """Read the version first: a change meanwhile then shows under a number too low, never too high."""
    version = ConfigurationVersion.current()
    tenants, providers, routes = Tenant.objects.all(), Provider.objects.all(), Route.objects.all()
    if tenant_id is not None:
        routes = routes.filter(Q(tenant=None) | Q(tenant=tenant_id))
        tenants = tenants.filter(pk=tenant_id)
        providers = providers.filter(pk__in=Target.objects.filter(route__in=routes).values("provider"))
    return {
        "object": "config",
        "version": version,
        "tenants": [_render_tenant(tenant) for tenant in tenants],
        "providers": [_render_provider(provider) for provider in providers],
        "routes": [
            _render_route(route) for route in routes.select_related("tenant").prefetch_related("targets__provider")
        ],
        "price_catalogs": _render_catalogs(tenant_id),
    }


def _render_tenant(tenant: Tenant) -> dict[str, Any]:
    return {
        "id": tenant.pk,
        "slug": tenant.slug,
        "name": tenant.name,
        "status": tenant.status,
        "time_zone": tenant.time_zone,
    }


def _render_provider(provider: Provider) -> dict[str, Any]:
    """Show that there is a credential, never what it is; extra headers may carry secrets, so only their names."""
    return {
        "slug": provider.slug,
        "name": provider.name,
        "kind": provider.kind,
        "base_url": _without_credentials(provider.base_url),
        "credential": "set" if provider.sealed_credential else "unset",
        "extra_headers": sorted(provider.extra_headers),
        "options": provider.options,
        "enabled": provider.enabled,
        "connect_timeout_ms": provider.connect_timeout_ms,
        "first_byte_timeout_ms": provider.first_byte_timeout_ms,
        "idle_timeout_ms": provider.idle_timeout_ms,
        "total_timeout_ms": provider.total_timeout_ms,
    }


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _render_route(route: Route) -> dict[str, Any]:
    return {
        "name": route.name,
        "tenant": route.tenant.slug if route.tenant else None,
        "description": route.description,
        "aliases": route.aliases,
        "enabled": route.enabled,
        "max_attempts": route.max_attempts,
        "default_max_output_tokens": route.default_max_output_tokens,
        "drop_params": route.drop_params,
        "fallbacks": route.fallbacks,
        "targets": [_render_target(target) for target in route.targets.all()],
    }


def _render_target(target: Target) -> dict[str, Any]:
    return {
        "provider": target.provider.slug,
        "model": target.model,
        "order": target.order,
        "weight": target.weight,
        "enabled": target.enabled,
        "max_output_tokens": target.max_output_tokens,
        "options": target.options,
        "first_byte_timeout_ms": target.first_byte_timeout_ms,
        "idle_timeout_ms": target.idle_timeout_ms,
        "total_timeout_ms": target.total_timeout_ms,
    }


def _render_catalogs(tenant_id: int | None) -> list[dict[str, Any]]:
    """Count the prices that are everyone's or, for a key, its tenant's own."""
    own = Q() if tenant_id is None else Q(prices__tenant=None) | Q(prices__tenant=tenant_id)
    catalogs = PriceCatalog.objects.annotate(price_count=Count("prices", filter=own))
    return [
        {
            "source": catalog.source,
            "version": catalog.version,
            "last_updated": catalog.last_updated,
            "loaded_at": catalog.loaded_at,
            "prices": catalog.price_count,
        }
        for catalog in catalogs
    ]


urlpatterns = [path("config", ConfigView.as_view(), name="management-config")]
