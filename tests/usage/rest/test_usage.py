"""`GET /v0/management/usage`: what is asked is what is summed, and what can't be asked is told clearly."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import include, path

from tenants import keys
from tenants.models import Tenant, User
from usage.models import UsageHour
from usage.rest.usage import urlpatterns

pytestmark = pytest.mark.django_db

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
JANUARY = {"start": "2026-01-01", "end": "2026-02-01"}


@pytest.fixture(autouse=True)
def urls(settings: Any) -> None:
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    settings.ROOT_URLCONF = (path("v0/management/", include(urlpatterns)),)


@pytest.fixture
def acme() -> Tenant:
    return Tenant.objects.create(slug="acme", name="Acme")


@pytest.fixture
def staff(client: Client, acme: Tenant) -> Client:
    client.force_login(User.objects.create_user("ops", "ops@example.com", is_staff=True))
    return client


def add_hour(tenant: Tenant, *, hours: int = 0, cost_nanos: int = 1_500, **values: Any) -> None:
    dimensions = {"tenant": tenant, "key_id": 1, "route": "smart", "provider": "acme", "model": "m"}
    UsageHour.objects.create(
        hour=NEW_YEAR + timedelta(hours=hours),
        attempts=2,
        cost_nanos=cost_nanos,
        latency_us=500,
        **(dimensions | values),
    )


def ask(client: Client, *, secret: str = "", **query: str) -> tuple[int, Any]:
    answer = client.get("/v0/management/usage", query, headers={"x-api-key": secret} if secret else {})
    return answer.status_code, answer.json()


def test_an_answer_in_full(staff: Client, acme: Tenant) -> None:
    add_hour(acme)
    add_hour(acme, hours=24, input_tokens=7, output_tokens=3, errors=1, unpriced_attempts=1)
    status, body = ask(staff, **JANUARY)
    zero = {"errors": 0, "input_tokens": 0, "output_tokens": 0, "unpriced_attempts": 0}
    first = {"attempts": 2, "cost_nanos": 1_500, "cost_usd": "0.0000015", "latency_us": 500, "mean_latency_us": 250}
    assert status == 200
    assert body == {
        "object": "usage",
        "start": "2026-01-01T00:00:00+00:00",
        "end": "2026-02-01T00:00:00+00:00",
        "timezone": "UTC",
        "group_by": "day",
        "rows": [
            {"day": "2026-01-01", **zero, **first},
            {
                "day": "2026-01-02",
                **first,
                "input_tokens": 7,
                "output_tokens": 3,
                "errors": 1,
                "unpriced_attempts": 1,
            },
        ],
        "truncated": False,
        "totals": {
            "attempts": 4,
            "errors": 1,
            "input_tokens": 7,
            "output_tokens": 3,
            "unpriced_attempts": 1,
            "cost_nanos": 3_000,
            "cost_usd": "0.000003",
            "latency_us": 1_000,
            "mean_latency_us": 250,
        },
    }


def test_days_without_an_offset_are_of_the_time_zone(staff: Client) -> None:
    _, body = ask(staff, **JANUARY, timezone="Europe/Berlin")
    assert (body["start"], body["end"]) == ("2025-12-31T23:00:00+00:00", "2026-01-31T23:00:00+00:00")


def test_an_unescaped_plus_is_understood(staff: Client) -> None:
    answer = staff.get("/v0/management/usage?start=2026-01-01T00:00:00+02:00&end=2026-01-02T00:00:00Z")
    assert answer.json()["start"] == "2025-12-31T22:00:00+00:00"


def test_the_usual_period_is_thirty_days_from_a_midnight(staff: Client, acme: Tenant) -> None:
    _, body = ask(staff, end="2026-01-31T12:00:00Z")
    assert body["start"] == "2026-01-01T00:00:00+00:00"
    UsageHour.objects.create(
        hour=datetime.now(UTC).replace(minute=0, second=0, microsecond=0),
        attempts=1,
        tenant=acme,
        key_id=1,
    )
    assert ask(staff)[1]["totals"]["attempts"] == 1


def test_groups_and_filters(staff: Client, acme: Tenant) -> None:
    other = Tenant.objects.create(slug="other", name="Other")
    add_hour(acme)
    add_hour(other, key_id=2, cost_nanos=9_000)
    _, body = ask(staff, **JANUARY, group_by="tenant")
    assert [(row["tenant"], row["tenant_id"]) for row in body["rows"]] == [("other", other.pk), ("acme", acme.pk)]
    assert ask(staff, **JANUARY, tenant="acme")[1]["totals"]["cost_nanos"] == 1_500
    assert ask(staff, **JANUARY, key="2")[1]["totals"]["cost_nanos"] == 9_000
    assert ask(staff, **JANUARY, tenant="acme", key="2")[1]["totals"]["attempts"] == 0


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"start": "yesterday"}, "start"),
        ({"end": "2026-13-01"}, "end"),
        ({"start": "0001-01-01"}, "start"),
        ({"end": "9999-12-31T23:59:59Z"}, "end"),
        ({"start": "2026-02-01", "end": "2026-02-01"}, "start"),
        ({"start": "2001-01-01", "end": "2026-02-01"}, "start"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"timezone": "Europe"}, "timezone"),
        ({"timezone": ""}, "timezone"),
        ({"group_by": "weather"}, "group_by"),
        ({"tenant": "nobody"}, "tenant"),
        ({"key": "one"}, "key"),
        ({"key": "9" * 30}, "key"),
        ({"groupby": "day"}, "groupby"),
    ],
)
def test_what_can_not_be_asked_is_told(staff: Client, query: dict[str, str], param: str) -> None:
    status, body = ask(staff, **query)
    assert (status, body["error"]["type"], body["error"]["param"]) == (400, "invalid_request_error", param)
    assert body["error"]["message"]


def test_a_key_sees_its_own_tenant_alone(client: Client, acme: Tenant) -> None:
    other = Tenant.objects.create(slug="other", name="Other")
    add_hour(acme)
    add_hour(other, key_id=2)
    _, secret = keys.issue(tenant=acme, name="reader", scopes=["management"])
    assert ask(client, secret=secret, **JANUARY)[1]["totals"]["attempts"] == 2
    assert ask(client, secret=secret, **JANUARY, tenant="acme")[1]["totals"]["attempts"] == 2
    assert ask(client, secret=secret, **JANUARY, key="2")[1]["totals"]["attempts"] == 0
    for slug in ("other", "nobody"):
        status, body = ask(client, secret=secret, **JANUARY, tenant=slug)
        assert (status, body["error"]["code"]) == (403, "permission_denied")


def test_nobody_sees_nothing(client: Client) -> None:
    assert ask(client)[0] == 401
