"""The admin's pages for keys: issue, rotate and revoke, each on a page of its own.

A secret travels in the body of one answer and nowhere else: it is not kept in the session, in a message or in the
history, and the answer forbids caches.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import action
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from kernel import clock
from tenants import keys
from tenants.admin_base import ModelAdmin, button, column
from tenants.list_fields import BoxesField, LinesField
from tenants.models import Key, Scope, default_scopes
from tenants.paging import KeysetAdmin

_COLORS = {"active": "success", "expired": "warning", "revoked": "danger"}


class KeyForm(forms.ModelForm[Key]):
    """What can be said about a key; the rest is made by issuing it."""

    scopes = BoxesField(choices=Scope.choices, initial=default_scopes)
    allowed_routes = LinesField(
        help_text="One route name a line; one * in a name stands for anything. Empty: every route of the tenant."
    )

    class Meta:
        model = Key
        fields = ("tenant", "user", "name", "scopes", "allowed_routes", "expires_at")


class RotationForm(forms.Form):
    """How long the old key lives on beside its successor."""

    overlap_hours = forms.IntegerField(
        label="Overlap in hours",
        min_value=0,
        max_value=24 * 90,
        initial=24,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="The old key works that much longer. 0 ends it now.",
    )


class StatusFilter(DropdownFilter):  # type: ignore[misc] # unfold ships no types
    """Keys by what they can still do."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in _COLORS]

    def queryset(self, request: HttpRequest, rows: QuerySet[Key]) -> QuerySet[Key]:
        now = clock.now()
        match self.value():
            case "active":
                return rows.filter(revoked_at=None).exclude(expires_at__lte=now)
            case "expired":
                return rows.filter(revoked_at=None, expires_at__lte=now)
            case "revoked":
                return rows.filter(revoked_at__isnull=False)
        return rows


