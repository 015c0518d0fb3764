"""Entries and refusals over the wire: all of them are reached, page by page, and nobody sees another tenant's."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import include, path

from tenants import keys
from tenants.models import Key, User
from tests.money_rows import NOON, USD, add_denial, add_entry
from tests.usage_rows import add_tenant
from usage.rest.ledger import urlpatterns

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def urls(settings: Any) -> None:
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    settings.ROOT_URLCONF = (path("v0/management/", include(urlpatterns)),)


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("ops", "ops@example.com", is_staff=True))
    return client


def ask(client: Client, what: str, *, secret: str = "", **query: Any) -> tuple[int, Any]:
    answer = client.get(f"/v0/management/{what}", query, headers={"x-api-key": secret} if secret else {})
    return answer.status_code, answer.json()


def ids(client: Client, what: str, **query: Any) -> list[str]:
    """Follow every page to the end."""
    found: list[str] = []
    while True:
        status, body = ask(client, what, **query)
        assert status == 200
        found += [row["id"] for row in body["data"]]
        if body["next"] is None:
            return found
        query["after"] = body["next"]


def test_an_entry_in_full(staff: Client, key: Key) -> None:
    add_entry(key, "adj_1", kind="adjust", amount_nanos=-USD - 1, charges="b1.0.@0 b2.0.k1@7", reason="refund")
    assert ask(staff, "ledger") == (
        200,
        {
            "object": "list",
            "data": [
                {
                    "id": "adj_1",
                    "at": "2026-06-01T12:00:00+00:00",
                    "kind": "adjust",
                    "amount_nanos": -USD - 1,
                    "amount_usd": "-1.000000001",
                    "estimated": False,
                    "attempt_id": "adj_1",
                    "request_id": "req_1",
                    "tenant_id": key.tenant_id,
                    "key_id": key.pk,
                    "charges": ["b1.0.@0", "b2.0.k1@7"],
                    "reason": "refund",
                    "actor": "",
                }
            ],
            "next": None,
        },
    )


def test_a_denial_in_full(staff: Client, key: Key) -> None:
    add_denial(key, count=3)
    assert ask(staff, "denials")[1]["data"] == [
        {
            "id": "den_1",
            "at": "2026-06-01T12:00:00+00:00",
            "code": "budget_exceeded",
            "rule": "team",
            "remaining": 5,
            "count": 3,
            "request_id": "req_1",
            "tenant_id": key.tenant_id,
            "key_id": key.pk,
            "user_id": None,
            "route": "smart",
        }
    ]


@pytest.mark.parametrize("scanned_max", [1, 2, 3, 100])
@pytest.mark.parametrize("size", [1, 2, 100])
def test_every_row_is_reached_once(
    staff: Client, key: Key, monkeypatch: pytest.MonkeyPatch, size: int, scanned_max: int
) -> None:
    monkeypatch.setattr("usage.rest.ledger.SCANNED_MAX", scanned_max)
    for number in range(9):
        kind = "void" if number % 4 == 0 else "post"
        add_entry(key, f"att_{number}.p", at=NOON + timedelta(seconds=number // 3), kind=kind)
    assert ids(staff, "ledger", limit=size) == [f"att_{number}.p" for number in range(8, -1, -1)]
    assert ids(staff, "ledger", limit=size, kind="void") == ["att_8.p", "att_4.p", "att_0.p"]
    assert ids(staff, "ledger", limit=size, request_id="req_1", kind="void") == ["att_8.p", "att_4.p", "att_0.p"]


def test_filters(staff: Client, key: Key) -> None:
    other = add_tenant("Other")
    add_entry(key, "att_1.p")
    add_entry(other, "att_2.p", at=NOON + timedelta(days=1), request_id="req_2")
    assert ids(staff, "ledger", tenant="other") == ["att_2.p"]
    assert ids(staff, "ledger", key=key.pk) == ["att_1.p"]
    assert ids(staff, "ledger", request_id="req_2") == ["att_2.p"]
    assert ids(staff, "ledger", start="2026-06-02") == ["att_2.p"]
    assert ids(staff, "ledger", end="2026-06-02T12:00:00Z") == ["att_1.p"]
    add_denial(key, "den_1")
    add_denial(other, "den_2", code="rate_limit_exceeded", rule="pace", route="fast")
    assert ids(staff, "denials", code="rate_limit_exceeded") == ["den_2"]
    assert ids(staff, "denials", rule="team") == ["den_1"]
    assert ids(staff, "denials", route="fast") == ["den_2"]
    assert ids(staff, "denials", tenant="acme") == ["den_1"]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"kind": "gift"}, "kind"),
        ({"tenant": "nobody"}, "tenant"),
        ({"key": "one"}, "key"),
        ({"start": "soon"}, "start"),
        ({"limit": "1000"}, "limit"),
        ({"after": "here"}, "after"),
        ({"colour": "red"}, "colour"),
        ({"request_id": "a\0"}, "request_id"),
    ],
)
def test_what_can_not_be_asked_is_told(staff: Client, query: dict[str, str], param: str) -> None:
    status, body = ask(staff, "ledger", **query)
    assert (status, body["error"]["param"]) == (400, param)


def test_a_key_sees_its_own_tenant_alone(client: Client, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.rest.ledger.SCANNED_MAX", 2)
    other = add_tenant("Other")
    _, secret = keys.issue(tenant=key.tenant, name="reader", scopes=["management"])
    for number in range(6):
        add_entry(other if number % 3 else key, f"att_{number}.p", at=NOON + timedelta(seconds=number))
        add_denial(other if number % 3 else key, f"den_{number}", at=NOON + timedelta(seconds=number))
    assert ids(client, "ledger", secret=secret) == ["att_3.p", "att_0.p"]
    assert ids(client, "denials", secret=secret) == ["den_3", "den_0"]
    assert ids(client, "ledger", secret=secret, key=other.pk) == []
    assert "att_" not in ask(client, "ledger", secret=secret, limit=1)[1]["next"].replace("att_3.p", "")
    for slug in ("other", "nobody"):
        assert ask(client, "ledger", secret=secret, tenant=slug)[0] == 403


def test_nobody_sees_nothing(client: Client) -> None:
    assert (ask(client, "ledger")[0], ask(client, "denials")[0]) == (401, 401)
