"""No page of usage reads a whole table, however big."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from kernel import clock
from tenants.models import Key
from tenants.paging import BOUND_ROWS
from tests.usage_lists import LIST
from tests.usage_rows import add_usage
from usage.admin import change_lists
from usage.models import UsageHour, UsageRecord
from usage.reports import totals

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class TestManyRows:
    @pytest.fixture
    def many(self, key: Key) -> Key:
        """More than are counted."""
        add_usage(key, count=BOUND_ROWS + 2_000, until=clock.now(), span=timedelta(days=20))
        return key

    def test_no_page_reads_the_whole_table(self, admin: Client, key: Key) -> None:
        add_usage(key, count=200_000, until=clock.now(), span=timedelta(days=20))
        middle = UsageRecord.objects.order_by("pk")[100_000]
        queries = (
            "",
            "?older=" + middle.pk,
            "?newer=" + middle.pk,
            "?ending__exact=failed",
            "?error_code=nothing",
            f"?tenant__id__exact={key.tenant_id}&ending__exact=failed",
            f"?key__id__exact={key.pk}",
            "?q=" + middle.request_id,
            "?q=" + middle.request_id[:12],
        )
        admin.get(reverse(LIST))
        for query in queries:
            with CaptureQueriesContext(connection) as captured:
                assert admin.get(reverse(LIST) + query).status_code == 200
            statements = [entry["sql"] for entry in captured if "usage_usagerecord" in entry["sql"]]
            assert len(captured) <= 12, query
            assert [sql for sql in statements if not _is_bounded(sql)] == [], query

    def test_the_list_is_counted_by_estimate(self, admin: Client, many: Key) -> None:
        assert "about 12,000 usage records" in admin.get(reverse(LIST)).content.decode()

    def test_filter_without_an_index_says_how_far_it_looked(
        self, admin: Client, many: Key, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(change_lists, "SCANNED_MAX", 100)
        answer = admin.get(reverse(LIST), {"ending__exact": "failed"})
        assert len(answer.context["cl"].result_list) == 2
        assert "name a day, a tenant or a key to look further back" in answer.content.decode()
        assert "look further back" not in admin.get(reverse(LIST)).content.decode()

    def test_detail_finds_its_siblings_by_index(
        self, admin: Client, many: Key, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        url = reverse("admin:usage_usagerecord_change", args=[quote(UsageRecord.objects.order_by("pk")[5].pk)])
        with django_assert_max_num_queries(20) as captured:
            assert admin.get(url).status_code == 200
        for entry in captured:
            if "usage_usagerecord" in entry["sql"]:
                assert _plan(entry["sql"]).startswith("SEARCH"), entry["sql"]

    def test_sums_of_the_hours_are_those_of_the_records(self, many: Key) -> None:
        assert totals.add_hours(UsageHour.objects.all(), label="all").sums.attempts == BOUND_ROWS + 2_000


def _is_bounded(sql: str) -> bool:
    """Tell whether a statement has a limit, or reaches its rows by their keys."""
    return bool(re.search(r"LIMIT \d+|MAX\(rowid\)|attempt_id\" = '", sql)) and 'COUNT(*) FROM "usage' not in sql


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"))
        return str(cursor.fetchone()[3])