class KeyAdmin(KeysetAdmin, ModelAdmin[Key]):
    """Virtual keys. They are revoked, not deleted: what they used stays theirs."""

    form = KeyForm
    ordering = ("-id",)
    list_display = ("name", "prefix_shown", "tenant", "user", "status_badge", "scopes_shown", "expires_at")
    list_filter = (StatusFilter, ("tenant", AutocompleteSelectFilter), ("user", AutocompleteSelectFilter))
    list_select_related = ("tenant", "user")
    search_fields = ("prefix__startswith", "name")
    search_help_text = "Name, or how the key begins"
    autocomplete_fields = ("tenant", "user")
    actions = ("revoke_selected",)
    actions_detail: Sequence[str] = ("rotate_key", "revoke_key")
    state_fields = (
        ("prefix_shown", "status_badge"),
        ("replaces", "successor"),
        ("revoked_at", "created_at", "updated_at"),
    )
    readonly_fields = tuple(name for row in state_fields for name in row)

    def get_fieldsets(self, request: HttpRequest, obj: Key | None = None) -> Any:
        """Show of a new key only what is asked for; of an old one its state too."""
        rights = ("Rights", {"fields": ("scopes", "allowed_routes", "expires_at")})
        if obj is None:
            return ((None, {"fields": ("tenant", ("name", "user"))}), rights)
        return ((None, {"fields": ("tenant", ("name", "user"))}), rights, ("State", {"fields": self.state_fields}))

    def get_readonly_fields(self, request: HttpRequest, obj: Key | None = None) -> Any:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "tenant")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_rotate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A rotation ends one key and issues another."""
        return self.has_change_permission(request) and self.has_add_permission(request)

    # Issuing

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """Offer one way to save, because every way leads to the secret."""
        one_way = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, one_way | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: Key, form: Any, change: bool) -> None:
        if change:
            # Only what was edited: a revocation that happens meanwhile must not be written over.
            obj.save(update_fields=[*form.changed_data, "updated_at"])
            return
        given = {name: form.cleaned_data[name] for name in KeyForm.Meta.fields}
        issued, request.issued_secret = keys.issue(**given)  # type: ignore[attr-defined] # for response_add
        obj.pk = issued.pk
        obj.refresh_from_db()

    def response_add(self, request: HttpRequest, obj: Key, post_url_continue: str | None = None) -> HttpResponse:
        return self._reveal(request, obj, request.issued_secret)  # type: ignore[attr-defined] # from save_model

    def _reveal(self, request: HttpRequest, key: Key, secret: str) -> HttpResponse:
        response = self._page(request, key, "admin/tenants/key/reveal.html", title="Key issued", secret=secret)
        add_never_cache_headers(response)
        response["Referrer-Policy"] = "no-referrer"
        return response

    # Rotating and revoking

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/rotate/", view(self.rotate_view), name="tenants_key_rotate"),
            path("<int:pk>/revoke/", view(self.revoke_view), name="tenants_key_revoke"),
        ]
        return own + super().get_urls()

    def rotate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the overlap, then issue the successor and show its secret."""
        key = self._changeable(request, pk)
        if not self.has_rotate_permission(request):
            raise PermissionDenied
        if key.status != "active" or hasattr(key, "replaced_by"):
            messages.error(request, f"{key} can't be rotated: it has ended or has a successor already.")
            return HttpResponseRedirect(self._url(key))
        form = RotationForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            successor, secret = keys.rotate(key, overlap=timedelta(hours=form.cleaned_data["overlap_hours"]))
            self.log_change(request, key, "Rotated.")
            self.log_addition(request, successor, "Issued by rotation.")
            return self._reveal(request, successor, secret)
        return self._page(request, key, "admin/tenants/key/rotate.html", title=f"Rotate {key.name}", form=form)

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask whether it is meant, then revoke."""
        key = self._changeable(request, pk)
        if request.method == "POST":
            self._revoke(request, [key])
            return HttpResponseRedirect(self._url(key))
        return self._page(request, key, "admin/tenants/key/revoke.html", title=f"Revoke {key.name}", keys=[key])

    @button("Rotate", icon="autorenew", permissions=("rotate",))
    def rotate_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:tenants_key_rotate", args=[object_id]))

    @button("Revoke", icon="block", permissions=("change",))
    def revoke_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:tenants_key_revoke", args=[object_id]))

    @action(description="Revoke selected keys", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, rows: QuerySet[Key]) -> HttpResponse | None:
        live = list(rows.filter(revoked_at=None).select_related("tenant"))
        if request.POST.get("confirmed"):
            self._revoke(request, live)
            return None
        return self._page(
            request, None, "admin/tenants/key/revoke.html", title="Revoke keys", keys=live, action="revoke_selected"
        )

    def _revoke(self, request: HttpRequest, chosen: list[Key]) -> None:
        for key in chosen:
            keys.revoke(key)
            self.log_change(request, key, "Revoked.")
        messages.success(request, f"Revoked {len(chosen)} key{'' if len(chosen) == 1 else 's'}.")

    def _changeable(self, request: HttpRequest, pk: int) -> Key:
        key = get_object_or_404(Key.objects.select_related("tenant", "user"), pk=pk)
        if not self.has_change_permission(request, key):
            raise PermissionDenied
        return key

    def _url(self, key: Key) -> str:
        return reverse("admin:tenants_key_change", args=[key.pk])

    def _page(self, request: HttpRequest, key: Key | None, template: str, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "key": key}
        return TemplateResponse(request, template, shared | context).render()

    # Columns

    @column("key", header=False)
    def prefix_shown(self, key: Key) -> str:
        return f"{key.prefix}…"

    @column("status", label=_COLORS)
    def status_badge(self, key: Key) -> str:
        return key.status

    @column("may", label=True)
    def scopes_shown(self, key: Key) -> list[str]:
        return list(key.scopes)

    @column("replaced by")
    def successor(self, key: Key) -> str:
        return str(getattr(key, "replaced_by", "-"))
