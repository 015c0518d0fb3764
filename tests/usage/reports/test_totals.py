"""The sums above a list: of the hours where these know the filter, of a bounded number of records where not."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from kernel import clock
from tenants.models import Key
from tests.usage_lists import LIST, cards
from tests.usage_rows import add_hour, add_record
from usage.reports import totals

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class TestTotals:
    def test_they_come_from_the_hours_where_these_know_the_filter(self, admin: Client, key: Key) -> None:
        hour = clock.now().replace(minute=0, second=0, microsecond=0)
        add_hour(key, hour, attempts=3, errors=1, cost_nanos=5, input_tokens=7, output_tokens=9, latency_us=6_000)
        add_hour(key, hour, attempts=1, route="fast")
        add_hour(key, hour - timedelta(days=40), attempts=100)
        assert cards(admin, route="smart") == {
            "Attempts": "3",
            "Errors": "1",
            "Input tokens": "7",
            "Output tokens": "9",
            "Cost": "$0.000000005",
            "Mean latency": "2 ms",
        }
        assert cards(admin)["Attempts"] == "4"
        assert cards(admin, day_from=f"{hour - timedelta(days=41):%Y-%m-%d}")["Attempts"] == "104"

    def test_they_come_from_the_records_where_not(self, admin: Client, key: Key) -> None:
        for number, ending in enumerate(("failed", "completed", "cancelled")):
            add_record(key, attempt_id=f"att_{number}", started_at=NOW, ending=ending, cost_nanos=number or None)
        add_hour(key, NOW, attempts=1_000)
        failed = cards(admin, ending__exact="failed")
        assert (failed["Attempts"], failed["Errors"], failed["Cost"]) == ("1", "1", "$0")
        assert cards(admin, q="req_")["Attempts"] == "3"
        assert cards(admin, q="req_")["Errors"] == "1"

    def test_beyond_the_bound_they_are_of_the_newest_and_say_so(
        self, admin: Client, key: Key, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(totals, "RECORDS_MAX", 2)
        for number in range(3):
            add_record(key, attempt_id=f"att_{number}", started_at=NOW + timedelta(seconds=number), input_tokens=number)
        answer = admin.get(reverse(LIST), {"streamed__exact": "0"})
        assert answer.context["cl"].totals.sums.input_tokens == 3
        assert "Totals of the newest 2 that match." in answer.content.decode()

    def test_hours_have_them_too(self, admin: Client, key: Key) -> None:
        add_hour(key, clock.now(), attempts=12)
        answer = admin.get(reverse("admin:usage_usagehour_changelist"))
        assert answer.context["cl"].totals.sums.attempts == 12
