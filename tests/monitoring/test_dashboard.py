"""The admin's first page: cards, charts and lists out of known hours, for those who may see them."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from kernel import clock
from monitoring import dashboard
from tenants.models import Key, User
from tests.usage_rows import add_hour, add_record, add_tenant

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 15, 12, 30, tzinfo=UTC)
HOUR = NOW.replace(minute=0)
USD = 10**9


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def key() -> Key:
    found = add_tenant()
    add_hour(found, HOUR, attempts=8, errors=2, cost_nanos=3 * USD, latency_us=4_000_000)
    add_hour(found, HOUR - timedelta(hours=5), attempts=2, cost_nanos=USD // 2, route="fast", model="mock-large")
    add_hour(found, HOUR - timedelta(days=3), attempts=10, cost_nanos=10 * USD)
    add_hour(found, HOUR - timedelta(days=20), attempts=100, cost_nanos=100 * USD)
    return found


def amounts(client: Client, name: str, chosen: str = "24h") -> dict[str, str]:
    found = client.get(reverse("admin:index"), {"range": chosen}).context[name]
    return {title: amount for title, amount, _ in found}


def test_spend_is_that_of_today_the_week_and_the_month(admin: Client, key: Key) -> None:
    assert amounts(admin, "spend_cards") == {
        "Spend, today": "$3.50",
        "Spend, last 7 days": "$13.50",
        "Spend, last 30 days": "$113.50",
    }


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [("24h", ("10", "20.0 %", "400 ms")), ("7d", ("20", "10.0 %", "200 ms")), ("30d", ("120", "1.7 %", "33 ms"))],
)
def test_period_is_the_chosen_one(admin: Client, key: Key, chosen: str, expected: tuple[str, ...]) -> None:
    found = amounts(admin, "period_cards", chosen)
    assert tuple(found) == ("Attempts", "Error rate", "Mean latency")
    assert tuple(found.values()) == expected


def test_unknown_period_is_a_day(admin: Client, key: Key) -> None:
    assert amounts(admin, "period_cards", "century")["Attempts"] == "10"


@pytest.mark.parametrize(("chosen", "bars", "spend"), [("24h", 24, 3.5), ("7d", 56, 13.5), ("30d", 30, 113.5)])
def test_charts_hold_every_hour_of_the_period(admin: Client, key: Key, chosen: str, bars: int, spend: float) -> None:
    charts = admin.get(reverse("admin:index"), {"range": chosen}).context["charts"]
    drawn = json.loads(charts[0]["data"])
    assert len(drawn["labels"]) == len(drawn["datasets"][0]["data"]) == bars
    assert sum(drawn["datasets"][0]["data"]) == pytest.approx(spend)
    assert drawn["datasets"][0]["data"][-1] >= 3


def test_errors_are_drawn_apart_from_successes(admin: Client, key: Key) -> None:
    drawn = json.loads(admin.get(reverse("admin:index")).context["charts"][1]["data"])
    last = {line["label"]: line["data"][-1] for line in drawn["datasets"]}
    assert last == {"Failed": 2, "Succeeded": 6}


def test_tops_are_the_dearest_first_and_lead_to_their_attempts(admin: Client, key: Key) -> None:
    tops = {top["title"]: top["rows"] for top in admin.get(reverse("admin:index")).context["tops"]}
    assert [(row["name"], row["cost"], row["share"]) for row in tops["Routes by cost"]] == [
        ("smart", "$3.00", 100),
        ("fast", "$0.5000", 16),
    ]
    assert tops["Tenants by cost"][0]["link"].endswith(f"?tenant__id__exact={key.tenant_id}")
    for row in (row for rows in tops.values() for row in rows):
        assert admin.get(row["link"]).status_code == 200


def test_latest_failures_lead_to_the_attempt(admin: Client, key: Key) -> None:
    add_record(key, attempt_id="att_ok", started_at=NOW)
    add_record(key, attempt_id="att_gone", started_at=NOW, ending="cancelled")
    add_record(key, attempt_id="att_bad", started_at=NOW, ending="cut", error_code="upstream_invalid_response")
    answer = admin.get(reverse("admin:index"))
    assert [failure.attempt_id for failure in answer.context["failures"]] == ["att_bad"]
    assert reverse("admin:usage_usagerecord_change", args=[quote("att_bad")]) in answer.content.decode()


def test_empty_gateway_says_how_to_begin(admin: Client) -> None:
    page = admin.get(reverse("admin:index")).content.decode()
    assert "To begin" in page
    assert "$0.00" in page


@pytest.mark.parametrize(("nanos", "text"), [(0, "$0.00"), (1, "$0.000000001"), (5_000_000, "$0.0050"), (USD, "$1.00")])
def test_small_amounts_are_not_rounded_away(nanos: int, text: str) -> None:
    assert dashboard.usd(nanos) == text


def test_page_takes_few_queries(admin: Client, key: Key, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_max_num_queries(12):
        admin.get(reverse("admin:index"))


class TestStaff:
    @pytest.fixture
    def person(self) -> User:
        return User.objects.create_user("p", "p@example.org", "pw", is_staff=True)

    @pytest.fixture
    def client(self, person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    def grant(self, person: User, *codenames: str) -> None:
        person.user_permissions.set(Permission.objects.filter(codename__in=codenames))

    def test_without_permissions_there_is_no_money_and_no_menu(self, client: Client, key: Key) -> None:
        page = client.get(reverse("admin:index")).content.decode()
        assert "Nothing is open to you yet" in page
        assert not re.search(r"\$\d", page)
        assert "/admin/tenants/" not in page

    def test_sums_without_attempts_show_no_failures(self, client: Client, person: User, key: Key) -> None:
        self.grant(person, "view_usagehour")
        answer = client.get(reverse("admin:index"))
        assert answer.context["failures"] is None
        assert answer.context["spend_cards"]
