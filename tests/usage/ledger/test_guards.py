"""The databases themselves keep what the ledger says."""

from collections.abc import Callable

import pytest
from django.db import Error, connection, transaction

from usage.ledger import posting
from usage.models import LedgerEntry
from usage.records import AttemptRecord


@pytest.mark.parametrize("change", ["UPDATE usage_ledgerentry SET amount_nanos = 0", "DELETE FROM usage_ledgerentry"])
def test_no_entry_can_be_changed_or_deleted(
    guarded_database: None, make_record: Callable[..., AttemptRecord], change: str
) -> None:
    with transaction.atomic():
        posting.write([make_record(1)], worker="w")
    with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert [entry.amount_nanos for entry in LedgerEntry.objects.all()] == [1_000]
