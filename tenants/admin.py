"""Tenants, users, memberships and keys in the admin. A key's secret is shown once, in the answer that made it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from tenants.admin_base import ModelAdmin, TabularInline, column
from tenants.key_admin import KeyAdmin
from tenants.models import Key, Membership, Tenant, User

admin.site.register(Key, KeyAdmin)
admin.site.unregister(Group)


class MembershipInline(TabularInline[Membership, Any]):
    """The people of a tenant, or the tenants of a person."""

    model = Membership
    fields = ("tenant", "user", "role")
    autocomplete_fields = ("tenant", "user")
    tab = True


@admin.register(Tenant)
class TenantAdmin(ModelAdmin[Tenant]):
    """Organisations and personal spaces. One with keys can't be deleted: what it used would be nobody's."""

    ordering = ("name",)  # of the model, and lost where rows are counted
    list_display = ("name", "slug", "status_badge", "time_zone", "key_count", "member_count", "created_at")
    list_filter = ("status",)
    search_fields = ("name", "slug")
    prepopulated_fields: ClassVar = {"slug": ("name",)}
    readonly_fields = ("created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("name", "slug"), ("status", "time_zone"))}),
        ("Dates", {"fields": (("created_at", "updated_at"),), "classes": ("collapse",)}),
    )
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        counts = {"keys_total": Count("keys", distinct=True), "members_total": Count("memberships", distinct=True)}
        return super().get_queryset(request).annotate(**counts)

    @column("status", ordering="status", label={"active": "success", "suspended": "danger"})
    def status_badge(self, tenant: Tenant) -> str:
        return tenant.status

    @column("keys")
    def key_count(self, tenant: Any) -> int:
        return int(tenant.keys_total)

    @column("members")
    def member_count(self, tenant: Any) -> int:
        return int(tenant.members_total)


class UserMembershipInline(MembershipInline):
    """The tenants of a person; a person who is being added has none yet."""

    fk_name = "user"


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin[User]):  # type: ignore[type-arg] # Django's can't be subscripted
    """People who sign in."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "full_name", "role_badge", "is_active", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    search_fields = ("username", "email", "first_name", "last_name")
    readonly_fields = ("last_login", "date_joined")
    autocomplete_fields = ("groups",)
    filter_horizontal = ("user_permissions",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": (("first_name", "last_name"), "email")}),
        (
            "Permissions",
            {
                "fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions"),
                "classes": ("collapse",),
            },
        ),
        ("Dates", {"fields": (("last_login", "date_joined"),), "classes": ("collapse",)}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "email", "usable_password", "password1", "password2"), "classes": ("wide",)}),
        ("Permissions", {"fields": ("is_staff", "groups")}),
    )
    inlines = (UserMembershipInline,)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return super().get_inlines(request, obj) if obj else ()

    @column("name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @column("role", ordering="is_staff", label={"superuser": "danger", "staff": "info", "portal": ""})
    def role_badge(self, user: User) -> str:
        return "superuser" if user.is_superuser else "staff" if user.is_staff else "portal"


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin[Group]):
    """Sets of permissions for staff."""


@admin.register(Membership)
class MembershipAdmin(ModelAdmin[Membership]):
    """Who belongs where, over all tenants."""

    list_display = ("user", "tenant", "role_badge", "created_at")
    list_filter = ("role",)
    search_fields = ("user__username", "user__email", "tenant__name", "tenant__slug")
    list_select_related = ("user", "tenant")
    autocomplete_fields = ("tenant", "user")
    fields = ("tenant", "user", "role")

    @column("role", ordering="role", label={"owner": "primary", "admin": "info", "member": "success", "viewer": ""})
    def role_badge(self, membership: Membership) -> str:
        return membership.role
