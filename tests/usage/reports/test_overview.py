"""The latest failures, without a look at the whole table."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.usage_rows import add_record, add_tenant
from usage.reports import overview
from usage.reports.overview import recent_failures

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_failures_are_what_neither_completed_nor_was_hung_up_on() -> None:
    key = add_tenant("Acme")
    for number, ending in enumerate(("completed", "refused", "failed", "cut", "cancelled")):
        add_record(key, attempt_id=f"att_{number}", started_at=NOW + timedelta(seconds=number), ending=ending)
    assert [(found.ending, found.tenant) for found in recent_failures()] == [
        ("cut", "Acme"),
        ("failed", "Acme"),
        ("refused", "Acme"),
    ]
    assert len(recent_failures(limit=1)) == 1


def test_older_attempts_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "_LOOKED_AT_MAX", 2)
    key = add_tenant()
    add_record(key, attempt_id="att_0", started_at=NOW, ending="failed")
    assert len(recent_failures()) == 1
    for number in (1, 2, 3):
        add_record(key, attempt_id=f"att_{number}", started_at=NOW + timedelta(seconds=number))
    assert recent_failures() == []
