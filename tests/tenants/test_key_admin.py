"""The admin's pages of keys; above all, where a secret goes and where it doesn't."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from kernel import clock
from tenants import keys
from tenants.models import Key, Tenant, User

pytestmark = pytest.mark.django_db
SECRET = re.compile(r"sk-gw-[\w-]{43}")
PASSWORD = "a-long-pass-phrase"


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root", "root@example.org", PASSWORD)


@pytest.fixture
def admin(root: User) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(root)
    return client


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.create(slug="acme", name="Acme")


@pytest.fixture
def key(tenant: Tenant) -> Key:
    return keys.issue(tenant=tenant, name="app", scopes=["inference"], allowed_routes=["smart"])[0]


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("staff", "staff@example.org", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def issue(client: Client, tenant: Tenant, **changes: object) -> str:
    data = {"tenant": tenant.pk, "name": "bot", "scopes": ["inference"], "allowed_routes": "smart\n\nfast-*\nsmart\n"}
    answer = client.post(reverse("admin:tenants_key_add"), data | changes)
    assert answer.status_code == 200
    return answer.content.decode()


class TestIssuing:
    def test_the_secret_is_shown_and_is_the_keys(self, admin: Client, tenant: Tenant) -> None:
        page = issue(admin, tenant)
        key = Key.objects.get()
        (secret,) = set(SECRET.findall(page))
        assert keys.digest_of(secret) == key.digest
        assert (key.scopes, key.allowed_routes, key.tenant) == (["inference"], ["smart", "fast-*"], tenant)

    def test_the_secret_is_kept_nowhere_and_no_cache_may_keep_it(self, admin: Client, tenant: Tenant) -> None:
        answer = admin.post(reverse("admin:tenants_key_add"), {"tenant": tenant.pk, "name": "b", "scopes": ["usage"]})
        (secret,) = set(SECRET.findall(answer.content.decode()))
        assert "no-store" in answer["Cache-Control"]
        later = [
            reverse("admin:tenants_key_change", args=[Key.objects.get().pk]),
            reverse("admin:tenants_key_changelist"),
        ]
        seen = [admin.get(url).content.decode() for url in (*later, reverse("admin:index"))]
        kept = [str(Session.objects.get().get_decoded()), *(f"{e.change_message} {e}" for e in LogEntry.objects.all())]
        assert not [text for text in (*seen, *kept) if secret in text]
        assert LogEntry.objects.count() == 1

    def test_refused_form_issues_nothing(self, admin: Client, tenant: Tenant, key: Key) -> None:
        page = issue(admin, tenant, name="app")
        assert not SECRET.search(page)
        assert Key.objects.count() == 1

    def test_route_patterns_are_checked(self, admin: Client, tenant: Tenant) -> None:
        assert "at most" in issue(admin, tenant, allowed_routes="a*b*") or not Key.objects.exists()
        assert not Key.objects.exists()

    def test_staff_without_the_permission_may_not(self, tenant: Tenant) -> None:
        assert staff("view_key").get(reverse("admin:tenants_key_add")).status_code == 403

    def test_staff_with_the_permission_may(self, tenant: Tenant) -> None:
        assert SECRET.search(issue(staff("add_key"), tenant))


class TestRotation:
    def test_successor_is_shown_once_and_the_old_key_gets_the_overlap(self, admin: Client, key: Key) -> None:
        url = reverse("admin:tenants_key_rotate", args=[key.pk])
        assert "overlap" in admin.get(url).content.decode().lower()
        before = clock.now()
        answer = admin.post(url, {"overlap_hours": 48})
        (secret,) = set(SECRET.findall(answer.content.decode()))
        successor = Key.objects.get(replaces=key)
        key.refresh_from_db()
        assert keys.digest_of(secret) == successor.digest
        assert "no-store" in answer["Cache-Control"]
        assert key.expires_at is not None
        assert before + timedelta(hours=48) <= key.expires_at <= clock.now() + timedelta(hours=48)

    def test_reloading_the_answer_makes_no_third_key(self, admin: Client, key: Key) -> None:
        url = reverse("admin:tenants_key_rotate", args=[key.pk])
        admin.post(url, {"overlap_hours": 1})
        assert admin.post(url, {"overlap_hours": 1}).status_code == 302
        assert Key.objects.count() == 2

    @pytest.mark.parametrize("hours", ["", "-1", "soon"])
    def test_nonsense_rotates_nothing(self, admin: Client, key: Key, hours: str) -> None:
        admin.post(reverse("admin:tenants_key_rotate", args=[key.pk]), {"overlap_hours": hours})
        assert Key.objects.count() == 1

    def test_it_takes_the_right_to_change_and_to_add(self, key: Key) -> None:
        url = reverse("admin:tenants_key_rotate", args=[key.pk])
        assert staff("view_key", "change_key").post(url, {"overlap_hours": 1}).status_code == 403
        assert Key.objects.count() == 1


class TestRevocation:
    def test_it_asks_first(self, admin: Client, key: Key) -> None:
        admin.get(reverse("admin:tenants_key_revoke", args=[key.pk]))
        key.refresh_from_db()
        assert key.status == "active"

    def test_it_revokes_and_says_so(self, admin: Client, key: Key) -> None:
        answer = admin.post(reverse("admin:tenants_key_revoke", args=[key.pk]), follow=True)
        key.refresh_from_db()
        assert key.status == "revoked"
        assert "Revoked 1 key." in answer.content.decode()
        assert LogEntry.objects.get().change_message == "Revoked."

    def test_several_at_once_after_a_question(self, admin: Client, tenant: Tenant, key: Key) -> None:
        other = keys.issue(tenant=tenant, name="other")[0]
        url, chosen = reverse("admin:tenants_key_changelist"), {"_selected_action": [key.pk, other.pk]}
        asked = admin.post(url, {"action": "revoke_selected", **chosen})
        assert "Revoke for good?" in asked.content.decode()
        assert Key.objects.filter(revoked_at=None).count() == 2
        admin.post(url, {"action": "revoke_selected", "confirmed": "yes", **chosen})
        assert not Key.objects.filter(revoked_at=None).exists()

    def test_it_takes_the_right_to_change(self, key: Key) -> None:
        assert staff("view_key").post(reverse("admin:tenants_key_revoke", args=[key.pk])).status_code == 403

    def test_it_wants_a_csrf_token(self, root: User, key: Key) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(root)
        assert client.post(reverse("admin:tenants_key_revoke", args=[key.pk])).status_code == 403

    def test_editing_does_not_undo_a_revocation(self, admin: Client, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
        full_clean = Key.full_clean

        def revoke_meanwhile(row: Key, *args: object, **kwargs: object) -> None:
            keys.revoke(Key.objects.get(pk=row.pk))
            full_clean(row, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(Key, "full_clean", revoke_meanwhile)
        data = {"name": "renamed", "scopes": ["usage"], "allowed_routes": "", "expires_at_0": "", "expires_at_1": ""}
        admin.post(reverse("admin:tenants_key_change", args=[key.pk]), data)
        key.refresh_from_db()
        assert (key.name, key.status) == ("renamed", "revoked")


class TestKeyPages:
    def test_neither_digest_nor_deletion_is_offered(self, admin: Client, key: Key) -> None:
        page = admin.get(reverse("admin:tenants_key_change", args=[key.pk])).content.decode()
        assert key.prefix in page
        assert key.digest not in page
        assert admin.post(reverse("admin:tenants_key_delete", args=[key.pk]), {"post": "yes"}).status_code == 403

    def test_saving_without_a_change_keeps_the_rights(self, admin: Client, key: Key) -> None:
        data = {
            "name": key.name,
            "scopes": key.scopes,
            "allowed_routes": "smart",
            "expires_at_0": "",
            "expires_at_1": "",
        }
        before = key.updated_at
        assert admin.post(reverse("admin:tenants_key_change", args=[key.pk]), data).status_code == 302
        key.refresh_from_db()
        assert (key.scopes, key.allowed_routes) == (["inference"], ["smart"])
        assert key.updated_at > before

    @pytest.mark.parametrize("status", ["active", "expired", "revoked"])
    def test_filter_by_status(self, admin: Client, tenant: Tenant, status: str) -> None:
        keys.issue(tenant=tenant, name="active")
        keys.issue(tenant=tenant, name="expired", expires_at=clock.now() - timedelta(minutes=1))
        keys.revoke(keys.issue(tenant=tenant, name="revoked")[0])
        answer = admin.get(reverse("admin:tenants_key_changelist"), {"status": status})
        assert [key.name for key in answer.context["cl"].result_list] == [status]

    def test_search_by_how_the_key_begins(self, admin: Client, tenant: Tenant, key: Key) -> None:
        keys.issue(tenant=tenant, name="other")
        answer = admin.get(reverse("admin:tenants_key_changelist"), {"q": key.prefix})
        assert [found.pk for found in answer.context["cl"].result_list] == [key.pk]

    def test_a_full_list_takes_few_queries(
        self, admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(20):
            owner = User.objects.create_user(f"u{number}", f"u{number}@example.org")
            keys.issue(tenant=Tenant.objects.create(slug=f"t{number}", name=f"T{number}"), name="k", user=owner)
        with django_assert_max_num_queries(6):
            admin.get(reverse("admin:tenants_key_changelist"))
