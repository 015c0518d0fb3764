"""Ids that sort by time and callers' ids that are safe to keep."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import ids


def test_ids_are_distinct_and_have_their_form() -> None:
    made = [ids.new_id("req") for _ in range(1000)]
    assert len(set(made)) == 1000
    assert all(len(one) == 36 and one.startswith("req_") for one in made)


def test_ids_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    instants = iter([1_000_000_000_000_000_000, 2_000_000_000_000_000_000])
    monkeypatch.setattr(ids.time, "time_ns", lambda: next(instants))
    earlier, later = ids.new_id("a"), ids.new_id("a")
    assert earlier < later


@pytest.mark.parametrize("value", ["abc", "req_1", "a" * 128, "1-2.3:4+5/6="])
def test_sane_ids_are_kept(value: str) -> None:
    assert ids.is_sane_request_id(value)


@pytest.mark.parametrize("value", ["", "a" * 129, "-a", "a b", "a\n", "a\r\nx: y", "é", '"', "a;b"])
def test_insane_ids_are_not(value: str) -> None:
    assert not ids.is_sane_request_id(value)


@given(st.text())
def test_a_kept_id_can_stand_in_a_header(value: str) -> None:
    if ids.is_sane_request_id(value):
        assert value.isascii()
        assert value.isprintable()
