"""Providers and prices in the admin. A credential can be entered, replaced and removed, never read."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, DecimalField, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.widgets import (
    UnfoldAdminPasswordToggleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from providers import connection_test
from providers.matching import RuleBroken, check_rule
from providers.models import Price, PriceCatalog, Provider
from providers.presets import PRESETS
from providers.price_rows import MANUAL, TiersBroken, read_tiers
from tenants.admin_base import ModelAdmin, ViewOnly, column
from tenants.paging import KeysetAdmin

_RATES = tuple(field.name for field in Price._meta.get_fields() if isinstance(field, DecimalField))


def kind_choices() -> list[tuple[str, str]]:
    """Return the kinds a provider may have, by their titles."""
    return sorted(((preset.name, preset.title or preset.name) for preset in PRESETS.values()), key=lambda kind: kind[1])


class PairsField(forms.CharField):
    """Names and texts, edited as `name: text`, one a line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{name}: {text}" for name, text in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        lines = [line.partition(":") for line in str(value or "").splitlines() if line.strip()]
        if not all(name.strip() and colon for name, colon, _ in lines):
            raise forms.ValidationError("Write every line as Name: value.")
        return {name.strip(): text.strip() for name, _, text in lines}

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or {}) != self.to_python(data))
        except forms.ValidationError:
            return True


def describe_options() -> str:
    """Return the options that each kind knows, for people who fill them in."""
    known = [(preset.title, ", ".join(option.name for option in preset.options)) for preset in PRESETS.values()]
    return "; ".join(f"{title}: {names}" for title, names in known if names)


