"""A key's life: its secret is told once, its successor inherits, its end is final."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from kernel import clock
from kernel.secrets import KEY_PREFIX
from tenants import keys
from tenants.models import Key, Tenant, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Tenant:
    return Tenant.objects.create(slug="acme", name="Acme")


def found(secret: str) -> keys.Caller:
    caller = keys.find(keys.digest_of(secret))
    assert caller is not None
    return caller


def test_an_issued_key_is_found_by_its_secret_which_is_stored_nowhere(acme: Tenant) -> None:
    user = User.objects.create_user("u", "u@example.com")
    ends = timezone.now() + timedelta(days=1)
    key, secret = keys.issue(tenant=acme, name="k", user=user, scopes=["usage"], allowed_routes=["a*"], expires_at=ends)
    assert secret.startswith(KEY_PREFIX)
    assert secret not in str(Key.objects.values().get())
    assert secret.startswith(key.prefix)
    assert len(key.prefix) < len(secret) / 2
    assert found(secret) == keys.Caller(
        key_id=key.pk,
        key_name="k",
        tenant_id=acme.pk,
        tenant_slug="acme",
        tenant_active=True,
        user_id=user.pk,
        scopes=frozenset({"usage"}),
        allowed_routes=("a*",),
        expires_at_s=ends.timestamp(),
        revoked=False,
        changed_at=(key.updated_at, key.tenant.updated_at),
    )


def test_a_key_may_call_and_read_its_usage_unless_told_otherwise(acme: Tenant) -> None:
    _, secret = keys.issue(tenant=acme, name="k")
    assert found(secret).scopes == {"inference", "usage"}


def test_a_given_secret_is_taken_as_it_is(acme: Tenant) -> None:
    key, secret = keys.issue(tenant=acme, name="k", secret="sk-brought-along")
    assert secret == "sk-brought-along"
    assert found("sk-brought-along").key_id == key.pk


def test_secrets_differ(acme: Tenant) -> None:
    assert len({keys.issue(tenant=acme, name=str(n))[1] for n in range(20)}) == 20


@pytest.mark.parametrize(
    "fields",
    [
        {"scopes": ["everything"]},
        {"scopes": "usage"},
        {"scopes": []},
        {"allowed_routes": ["a**"]},
        {"allowed_routes": [""]},
        {"allowed_routes": ["a b"]},
        {"name": ""},
        {"name": "x" * 201},
        {"name": "taken"},
    ],
)
def test_values_that_do_not_fit_are_refused(acme: Tenant, fields: dict[str, Any]) -> None:
    keys.issue(tenant=acme, name="taken")
    with pytest.raises(ValidationError):
        keys.issue(**({"tenant": acme, "name": "k"} | fields))
    assert Key.objects.count() == 1


def test_the_same_secret_is_not_issued_twice(acme: Tenant) -> None:
    keys.issue(tenant=acme, name="a", secret="same")
    with pytest.raises(Exception, match=r"(?i)unique|digest"):
        keys.issue(tenant=acme, name="b", secret="same")


def test_the_pepper_is_part_of_the_hash(settings: Any) -> None:
    before = keys.digest_of("x")
    settings.GATEWAY_KEY_PEPPER = b"another"
    assert keys.digest_of("x") != before


def test_revoking_is_final_and_keeps_its_moment(acme: Tenant) -> None:
    key, secret = keys.issue(tenant=acme, name="k")
    assert key.status == "active"
    keys.revoke(key)
    first = key.revoked_at
    assert first is not None
    assert (key.status, found(secret).revoked) == ("revoked", True)
    keys.revoke(key)
    assert key.revoked_at == first
    assert not Key.objects.live().exists()


def test_a_successor_takes_name_and_rights_and_the_old_key_lives_on_for_the_overlap(acme: Tenant) -> None:
    user = User.objects.create_user("u", "u@example.com")
    old, old_secret = keys.issue(tenant=acme, name="k", user=user, scopes=["usage"], allowed_routes=["a"])
    before = clock.now()
    new, new_secret = keys.rotate(old, overlap=timedelta(hours=1))
    assert new_secret != old_secret
    assert (new.name, new.replaces_id, new.expires_at) == ("k", old.pk, None)
    assert (found(new_secret).scopes, found(new_secret).allowed_routes) == ({"usage"}, ("a",))
    assert found(new_secret).user_id == user.pk
    assert old.name.startswith("k (until ")
    assert old.expires_at is not None
    assert before + timedelta(hours=1) <= old.expires_at <= clock.now() + timedelta(hours=1)
    assert found(old_secret).expires_at_s == old.expires_at.timestamp()


def test_rotating_never_lengthens_a_life(acme: Tenant) -> None:
    ends = clock.now() + timedelta(minutes=5)
    old, _ = keys.issue(tenant=acme, name="k", expires_at=ends)
    new, _ = keys.rotate(old, overlap=timedelta(days=30))
    assert old.expires_at == new.expires_at == ends


def test_a_key_is_rotated_again_and_again(acme: Tenant) -> None:
    key, _ = keys.issue(tenant=acme, name="k" * 200)
    for _ in range(3):
        key, _ = keys.rotate(key, overlap=timedelta(0))
    assert Key.objects.filter(name="k" * 200).count() == 1
    assert Key.objects.live().count() == 1


def test_a_rotation_that_fails_changes_nothing(acme: Tenant) -> None:
    old, _ = keys.issue(tenant=acme, name="k")
    Key.objects.filter(pk=old.pk).update(scopes=["unheard-of"])
    old.refresh_from_db()
    with pytest.raises(ValidationError):
        keys.rotate(old, overlap=timedelta(hours=1))
    kept = Key.objects.get()
    assert (kept.name, kept.expires_at) == ("k", None)


def test_a_suspended_tenant_is_told(acme: Tenant) -> None:
    _, secret = keys.issue(tenant=acme, name="k")
    acme.status = Tenant.Status.SUSPENDED
    acme.save()
    assert not found(secret).tenant_active


def test_an_unknown_digest_finds_nobody() -> None:
    assert keys.find("0" * 64) is None


def test_changes_of_key_and_tenant_are_seen_and_nothing_else(acme: Tenant) -> None:
    other = Tenant.objects.create(slug="o", name="O")
    mine, quiet = (keys.issue(tenant=acme, name=name)[0] for name in ("mine", "quiet"))
    theirs, _ = keys.issue(tenant=other, name="theirs")
    long_ago = clock.now() - timedelta(days=1)
    Key.objects.update(updated_at=long_ago)
    Tenant.objects.update(updated_at=long_ago)
    moment = clock.now() - timedelta(hours=1)
    assert set(keys.changed_since(moment)) == set()
    keys.revoke(mine)
    assert set(keys.changed_since(moment)) == {mine.digest}
    other.save()
    assert set(keys.changed_since(moment)) == {mine.digest, theirs.digest}
    assert quiet.digest not in keys.changed_since(moment)


def test_rotation_is_a_change_of_both(acme: Tenant) -> None:
    old, _ = keys.issue(tenant=acme, name="k")
    Key.objects.update(updated_at=clock.now() - timedelta(days=1))
    Tenant.objects.update(updated_at=clock.now() - timedelta(days=1))
    new, _ = keys.rotate(old, overlap=timedelta(hours=1))
    assert set(keys.changed_since(clock.now() - timedelta(hours=1))) == {old.digest, new.digest}
