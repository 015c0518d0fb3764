"""Routes in the admin: the name clients ask for, and beneath it the targets it may go to."""

from itertools import groupby
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from routing.models import Route, Target
from tenants.admin_base import ModelAdmin, TabularInline, column
from tenants.list_fields import LinesField

_COPIED = ("provider", "model", "order", "weight", "enabled", "max_output_tokens", "options")
_TIMEOUTS = ("first_byte_timeout_ms", "idle_timeout_ms", "total_timeout_ms")


def describe_targets(targets: list[Target]) -> str:
    """Say where calls go, such as `70% a/x · 30% b/y, then c/z`; targets that are off are left out."""
    live = sorted((t for t in targets if t.enabled and t.provider.enabled), key=lambda t: (t.order, t.pk))
    return ", then ".join(_describe_group(list(group)) for _, group in groupby(live, key=lambda t: t.order))


def _describe_group(group: list[Target]) -> str:
    total = sum(target.weight for target in group)
    if len(group) == 1:
        return str(group[0])
    return " · ".join(f"{round(100 * t.weight / total) if total else 0}% {t}" for t in group)


class RouteForm(forms.ModelForm[Route]):
    """A route, with its lists of names one a line."""

    aliases = LinesField(help_text="Other names for this route, one a line.")
    fallbacks = LinesField(
        help_text="Routes whose targets are tried after this route's own, one a line, in the order they are tried."
    )

    class Meta:
        model = Route
        fields = (
            "name",
            "tenant",
            "description",
            "enabled",
            "max_attempts",
            "default_max_output_tokens",
            "drop_params",
            "aliases",
            "fallbacks",
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("name") in cleaned.get("fallbacks", ()):
            self.add_error("fallbacks", "A route can't fall back to itself.")
        return cleaned


class TargetInline(TabularInline[Target, Route]):
    """Where the calls of a route may go; timeouts of its own stand on the target's page."""

    model = Target
    fields = ("provider", "model", "order", "weight", "enabled")
    autocomplete_fields = ("provider",)
    show_change_link = True

    def get_extra(self, request: HttpRequest, obj: Route | None = None, **kwargs: Any) -> int:
        """A new route wants a target."""
        return 0 if obj else 1

    def get_queryset(self, request: HttpRequest) -> QuerySet[Target]:
        return super().get_queryset(request).select_related("provider", "route")


@admin.register(Route)
class RouteAdmin(ModelAdmin[Route]):
    """The model names clients may ask for."""

    form = RouteForm
    inlines = (TargetInline,)
    list_display = ("name", "goes_to", "falls_back_to", "aliases_shown", "tenant", "enabled")
    list_filter = ("enabled", ("tenant", AutocompleteSelectFilter))
    list_select_related = ("tenant",)
    search_fields = ("name", "description", "targets__model", "targets__provider__slug")
    autocomplete_fields = ("tenant",)
    actions = ("duplicate", "enable", "disable")
    fieldsets = (
        (
            None,
            {"fields": (("name", "tenant"), "description", ("enabled", "max_attempts", "default_max_output_tokens"))},
        ),
        ("What a target can't express", {"fields": ("drop_params",)}),
        ("Names", {"fields": (("aliases", "fallbacks"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Route]:
        return super().get_queryset(request).prefetch_related("targets__provider")

    @admin.action(description="Duplicate selected routes", permissions=["add"])
    def duplicate(self, request: HttpRequest, rows: QuerySet[Route]) -> None:
        """Copy routes with their targets, switched off and under a name of their own."""
        copies = [copy_route(route) for route in rows]
        for copy in copies:
            self.log_addition(request, copy, "Duplicated.")
        messages.success(
            request, f"Made {', '.join(copy.name for copy in copies)}: switched off until you enable them."
        )

    @admin.action(description="Enable selected routes", permissions=["change"])
    def enable(self, request: HttpRequest, rows: QuerySet[Route]) -> None:
        self._switch(request, rows, enabled=True)

    @admin.action(description="Disable selected routes", permissions=["change"])
    def disable(self, request: HttpRequest, rows: QuerySet[Route]) -> None:
        self._switch(request, rows, enabled=False)

    def _switch(self, request: HttpRequest, rows: QuerySet[Route], *, enabled: bool) -> None:
        chosen = list(rows.exclude(enabled=enabled))
        Route.objects.filter(pk__in=[route.pk for route in chosen]).update(enabled=enabled)
        for route in chosen:
            self.log_change(request, route, "Enabled." if enabled else "Disabled.")
        messages.success(request, f"{'Enabled' if enabled else 'Disabled'} {len(chosen)}.")

    @column("goes to")
    def goes_to(self, route: Route) -> str:
        return describe_targets(list(route.targets.all())) or "nowhere"

    @column("falls back to")
    def falls_back_to(self, route: Route) -> str:
        return ", ".join(route.fallbacks)

    @column("aliases")
    def aliases_shown(self, route: Route) -> str:
        return ", ".join(route.aliases)


@transaction.atomic
def copy_route(route: Route) -> Route:
    """Return a copy with the same targets, switched off, and without the aliases, which would lead to both."""
    copy = Route(
        name=_free_name(route),
        tenant=route.tenant,
        description=route.description,
        enabled=False,
        max_attempts=route.max_attempts,
        default_max_output_tokens=route.default_max_output_tokens,
        drop_params=route.drop_params,
        fallbacks=route.fallbacks,
    )
    copy.save()
    for target in route.targets.all():
        values = {name: getattr(target, name) for name in (*_COPIED, *_TIMEOUTS)}
        Target(route=copy, **values).save()
    return copy


def _free_name(route: Route) -> str:
    taken = set(Route.objects.filter(tenant=route.tenant).values_list("name", flat=True))
    names = (f"{route.name[:180]}-copy{number}" for number in ("", *range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


@admin.register(Target)
class TargetAdmin(ModelAdmin[Target]):
    """One target with its timeouts. Reached from its route, and not in the menu."""

    list_display = ("route", "provider", "model", "order", "weight", "enabled")
    list_select_related = ("route", "provider")
    search_fields = ("model", "route__name", "provider__slug")
    autocomplete_fields = ("route", "provider")
    fieldsets = (
        (None, {"fields": ("route", ("provider", "model"), ("order", "weight", "enabled"), "max_output_tokens")}),
        ("Options of its own", {"fields": ("options",)}),
        ("Timeouts of its own", {"fields": (_TIMEOUTS,)}),
    )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False
