"""Declared tenants, users, memberships and keys become rows."""

from django.db.models import Q

from gateway_project.configuration.declared import DeclaredKey, DeclaredMembership, DeclaredTenant, DeclaredUser
from gateway_project.configuration.document import Mark
from gateway_project.configuration.rows import Application, IssuedKey
from tenants import keys
from tenants.models import Key, Membership, Tenant, User


def put_tenant(application: Application, declared: DeclaredTenant) -> None:
    """Create or revise a tenant."""
    label = f"tenant {declared.slug}"
    row = Tenant.objects.filter(slug=declared.slug).first()
    if row is not None:
        application.revise(row, declared.values, declared.at, label)
        return
    name = declared.slug.replace("-", " ").capitalize()
    application.create(Tenant(**{"slug": declared.slug, "name": name, **declared.values}), declared.at, label)


def put_user(application: Application, declared: DeclaredUser) -> None:
    """Create or revise a user and the memberships; a password is only ever the first one."""
    label = f"user {declared.email}"
    user = User.objects.filter(email__iexact=declared.email).first()
    if user is not None:
        application.revise(user, declared.values, declared.at, label)
    else:
        user = _create_user(application, declared, label)
    if user is not None:
        for membership in declared.memberships:
            _put_membership(application, user, membership)


def put_key(application: Application, declared: DeclaredKey) -> None:
    """Create or revise a key; a new secret ends the old one at once."""
    label = f"key {declared.tenant}/{declared.name}"
    tenant = find_tenant(application, declared.tenant, declared.at)
    user = _find_user(application, declared.user, declared.at) if declared.user else None
    if tenant is None or (declared.user and user is None):
        return
    key = Key.objects.filter(tenant=tenant, name=declared.name).first()
    if key is not None and _keeps_secret(application, key, declared):
        values = {**declared.values, "user": user} if declared.user else declared.values
        application.revise(key, values, declared.at, label)
    elif _is_secret_free(application, declared):
        if key is not None:
            _retire(application, key, declared.at, label)
        fresh = Key(tenant=tenant, user=user, name=declared.name, replaces=key, **declared.values)
        _issue(application, declared, fresh, label)


def find_tenant(application: Application, slug: str, at: Mark) -> Tenant | None:
    """Return the tenant of that slug; a missing one is a problem."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        application.complain(at, f"there is no tenant {slug}")
    return tenant


def _create_user(application: Application, declared: DeclaredUser, label: str) -> User | None:
    user = User(**{"username": declared.email, "email": declared.email, **declared.values})
    user.set_password(declared.password)
    return application.create(user, declared.at, label)


def _put_membership(application: Application, user: User, declared: DeclaredMembership) -> None:
    tenant = find_tenant(application, declared.tenant, declared.at)
    if tenant is None:
        return
    label = f"membership of {user.email} in {declared.tenant}"
    row = Membership.objects.filter(user=user, tenant=tenant).first()
    if row is not None:
        application.revise(row, {"role": declared.role}, declared.at, label)
    else:
        application.create(Membership(user=user, tenant=tenant, role=declared.role), declared.at, label)


def _find_user(application: Application, name: str, at: Mark) -> User | None:
    user = User.objects.filter(Q(email__iexact=name) | Q(username=name)).first()
    if user is None:
        application.complain(at, f"there is no user {name}")
    return user


def _keeps_secret(application: Application, key: Key, declared: DeclaredKey) -> bool:
    if declared.secret is None or not application.update:
        return True
    return key.digest == keys.digest_of(declared.secret)


def _is_secret_free(application: Application, declared: DeclaredKey) -> bool:
    if declared.secret is None:
        return True
    holder = Key.objects.filter(digest=keys.digest_of(declared.secret)).select_related("tenant").first()
    if holder is not None:
        application.complain(declared.at, f"key {holder.tenant.slug}/{holder.name} has the same secret")
    return holder is None


def _retire(application: Application, key: Key, at: Mark, label: str) -> None:
    """End a key whose declaration has a new secret, and free its name."""
    keys.revoke(key)
    application.revise(key, {"name": f"{key.name[:150]} (replaced, {key.prefix} {key.pk})"}, at, label)


def _issue(application: Application, declared: DeclaredKey, fresh: Key, label: str) -> None:
    if not application.holds(fresh, declared.at, label):
        return
    _, secret = keys.issue(
        tenant=fresh.tenant,
        name=fresh.name,
        user=fresh.user,
        scopes=fresh.scopes,
        allowed_routes=fresh.allowed_routes,
        expires_at=fresh.expires_at,
        secret=declared.secret,
        replaces=fresh.replaces,
    )
    application.created.append(label)
    if declared.secret is None:
        application.issued.append(IssuedKey(declared.tenant, declared.name, secret))
