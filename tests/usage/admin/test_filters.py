"""How lists of usage are narrowed and searched."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from tenants.models import Key
from tests.usage_lists import shown
from tests.usage_rows import add_record, add_tenant

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"ending__exact": "failed"}, {"att_b"}),
        ({"provider": "acme"}, {"att_b"}),
        ({"route": "fast"}, {"att_b"}),
        ({"model": "acme-1"}, {"att_b"}),
        ({"error_code": "upstream_timeout"}, {"att_b"}),
        ({"streamed__exact": "1"}, {"att_b"}),
        ({"day_from": "2026-06-02"}, {"att_b"}),
        ({"day_to": "2026-06-01"}, {"att_a"}),
        ({"day_from": "2026-06-01", "day_to": "2026-06-02"}, {"att_a", "att_b"}),
        ({"day_from": "nonsense"}, {"att_a", "att_b"}),
        ({"q": "req_b"}, {"att_b"}),
        ({"q": "req_"}, {"att_a", "att_b"}),
        ({"q": " att_b "}, {"att_b"}),
        ({"q": "eq_b"}, set()),
        ({"q": "req_%"}, set()),
    ],
)
def test_filters_and_search(admin: Client, key: Key, query: dict[str, str], found: set[str]) -> None:
    add_record(key, attempt_id="att_a", request_id="req_a", started_at=NOW + timedelta(hours=11, minutes=59))
    add_record(
        key,
        attempt_id="att_b",
        request_id="req_b",
        started_at=NOW + timedelta(hours=12),
        ending="failed",
        provider="acme",
        route="fast",
        model="acme-1",
        error_code="upstream_timeout",
        streamed=True,
    )
    assert set(shown(admin, **query)) == found


def test_filters_by_tenant_and_key(admin: Client, key: Key) -> None:
    other = add_tenant("Beta")
    add_record(key, attempt_id="att_a", started_at=NOW)
    add_record(other, attempt_id="att_b", started_at=NOW)
    assert shown(admin, tenant__id__exact=other.tenant_id) == ["att_b"]
    assert shown(admin, key__id__exact=key.pk) == ["att_a"]
