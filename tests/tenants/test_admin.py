"""The admin's pages of tenants and people."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tenants import keys
from tenants.models import Key, Membership, Tenant, User

pytestmark = pytest.mark.django_db
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


class TestTenantsAndPeople:
    def test_tenants_and_people_are_found_by_typing(self, admin: Client, tenant: Tenant) -> None:
        for name, field, found in (("key", "tenant", "Acme"), ("membership", "user", "root")):
            query = {"app_label": "tenants", "model_name": name, "field_name": field, "term": found[:2].lower()}
            results = admin.get(reverse("admin:autocomplete"), query).json()["results"]
            assert [result["text"] for result in results] == [found]

    def test_tenant_with_its_members(self, admin: Client, root: User) -> None:
        data = {
            "name": "New",
            "slug": "new",
            "status": "active",
            "time_zone": "UTC",
            "memberships-TOTAL_FORMS": 1,
            "memberships-INITIAL_FORMS": 0,
            "memberships-0-user": root.pk,
            "memberships-0-role": "owner",
        }
        assert admin.post(reverse("admin:tenants_tenant_add"), data).status_code == 302
        assert Membership.objects.get().tenant.slug == "new"

    def test_tenant_with_keys_can_not_be_deleted(self, admin: Client, tenant: Tenant, key: Key) -> None:
        admin.post(reverse("admin:tenants_tenant_delete", args=[tenant.pk]), {"post": "yes"})
        assert Tenant.objects.exists()

    def test_new_person_gets_a_password(self, admin: Client) -> None:
        data = {
            "username": "ada",
            "email": "ada@example.org",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
        }
        answer = admin.post(reverse("admin:tenants_user_add"), data)
        assert answer.status_code == 302, answer.context["errors"]
        assert User.objects.get(username="ada").check_password(PASSWORD)

    def test_password_is_changed_on_its_own_page(self, admin: Client, root: User) -> None:
        url = reverse("admin:auth_user_password_change", args=[root.pk])
        assert admin.get(url).status_code == 200
        new = {"usable_password": "true", "password1": "another-long-one", "password2": "another-long-one"}
        assert admin.post(url, new).status_code == 302
        root.refresh_from_db()
        assert root.check_password("another-long-one")

    def test_lists_take_few_queries(self, admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
        for number in range(20):
            person = User.objects.create_user(f"u{number}", f"u{number}@example.org")
            home = Tenant.objects.create(slug=f"t{number}", name=f"T{number}")
            Membership.objects.create(tenant=home, user=person)
        for page in ("tenant", "membership", "user"):
            with django_assert_max_num_queries(9):
                assert admin.get(reverse(f"admin:tenants_{page}_changelist")).status_code == 200
