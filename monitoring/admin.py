"""Alerts in the admin: the channels they take, which there were, and what became of each.

A generated signing secret travels in the body of one answer and nowhere else: it is not kept in the session, in a
message or in the history, and the answer forbids caches.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import EmptyFieldListFilter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminPasswordToggleWidget, UnfoldBooleanSwitchWidget

from kernel import clock
from kernel.money import format_usd
from monitoring.alert_messages import trial_message
from monitoring.alert_senders import NotSent, send
from monitoring.models import Alert, AlertChannel, AlertDelivery, new_signing_secret
from tenants.admin_base import ModelAdmin, TabularInline, ViewOnly, column
from tenants.list_fields import LinesField
from tenants.paging import KeysetAdmin

_STATUS_COLORS = {"pending": "info", "sent": "success", "failed": "danger", "suppressed": "warning"}


class ChannelForm(forms.ModelForm[AlertChannel]):
    """A channel with its signing secret as something to write only."""

    addresses = LinesField(help_text="For e-mail: one address a line.")
    secret = forms.CharField(
        required=False,
        min_length=16,
        max_length=200,
        label="Signing secret",
        widget=UnfoldAdminPasswordToggleWidget(attrs={"autocomplete": "new-password"}),
        help_text="For webhooks. Leave it empty to keep what is stored; a new webhook then gets one, shown once.",
    )
    new_secret = forms.BooleanField(
        required=False, label="Make a new signing secret", widget=UnfoldBooleanSwitchWidget()
    )

    class Meta:
        model = AlertChannel
        fields = ("name", "enabled", "kind", "tenant", "cooldown_minutes", "addresses", "url")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("secret") and cleaned.get("new_secret"):
            self.add_error("new_secret", "Either enter a secret or have one made.")
        return cleaned


@admin.register(AlertChannel)
class AlertChannelAdmin(ModelAdmin[AlertChannel]):
    """Where alerts go."""

    form = ChannelForm
    change_form_outer_before_template = "admin/monitoring/alertchannel/trial.html"
    ordering = ("name",)
    list_display = ("name", "kind_badge", "leads_to", "tenant", "cooldown_minutes", "enabled")
    list_filter = ("enabled", ("kind", ChoicesDropdownFilter), ("tenant", AutocompleteSelectFilter))
    list_select_related = ("tenant",)
    search_fields = ("name",)
    autocomplete_fields = ("tenant",)
    readonly_fields = ("secret_badge", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("name", "enabled"), ("tenant", "cooldown_minutes"), "kind")}),
        ("E-mail", {"fields": ("addresses",)}),
        ("Webhook", {"fields": ("url", "secret_badge", "secret", "new_secret")}),
        ("Dates", {"fields": (("created_at", "updated_at"),), "classes": ("collapse",)}),
    )

    def save_model(self, request: HttpRequest, obj: AlertChannel, form: Any, change: bool) -> None:
        webhook = obj.kind == AlertChannel.Kind.WEBHOOK
        if not webhook:
            obj.set_secret("")
        elif form.cleaned_data.get("secret"):
            obj.set_secret(form.cleaned_data["secret"])
        elif form.cleaned_data.get("new_secret") or not obj.sealed_secret:
            request.made_secret = new_signing_secret()  # type: ignore[attr-defined] # for the answer
            obj.set_secret(request.made_secret)  # type: ignore[attr-defined] # from the line above
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: AlertChannel, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._reveal(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: AlertChannel) -> HttpResponse:
        return self._reveal(request, obj) or super().response_change(request, obj)

    def _reveal(self, request: HttpRequest, channel: AlertChannel) -> HttpResponse | None:
        secret = getattr(request, "made_secret", None)
        if secret is None:
            return None
        response = self._page(request, channel, "secret.html", title="Signing secret", secret=secret)
        add_never_cache_headers(response)
        response["Referrer-Policy"] = "no-referrer"
        return response

    def _page(self, request: HttpRequest, channel: AlertChannel, template: str, **facts: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "channel": channel, **facts}
        return TemplateResponse(request, f"admin/monitoring/alertchannel/{template}", context)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.trial_view))
        return [path("<int:pk>/trial/", view, name="monitoring_alertchannel_trial"), *super().get_urls()]

    def trial_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a test message to the channel as it is stored, once, and show how that went."""
        channel = get_object_or_404(AlertChannel, pk=pk)
        if not self.has_change_permission(request, channel):
            raise PermissionDenied
        now, refused = clock.now(), ""
        try:
            send(channel, trial_message(now), now)
        except NotSent as error:
            refused = str(error)
        return self._page(request, channel, "trial_result.html", title=f"Test of {channel}", refused=refused)

    @column("kind", ordering="kind", label={"e-mail": "info", "webhook": "primary"})
    def kind_badge(self, channel: AlertChannel) -> str:
        return channel.get_kind_display()

    @column("leads to")
    def leads_to(self, channel: AlertChannel) -> str:
        """Show of a URL only where it leads: its path and query may hold a secret."""
        if channel.kind == AlertChannel.Kind.WEBHOOK:
            return "/".join(channel.url.split("/", 3)[:3]).rpartition("@")[2]
        return ", ".join(channel.addresses)

    @column("stored secret", label={"set": "success", "not set": ""})
    def secret_badge(self, channel: AlertChannel) -> str:
        return "set" if channel.sealed_secret else "not set"


class DeliveryInline(ViewOnly, TabularInline[AlertDelivery, Alert]):
    """What became of an alert on its way to each channel."""

    model = AlertDelivery
    fields = ("channel", "status", "tries", "next_try_at", "sent_at", "note")


@admin.register(Alert)
class AlertAdmin(KeysetAdmin, ViewOnly, ModelAdmin[Alert]):
    """Budgets that went past a percentage, newest first."""

    ordering = ("-at", "-alert_id")
    list_display = ("at", "budget", "subject", "percent_shown", "spent", "state_badge")
    list_filter = (("ended_at", EmptyFieldListFilter),)
    search_fields = ("budget", "subject")
    actions = None
    inlines = (DeliveryInline,)
    fields = (
        ("at", "ended_at", "rearms_at"),
        ("budget", "hard", "subject"),
        ("percent_shown", "spent", "resets_at"),
        ("counter", "tenant_id", "alert_id"),
    )
    readonly_fields = ("percent_shown", "spent", "alert_id")

    @column("passed")
    def percent_shown(self, alert: Alert) -> str:
        return f"{alert.percent} %"

    @column("spent")
    def spent(self, alert: Alert) -> str:
        return f"${format_usd(alert.spent_nanos)} of ${format_usd(alert.limit_nanos)}"

    @column("state", label={"stands": "warning", "over": ""})
    def state_badge(self, alert: Alert) -> str:
        return "over" if alert.ended_at else "stands"


@admin.register(AlertDelivery)
class AlertDeliveryAdmin(KeysetAdmin, ViewOnly, ModelAdmin[AlertDelivery]):
    """Every message, newest first: sent, waiting, held back or given up."""

    ordering = ("-id",)
    list_display = ("alert", "channel", "status_badge", "tries", "next_try_at", "sent_at", "note")
    list_filter = (("status", ChoicesDropdownFilter), ("channel", AutocompleteSelectFilter))
    list_select_related = ("alert", "channel")
    actions = None

    @column("status", label=_STATUS_COLORS)
    def status_badge(self, delivery: AlertDelivery) -> str:
        return delivery.status
