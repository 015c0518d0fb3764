"""What the database itself refuses, and what a key's status says."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from tenants import keys
from tenants.models import (
    Key,
    Membership,
    Scope,
    Tenant,
    User,
    default_scopes,
    validate_route_patterns,
    validate_scopes,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Tenant:
    return Tenant.objects.create(slug="acme", name="Acme")


def test_names_are_what_people_read(acme: Tenant) -> None:
    user = User.objects.create_user("u", "u@example.com")
    key, secret = keys.issue(tenant=acme, name="k")
    assert str(acme) == "Acme"
    assert str(Membership(tenant=acme, user=user, role="owner")) == "u in Acme as owner"
    assert secret not in str(key)


def test_the_database_refuses_what_makes_no_sense(acme: Tenant) -> None:
    user = User.objects.create_user("u", "u@example.com")
    Membership.objects.create(tenant=acme, user=user)
    keys.issue(tenant=acme, name="k")
    refused: list[Any] = [
        lambda: Tenant.objects.create(slug="acme", name="again"),
        lambda: Tenant.objects.create(slug="x", name="X", status="asleep"),
        lambda: Membership.objects.create(tenant=acme, user=user),
        lambda: Membership.objects.create(tenant=Tenant.objects.create(slug="y", name="Y"), user=user, role="king"),
        lambda: Key.objects.create(tenant=acme, name="k", prefix="p", digest="d"),
        lambda: Key.objects.create(tenant=acme, name="empty", prefix="p", digest=""),
        lambda: User.objects.create_user("v", "u@example.com"),
    ]
    for attempt in refused:
        with pytest.raises(IntegrityError), transaction.atomic():
            attempt()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "active"),
        ({"expires_at": timezone.now() + timedelta(days=1)}, "active"),
        ({"expires_at": timezone.now() - timedelta(days=1)}, "expired"),
        ({"revoked_at": timezone.now()}, "revoked"),
        ({"revoked_at": timezone.now(), "expires_at": timezone.now() - timedelta(days=1)}, "revoked"),
    ],
)
def test_a_key_that_is_live_is_the_one_that_is_active(acme: Tenant, fields: dict[str, Any], status: str) -> None:
    key, _ = keys.issue(tenant=acme, name="k")
    Key.objects.filter(pk=key.pk).update(**fields)
    key.refresh_from_db()
    assert key.status == status
    assert Key.objects.live().filter(pk=key.pk).exists() is (status == "active")


@pytest.mark.parametrize("value", [None, "usage", ["usage", "x"], {"usage": 1}])
def test_odd_scopes_are_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        validate_scopes(value)


def test_known_scopes_pass() -> None:
    validate_scopes([])
    validate_scopes(Scope.values)
    assert default_scopes() is not default_scopes()


@pytest.mark.parametrize("value", [None, "a", [""], ["a b"], ["a**"], ["*a*"], [1]])
def test_odd_patterns_are_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        validate_route_patterns(value)


def test_patterns_with_one_star_pass() -> None:
    validate_route_patterns([])
    validate_route_patterns(["*", "a/*", "*-mini", "a*z", "plain/name:1.2"])


def test_a_person_who_leaves_takes_no_key_along(acme: Tenant) -> None:
    user = User.objects.create_user("u", "u@example.com")
    key, _ = keys.issue(tenant=acme, name="k", user=user)
    user.delete()
    key.refresh_from_db()
    assert key.user_id is None
