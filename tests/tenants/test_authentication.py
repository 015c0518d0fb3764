"""The management API's door: who gets in, and how everybody else is told."""

from datetime import timedelta
from typing import Any

import pytest
from django.http import Http404
from django.test import Client
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from kernel import clock
from kernel.errors import InvalidRequest
from tenants import keys
from tenants.authentication import tenant_scope
from tenants.models import Key, Tenant, User
from tenants.rest import ManagementView

pytestmark = pytest.mark.django_db


class DoorView(ManagementView):
    """Answers with the tenant that the caller may see."""

    def get(self, request: Request) -> Response:
        return Response({"tenant": tenant_scope(request)})


class BrokenView(ManagementView):
    """Raises what it is told to."""

    error: Exception = RuntimeError("password=hunter2")

    def get(self, request: Request) -> Response:
        raise self.error


@pytest.fixture(autouse=True)
def urls(settings: Any) -> None:
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    settings.ROOT_URLCONF = (
        path("door", DoorView.as_view()),
        path("broken", BrokenView.as_view()),
        path("invalid", BrokenView.as_view(error=InvalidRequest("no", param="x", code="odd"))),
        path("missing", BrokenView.as_view(error=Http404())),
    )


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.create(slug="acme", name="Acme")


@pytest.fixture
def management(tenant: Tenant) -> tuple[Key, str]:
    return keys.issue(tenant=tenant, name="reader", scopes=["management"])


def get(client: Client, url: str = "/door", **headers: str) -> tuple[int, Any]:
    answer = client.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return answer.status_code, answer.json()


def error_of(client: Client, url: str = "/door", **headers: str) -> tuple[int, str]:
    status, body = get(client, url, **headers)
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code", "request_id"}
    return status, body["error"]["code"]


@pytest.mark.parametrize("header", ["Authorization", "x-api-key"])
def test_a_management_key_gets_in_and_is_of_its_tenant(
    client: Client, management: tuple[Key, str], header: str
) -> None:
    value = f"bearer  {management[1]}" if header == "Authorization" else management[1]
    assert get(client, **{header: value}) == (200, {"tenant": management[0].tenant_id})


def test_staff_get_in_and_see_everyone(client: Client) -> None:
    client.force_login(User.objects.create_user("ops", "ops@example.com", is_staff=True))
    assert get(client) == (200, {"tenant": None})


def test_people_who_are_not_staff_do_not_get_in(client: Client) -> None:
    client.force_login(User.objects.create_user("joe", "joe@example.com"))
    assert error_of(client) == (403, "permission_denied")


def test_nobody_is_asked_for_a_key(client: Client) -> None:
    assert error_of(client) == (401, "not_authenticated")
    assert client.get("/door").headers["WWW-Authenticate"] == 'Bearer realm="management"'


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer sk-gw-nope"}, {"x-api-key": "ü"}, {"x_api_key": ""}])
def test_a_key_that_is_none_is_refused(client: Client, headers: dict[str, str]) -> None:
    assert error_of(client, **headers) == (401, "invalid_api_key")


def test_a_bad_key_is_not_saved_by_a_staff_session(client: Client) -> None:
    client.force_login(User.objects.create_user("ops", "ops@example.com", is_staff=True))
    assert error_of(client, x_api_key="sk-gw-nope") == (401, "invalid_api_key")


def test_a_key_without_the_scope_is_refused(client: Client, tenant: Tenant) -> None:
    _, secret = keys.issue(tenant=tenant, name="app", scopes=["inference", "usage"])
    assert error_of(client, x_api_key=secret) == (403, "permission_denied")


def test_a_revoked_key_is_refused(client: Client, management: tuple[Key, str]) -> None:
    keys.revoke(management[0])
    assert error_of(client, x_api_key=management[1]) == (401, "invalid_api_key")


@pytest.mark.parametrize(("seconds", "status"), [(-1, 401), (60, 200)])
def test_a_key_is_refused_from_its_expiry_on(client: Client, tenant: Tenant, seconds: int, status: int) -> None:
    expires_at = clock.now() + timedelta(seconds=seconds)
    _, secret = keys.issue(tenant=tenant, name="brief", scopes=["management"], expires_at=expires_at)
    assert get(client, x_api_key=secret)[0] == status


def test_a_key_of_a_suspended_tenant_is_refused(client: Client, tenant: Tenant, management: tuple[Key, str]) -> None:
    tenant.status = Tenant.Status.SUSPENDED
    tenant.save()
    assert error_of(client, x_api_key=management[1]) == (403, "tenant_suspended")


@pytest.mark.parametrize(
    ("url", "expected"),
    [("/invalid", (400, "odd")), ("/missing", (404, "not_found")), ("/door?format=xml", (404, "not_found"))],
)
def test_errors_keep_their_status_and_code(
    client: Client, management: tuple[Key, str], url: str, expected: tuple[int, str]
) -> None:
    assert error_of(client, url, x_api_key=management[1]) == expected


def test_a_wrong_method_is_told_in_the_envelope(client: Client, management: tuple[Key, str]) -> None:
    answer = client.post("/door", headers={"x-api-key": management[1]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")


def test_a_fault_shows_no_details_and_is_logged_under_the_request_id(
    client: Client, management: tuple[Key, str], caplog: pytest.LogCaptureFixture
) -> None:
    status, body = get(client, "/broken", x_api_key=management[1], x_request_id="req_mine")
    assert (status, body["error"]["code"], body["error"]["type"]) == (500, "internal_error", "server_error")
    assert "hunter2" not in str(body)
    assert "request req_mine failed" in caplog.text
    assert body["error"]["request_id"] == "req_mine"


def test_a_request_id_that_is_not_sane_is_replaced(client: Client) -> None:
    answer = client.get("/door", headers={"x-request-id": "<script>"})
    request_id = answer.json()["error"]["request_id"]
    assert request_id.startswith("req_")
    assert answer.headers["X-Request-ID"] == request_id
