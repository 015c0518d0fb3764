"""What was used before there was a ledger: it is moved into months, posted, and there is a way back."""

from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.models.functions import Now

from tests.usage_rows import add_record, add_tenant
from usage.ledger.audit_checks import check_records
from usage.models import LedgerEntry, UsageRecord

BEFORE = "0002_budgets_limits_ledger"


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, UsageRecord._meta.db_table))


def model_of(migration: str) -> type[UsageRecord]:
    """Return the records' model as it was after a migration."""
    state = MigrationLoader(connection).project_state(("usage", migration))
    return state.apps.get_model("usage", "UsageRecord")  # type: ignore[return-value]


@pytest.mark.usefixtures("guarded_database")
def test_rows_from_before_the_ledger_are_moved_and_posted() -> None:
    usual = indexes()
    call_command("migrate", "usage", BEFORE, verbosity=0)
    key, then = add_tenant(), model_of(BEFORE)
    add_record(key, record_class=then, attempt_id="new", started_at=Now(), cost_nanos=7)
    add_record(key, record_class=then, attempt_id="old", started_at=datetime(2026, 1, 31, tzinfo=UTC), cost_nanos=None)
    ancient = datetime(1999, 1, 1, tzinfo=UTC)
    add_record(key, record_class=then, attempt_id="ancient", started_at=ancient, tokens_estimated=True)
    call_command("migrate", verbosity=0)
    assert set(UsageRecord.objects.values_list("pk", flat=True)) == {"new", "old", "ancient"}
    assert set(UsageRecord.objects.values_list("characters", "audio_ms", "searches")) == {(0, 0, 0)}
    assert dict(LedgerEntry.objects.values_list("entry_id", "amount_nanos")) == {
        "new.p": 7,
        "old.p": None,
        "ancient.p": None,
    }
    assert LedgerEntry.objects.get(estimated=True).attempt_id == "ancient"
    assert check_records(20, None).differences == 0
    assert indexes() == usual


@pytest.mark.usefixtures("guarded_database")
def test_going_back_and_forth_posts_once() -> None:
    add_record(add_tenant(), started_at=datetime(2026, 1, 31, tzinfo=UTC), cost_nanos=7)
    for target in ("0003", "0004", "0001"):
        call_command("migrate", "usage", target, verbosity=0)
        assert UsageRecord.objects.count() == 1
    call_command("migrate", verbosity=0)
    assert LedgerEntry.objects.count() == 1
