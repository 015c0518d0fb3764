"""Instants and deadlines."""

from datetime import UTC

import pytest

from kernel import clock


def test_now_is_aware_and_utc() -> None:
    assert clock.now().tzinfo is UTC


def test_a_deadline_counts_down_to_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    instant = 100.0
    monkeypatch.setattr(clock.time, "monotonic", lambda: instant)
    deadline = clock.Deadline.after(5)
    assert deadline.remaining_s() == 5
    assert not deadline.passed()
    instant = 106.0
    assert deadline.remaining_s() == 0
    assert deadline.passed()
