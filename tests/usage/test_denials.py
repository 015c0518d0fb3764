"""A flood of refusals becomes a line for each kind, with how many there were."""

from typing import Any

import pytest

from tests.builders import UnwrittenJournal
from usage import denials
from usage.denials import DenialLog
from usage.records import DenialRecord


def note(log: DenialLog, **fields: Any) -> None:
    usual = {"tenant_id": 1, "user_id": None, "route": "m", "code": "c", "rule": "r", "remaining": 0}
    log.note(**(usual | {"request_id": "req", "key_id": 1} | fields))


def test_refusals_of_a_kind_are_counted_together() -> None:
    journal = UnwrittenJournal()
    log = DenialLog(journal)
    for number in range(5):
        note(log, request_id=f"req{number}", remaining=number)
    note(log, key_id=2)
    log.flush()
    log.flush()
    first, second = journal.kept
    assert isinstance(first, DenialRecord)
    assert isinstance(second, DenialRecord)
    assert (first.count, first.request_id, first.remaining) == (5, "req4", 4)
    assert (second.count, second.key_id) == (1, 2)
    assert first.denial_id != second.denial_id


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(denials, "KINDS_GATHERED_MAX", 3)
    journal = UnwrittenJournal()
    log = DenialLog(journal)
    for number in range(4):
        note(log, key_id=number)
    assert len(journal.kept) == 3