class ProviderForm(forms.ModelForm[Provider]):
    """A provider with its credential as something to write only."""

    kind = forms.ChoiceField(choices=kind_choices, widget=UnfoldAdminSelectWidget())
    extra_headers = PairsField(required=False, help_text="One a line, as Name: value.")
    options = PairsField(required=False, help_text=f"One a line, as name: value. {describe_options()}.")
    credential = forms.CharField(
        required=False,
        strip=True,
        widget=UnfoldAdminPasswordToggleWidget(attrs={"autocomplete": "new-password"}),
        help_text="Stored sealed and never shown again. Leave it empty to keep what is stored.",
    )
    clear_credential = forms.BooleanField(
        required=False, label="Remove the stored credential", widget=UnfoldBooleanSwitchWidget()
    )

    class Meta:
        model = Provider
        fields = (
            "slug",
            "name",
            "kind",
            "base_url",
            "enabled",
            "extra_headers",
            "options",
            "connect_timeout_ms",
            "first_byte_timeout_ms",
            "idle_timeout_ms",
            "total_timeout_ms",
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        preset = PRESETS.get(cleaned.get("kind", ""))
        if preset and preset.needs_address and not cleaned.get("base_url"):
            self.add_error("base_url", "This kind has no address of its own.")
        if cleaned.get("credential") and cleaned.get("clear_credential"):
            self.add_error("clear_credential", "Either enter a credential or remove it.")
        return cleaned


@admin.register(Provider)
class ProviderAdmin(ModelAdmin[Provider]):
    """Connections to upstreams."""

    form = ProviderForm
    change_form_outer_before_template = "admin/providers/provider/connection.html"
    ordering = ("slug",)  # of the model, and lost where rows are counted
    list_display = ("slug", "name", "kind_title", "address", "credential_badge", "enabled", "target_count")
    list_filter = ("enabled",)
    search_fields = ("slug", "name", "kind", "base_url")
    readonly_fields = ("credential_badge", "created_at", "updated_at")
    timeouts = ("connect_timeout_ms", "first_byte_timeout_ms"), ("idle_timeout_ms", "total_timeout_ms")
    fieldsets = (
        (None, {"fields": (("slug", "name"), ("kind", "base_url"), "options", "enabled")}),
        ("Credential", {"fields": ("credential_badge", "credential", "clear_credential", "extra_headers")}),
        ("Timeouts", {"fields": timeouts, "classes": ("collapse",)}),
        ("Dates", {"fields": (("created_at", "updated_at"),), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        return super().get_queryset(request).annotate(targets_total=Count("targets"))

    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:
        if form.cleaned_data.get("credential"):
            obj.set_credential(form.cleaned_data["credential"])
        elif form.cleaned_data.get("clear_credential"):
            obj.set_credential("")
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.test_view))
        return [path("<int:pk>/test/", view, name="providers_provider_test"), *super().get_urls()]

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Test the connection as it is stored and show how that went."""
        provider = get_object_or_404(Provider, pk=pk)
        if not self.has_change_permission(request, provider):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Connection to {provider}",
            "provider": provider,
            "result": connection_test.test_connection(provider),
        }
        return TemplateResponse(request, "admin/providers/provider/connection_result.html", context)

    @column("kind", ordering="kind")
    def kind_title(self, provider: Provider) -> str:
        preset = PRESETS.get(provider.kind)
        return preset.title or preset.name if preset else f"{provider.kind} (unknown)"

    @column("address", ordering="base_url")
    def address(self, provider: Provider) -> str:
        preset = PRESETS.get(provider.kind)
        return provider.base_url or (preset.base_url if preset else "") or "-"

    @column("stored credential", label={"set": "success", "not set": ""})
    def credential_badge(self, provider: Provider) -> str:
        return "set" if provider.sealed_credential else "not set"

    @column("targets")
    def target_count(self, provider: Any) -> int:
        return int(provider.targets_total)


@admin.register(PriceCatalog)
class PriceCatalogAdmin(ViewOnly, ModelAdmin[PriceCatalog]):
    """Loads of price lists, newest first."""

    ordering = ("-id",)
    list_display = ("source", "version", "last_updated", "loaded_at", "price_count")
    list_filter = ("source",)
    search_fields = ("source", "version")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PriceCatalog]:
        return super().get_queryset(request).annotate(prices_total=Count("prices"))

    @column("prices")
    def price_count(self, catalog: Any) -> int:
        return int(catalog.prices_total)


class PriceForm(forms.ModelForm[Price]):
    """A price entered by hand: it belongs to the catalog of such prices."""

    class Meta:
        model = Price
        fields = ("vendor", "model", "tenant", "effective_from", "withdrawn", *_RATES, "tiers", "match")

    def clean_tiers(self) -> Any:
        tiers = self.cleaned_data.get("tiers") or []
        try:
            read_tiers(tiers)
        except TiersBroken as error:
            raise forms.ValidationError(str(error)) from error
        return tiers

    def clean_match(self) -> Any:
        rule = self.cleaned_data.get("match")
        try:
            if rule is not None:
                check_rule(rule)
        except RuleBroken as error:
            raise forms.ValidationError(f"This rule can't be read: {error}") from error
        return rule

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        rates = [cleaned.get(name) for name in _RATES]
        if not cleaned.get("withdrawn") and not cleaned.get("tiers") and all(rate is None for rate in rates):
            raise forms.ValidationError("Enter a rate, or tick withdrawn.")
        if any(rate is not None and rate < 0 for rate in rates):
            raise forms.ValidationError("A rate can't be below zero.")
        return cleaned


@admin.register(Price)
class PriceAdmin(KeysetAdmin, ModelAdmin[Price]):
    """What models cost. A new price is a new row: old ones explain old costs and stay."""

    form = PriceForm
    ordering = ("-id",)
    list_display = ("model", "vendor", "input_rate", "cached_rate", "output_rate", "tenant", "effective_from", "state")
    list_filter = (
        "withdrawn",
        ("tenant", AutocompleteSelectFilter),
        ("catalog__source", admin.AllValuesFieldListFilter),
    )
    list_select_related = ("tenant", "catalog")
    search_fields = ("model", "vendor")
    autocomplete_fields = ("tenant",)
    save_as = True
    fieldsets = (
        (None, {"fields": (("vendor", "model"), ("tenant", "effective_from"), "withdrawn")}),
        (
            "USD a million tokens",
            {
                "fields": (
                    ("input_per_mtok", "output_per_mtok"),
                    ("cached_input_per_mtok", "cache_write_per_mtok", "reasoning_per_mtok"),
                    ("audio_input_per_mtok", "audio_output_per_mtok"),
                )
            },
        ),
        (
            "USD a unit",
            {"fields": (("per_request", "per_image", "per_search"), ("per_mcharacter", "per_audio_minute"))},
        ),
        ("More", {"fields": ("tiers", "match"), "classes": ("collapse",)}),
    )

    def has_change_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        obj.catalog, _ = PriceCatalog.objects.get_or_create(source=MANUAL)
        super().save_model(request, obj, form, change)

    @column("input $/M")
    def input_rate(self, price: Price) -> str:
        return _shown(price.input_per_mtok)

    @column("cached $/M")
    def cached_rate(self, price: Price) -> str:
        return _shown(price.cached_input_per_mtok)

    @column("output $/M")
    def output_rate(self, price: Price) -> str:
        return _shown(price.output_per_mtok)

    @column("state", label={"withdrawn": "danger", "tiered": "info"})
    def state(self, price: Price) -> str:
        return "withdrawn" if price.withdrawn else "tiered" if price.tiers else ""


def _shown(rate: Any) -> str:
    return "-" if rate is None else f"{rate.normalize():f}"
