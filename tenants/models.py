"""The nouns of who is asking: tenants, users, memberships and virtual keys."""

import re
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from tenants.configuration import ConfigurationVersion, Configured

__all__ = ["ConfigurationVersion", "Key", "Membership", "Tenant", "User"]

_ROUTE_PATTERN = re.compile(r"[^\s*]*\*?[^\s*]*\Z")


def validate_time_zone(value: str) -> None:
    """Raise ValidationError unless the value is the name of a time zone."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValidationError(f"{value!r} is not an IANA time zone such as Europe/Berlin") from error


class User(AbstractUser):
    """A person who signs in."""

    email = models.EmailField("email address", unique=True)


class Tenant(Configured):
    """An organisation, or a person's own space: what keys, users and costs belong to."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"

    slug = models.SlugField(unique=True, help_text="Stable short name, used in files and reports.")
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text="IANA name; days and months follow it.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=["active", "suspended"]), name="tenant_status_known"),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user's role in a tenant."""

    class Role(models.TextChoices):
        OWNER = "owner"
        ADMIN = "admin"
        MEMBER = "member"
        VIEWER = "viewer"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.MEMBER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_once"),
            models.CheckConstraint(
                condition=Q(role__in=["owner", "admin", "member", "viewer"]), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant} as {self.role}"


class Scope(models.TextChoices):
    """What a key may do."""

    INFERENCE = "inference", "Call models"
    USAGE = "usage", "Read its own usage"
    MANAGEMENT = "management", "Read the tenant's configuration and usage"
    PASSTHROUGH = "passthrough", "Use all of a provider's API under the operator's credential"


def default_scopes() -> list[str]:
    """Return what a new key may do."""
    return [Scope.INFERENCE.value, Scope.USAGE.value]


def validate_scopes(value: Any) -> None:
    """Raise ValidationError unless the value is a list of known scopes."""
    if not isinstance(value, list) or not set(value) <= set(Scope.values):
        raise ValidationError(f"scopes are a list out of {', '.join(Scope.values)}")


def validate_route_patterns(value: Any) -> None:
    """Raise ValidationError unless the value is a list of route names, each with at most one `*`."""
    if not isinstance(value, list) or not all(isinstance(v, str) and v and _ROUTE_PATTERN.match(v) for v in value):
        raise ValidationError("allowed routes are a list of route names; one * in a name stands for anything")


class KeyQuerySet(models.QuerySet["Key"]):
    """Keys by what they can still do."""

    def live(self) -> "KeyQuerySet":
        """Keys that are neither revoked nor expired now."""
        now = timezone.now()
        return self.filter(revoked_at__isnull=True).filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))

    def update(self, **values: Any) -> int:
        """Update rows, and move the field by which workers notice."""
        values.setdefault("updated_at", timezone.now())
        return super().update(**values)


class Key(models.Model):
    """A virtual key: the caller's credential. Only its keyed hash is stored.

    Keys are not part of the snapshot (there may be a million): a worker looks one up by digest and forgets it when
    `updated_at` moves, so every write must move that field. A row that is deleted says nothing any more, so keys are
    revoked instead, and a tenant that has keys is suspended instead of deleted.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="keys")
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="keys")
    name = models.CharField(max_length=200)
    prefix = models.CharField(max_length=16, editable=False, db_index=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=default_scopes, validators=[validate_scopes])
    allowed_routes = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_route_patterns],
        help_text="Route names this key may use; one * stands for anything. Empty: every route of the tenant.",
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    replaces = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="replaced_by"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    objects = KeyQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "name"], name="key_name_once_a_tenant"),
            models.CheckConstraint(condition=~Q(digest=""), name="key_has_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def status(self) -> str:
        """Return `active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return "expired"
        return "active"
