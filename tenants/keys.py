"""The life of a virtual key: issue, rotate, revoke, find. The secret is returned once and never stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from kernel import clock
from kernel.secrets import hash_key, new_key, visible_prefix
from tenants.models import Key, Tenant, User, default_scopes

Moments = tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, as the data plane knows it. Instants are seconds since the epoch.

    `changed_at` is when the key and its tenant last changed: it tells one state of both from another.
    """

    key_id: int
    key_name: str
    tenant_id: int
    tenant_slug: str
    tenant_active: bool
    user_id: int | None
    scopes: frozenset[str]
    allowed_routes: tuple[str, ...]
    expires_at_s: float | None
    revoked: bool
    time_zone: str = "UTC"
    changed_at: Moments = ()


def digest_of(secret: str) -> str:
    """Return the stored form of a secret."""
    return hash_key(secret, settings.GATEWAY_KEY_PEPPER)


def issue(
    *,
    tenant: Tenant,
    name: str,
    user: User | None = None,
    scopes: list[str] | None = None,
    allowed_routes: list[str] | None = None,
    expires_at: datetime | None = None,
    secret: str | None = None,
    replaces: Key | None = None,
) -> tuple[Key, str]:
    """Create a key and return it with its secret, which can't be had again.

    A given secret (a migration, a seed file) is taken as it is. Raises ValidationError for values that don't fit.
    """
    secret = secret or new_key()
    key = Key(
        tenant=tenant,
        user=user,
        name=name,
        prefix=visible_prefix(secret),
        digest=digest_of(secret),
        scopes=default_scopes() if scopes is None else scopes,
        allowed_routes=allowed_routes or [],
        expires_at=expires_at,
        replaces=replaces,
    )
    key.full_clean(exclude=["prefix", "digest"])
    key.save()
    return key, secret


def revoke(key: Key) -> None:
    """End a key now, in every worker within a second; a key that has ended stays as it is."""
    now = clock.now()
    Key.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now, updated_at=now)
    key.refresh_from_db()


def rotate(key: Key, *, overlap: timedelta) -> tuple[Key, str]:
    """Issue a successor with the same rights and let the old key live on for the overlap.

    The successor takes the name; the old key keeps it with its prefix added.
    """
    now = clock.now()
    ends_at = now + overlap
    with transaction.atomic():
        old_name, old_expiry = key.name, key.expires_at
        expires_at = min(old_expiry, ends_at) if old_expiry else ends_at
        Key.objects.filter(pk=key.pk).update(
            name=f"{old_name[:170]} (until {ends_at:%Y-%m-%d %H:%M:%S}, {key.prefix})",
            expires_at=expires_at,
            updated_at=now,
        )
        key.refresh_from_db()
        return issue(
            tenant=key.tenant,
            name=old_name,
            user=key.user,
            scopes=key.scopes,
            allowed_routes=key.allowed_routes,
            expires_at=old_expiry,
            replaces=key,
        )


def find(digest: str) -> Caller | None:
    """Look a caller up by the digest of the key; None where there is no such key."""
    key = Key.objects.select_related("tenant").filter(digest=digest).first()
    if key is None:
        return None
    return Caller(
        key_id=key.pk,
        key_name=key.name,
        tenant_id=key.tenant_id,
        tenant_slug=key.tenant.slug,
        tenant_active=key.tenant.status == Tenant.Status.ACTIVE,
        user_id=key.user_id,
        scopes=frozenset(key.scopes),
        allowed_routes=tuple(key.allowed_routes),
        expires_at_s=key.expires_at.timestamp() if key.expires_at else None,
        revoked=key.revoked_at is not None,
        time_zone=key.tenant.time_zone,
        changed_at=(key.updated_at, key.tenant.updated_at),
    )


def changed_since(moment: datetime) -> Mapping[str, Moments]:
    """Return the digests of keys that changed since a moment, and when they and their tenants last did."""
    changed = Key.objects.filter(Q(updated_at__gte=moment) | Q(tenant__updated_at__gte=moment))
    moments = changed.values_list("digest", "updated_at", "tenant__updated_at")
    return {digest: (own, of_tenant) for digest, own, of_tenant in moments}
