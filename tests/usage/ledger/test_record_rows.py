"""Records become rows, and only the new ones count."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from providers.dialects.canonical import Usage
from usage.ledger.record_rows import insert_attempts, insert_denials
from usage.models import Denial, UsageHour, UsageRecord
from usage.records import AttemptRecord, DenialRecord

Make = Callable[..., AttemptRecord]

pytestmark = pytest.mark.usefixtures("database")


def insert(*records: AttemptRecord) -> list[AttemptRecord]:
    with transaction.atomic():
        return insert_attempts(records)


def denial(**changes: Any) -> DenialRecord:
    values: dict[str, Any] = {
        "denial_id": "den_1",
        "request_id": "req_1",
        "at_ns": 1_767_225_600_123_456_789,
        "tenant_id": 1,
        "key_id": 2,
        "user_id": 3,
        "route": "smart",
        "code": "budget_exceeded",
        "rule": "the month",
        "remaining": -5,
        "count": 7,
    }
    return DenialRecord(**(values | changes))


def test_only_what_is_new_is_added_and_returned(make_record: Make) -> None:
    assert insert(make_record(1), make_record(2)) == [make_record(1), make_record(2)]
    assert insert(make_record(2), make_record(3), make_record(3)) == [make_record(3)]
    assert insert() == []
    assert UsageRecord.objects.count() == 3
    assert UsageHour.objects.get().attempts == 3


def test_the_known_are_looked_for_within_the_span_of_the_batch(make_record: Make) -> None:
    """A table in parts by month is then asked for the parts that it can be in."""
    with CaptureQueriesContext(connection) as queries:
        insert(make_record(1), make_record(90_000))
    (look_up,) = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert "2026-01-01 00:00:01" in look_up
    assert "2026-01-02 01:00:00" in look_up


def test_an_attempt_whose_worker_died_is_an_error_of_its_hour(make_record: Make) -> None:
    insert(make_record(1, ending="lost", usage=Usage(output_tokens=7, estimated=True)), make_record(2))
    hour = UsageHour.objects.get()
    assert (hour.attempts, hour.errors, hour.output_tokens) == (2, 1, 12)
    assert UsageRecord.objects.get(ending="lost").tokens_estimated is True


@pytest.mark.parametrize("changes", [{"cost_nanos": -1}, {"latency_us": 10**16}, {"usage": Usage(images=-1)}])
def test_amounts_that_can_not_be_true_are_refused(make_record: Make, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no amount that can be true"):
        insert(make_record(1, **changes))


def test_a_denial_becomes_its_row_once() -> None:
    insert_denials([denial(), denial()])
    insert_denials([denial(count=9), denial(denial_id="den_2", rule="r" * 500, user_id=None)])
    insert_denials([])
    first, second = Denial.objects.order_by("denial_id")
    assert first.at.isoformat() == "2026-01-01T00:00:00.123456+00:00"
    same = set(DenialRecord.__struct_fields__) - {"at_ns"}
    assert {name: getattr(first, name) for name in same} == {name: getattr(denial(), name) for name in same}
    assert (second.rule, second.user_id) == ("r" * 120, None)


def test_a_denial_of_fewer_than_none_is_refused() -> None:
    with pytest.raises(ValueError, match="count"):
        insert_denials([denial(count=-1)])
