"""`GET /v0/management/config`: everything an operator set, nothing that is secret, nothing of another tenant."""

from typing import Any

import pytest
from django.test import Client
from django.urls import include, path

from providers.models import Price, PriceCatalog, Provider
from routing import rest
from routing.models import Route, Target
from tenants import keys
from tenants.models import ConfigurationVersion, Tenant, User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def urls(settings: Any) -> None:
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    settings.ROOT_URLCONF = (path("v0/management/", include(rest.urlpatterns)),)


@pytest.fixture
def acme() -> Tenant:
    return Tenant.objects.create(slug="acme", name="Acme")


@pytest.fixture
def configuration(acme: Tenant) -> None:
    other = Tenant.objects.create(slug="other", name="Other")
    catalog = PriceCatalog.objects.create(source="list", version="7")
    for tenant in (None, acme, other):
        Price.objects.create(catalog=catalog, vendor="v", model="m", tenant=tenant, input_per_mtok=1)
    for name, tenant in (("shared", None), ("mine", acme), ("theirs", other)):
        provider = Provider(
            slug=f"{name}-up",
            kind="plain",
            base_url="https://me:hush-url@up.example/v1",
            extra_headers={"x-a": "hush-header"},
        )
        provider.set_credential("hush-credential" if name != "mine" else "")
        provider.save()
        route = Route.objects.create(name=name, tenant=tenant, aliases=[f"{name}-alias"], fallbacks=["shared"])
        Target.objects.create(
            route=route, provider=provider, model="m", order=1, weight=3, idle_timeout_ms=9, max_output_tokens=64
        )


def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("ops", "ops@example.com", is_staff=True))
    return client


def names(rows: list[dict[str, Any]], field: str) -> list[str]:
    return sorted(row[field] for row in rows)


@pytest.mark.usefixtures("configuration")
def test_staff_see_all_of_it(client: Client) -> None:
    body = staff(client).get("/v0/management/config").json()
    assert body["version"] == ConfigurationVersion.current() > 0
    assert names(body["tenants"], "slug") == ["acme", "other"]
    assert names(body["providers"], "slug") == ["mine-up", "shared-up", "theirs-up"]
    assert names(body["routes"], "name") == ["mine", "shared", "theirs"]
    (catalog,) = body["price_catalogs"]
    assert (catalog["source"], catalog["version"], catalog["prices"]) == ("list", "7", 3)


@pytest.mark.usefixtures("configuration")
def test_a_route_is_shown_with_its_targets(client: Client) -> None:
    body = staff(client).get("/v0/management/config").json()
    (route,) = [route for route in body["routes"] if route["name"] == "mine"]
    assert route == {
        "name": "mine",
        "tenant": "acme",
        "description": "",
        "aliases": ["mine-alias"],
        "enabled": True,
        "max_attempts": 3,
        "default_max_output_tokens": None,
        "drop_params": False,
        "fallbacks": ["shared"],
        "targets": [
            {
                "provider": "mine-up",
                "model": "m",
                "order": 1,
                "weight": 3,
                "enabled": True,
                "max_output_tokens": 64,
                "options": {},
                "first_byte_timeout_ms": None,
                "idle_timeout_ms": 9,
                "total_timeout_ms": None,
            }
        ],
    }


@pytest.mark.usefixtures("configuration")
def test_secrets_stay_secret(client: Client) -> None:
    answer = staff(client).get("/v0/management/config")
    providers = {provider["slug"]: provider for provider in answer.json()["providers"]}
    assert providers["shared-up"]["credential"] == "set"
    assert providers["mine-up"]["credential"] == "unset"
    assert providers["shared-up"]["base_url"] == "https://up.example/v1"
    assert providers["shared-up"]["extra_headers"] == ["x-a"]
    assert providers["shared-up"]["options"] == {}
    sealed = Provider.objects.get(slug="shared-up").sealed_credential
    assert "hush" not in answer.content.decode()
    assert sealed not in answer.content.decode()


@pytest.mark.usefixtures("configuration")
def test_a_key_sees_what_its_tenant_has_and_shares(client: Client, acme: Tenant) -> None:
    _, secret = keys.issue(tenant=acme, name="reader", scopes=["management"])
    body = client.get("/v0/management/config", headers={"x-api-key": secret}).json()
    assert names(body["tenants"], "slug") == ["acme"]
    assert names(body["routes"], "name") == ["mine", "shared"]
    assert names(body["providers"], "slug") == ["mine-up", "shared-up"]
    assert body["price_catalogs"][0]["prices"] == 2
    assert "theirs" not in str(body)


@pytest.mark.usefixtures("configuration")
def test_more_routes_take_no_more_queries(client: Client, django_assert_max_num_queries: Any) -> None:
    staff(client)
    with django_assert_max_num_queries(9):
        client.get("/v0/management/config")


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"x-api-key": "sk-gw-nope"}, 401)])
def test_nobody_sees_nothing(client: Client, headers: dict[str, str], status: int) -> None:
    answer = client.get("/v0/management/config", headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, "invalid_request_error")


def test_a_parameter_is_refused(client: Client) -> None:
    answer = staff(client).get("/v0/management/config", {"tenant": "acme"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "tenant")
