"""Slices never fall, fit together without a gap, and follow the calendar of their zone, clock changes included."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.windows import HELD, LIFETIME, SLICES_A_SPAN, Window

INSTANTS = st.floats(min_value=0, max_value=4_000_000_000, allow_nan=False)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Africa/Cairo"])
CALENDARS = st.builds(Window, st.sampled_from(["day", "week", "month"]), st.just(0.0), ZONES)
SLIDING = st.builds(lambda span: Window("sliding", span), st.sampled_from([1.0, 60.0, 3_600.0, 86_400.0, 2_592_000.0]))


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@given(window=st.one_of(CALENDARS, SLIDING), first=INSTANTS, second=INSTANTS)
def test_a_slices_number_never_falls(window: Window, first: float, second: float) -> None:
    earlier, later = sorted((first, second))
    assert window.slice_at(earlier) <= window.slice_at(later)


@given(window=CALENDARS, now_s=INSTANTS)
def test_a_moment_lies_within_its_calendar_period(window: Window, now_s: float) -> None:
    number = window.slice_at(now_s)
    starts_at, ends_at = window.starts_at(number), window.ends_at(number)
    assert starts_at is not None
    assert ends_at is not None
    assert starts_at <= now_s < ends_at
    assert window.ends_at(number - 1) == starts_at


@given(window=SLIDING, now_s=INSTANTS)
def test_a_sliding_slice_counts_for_no_less_than_its_span(window: Window, now_s: float) -> None:
    ends_at = window.ends_at(window.slice_at(now_s))
    assert ends_at is not None
    assert window.span_s * 0.999_999 <= ends_at - now_s <= window.span_s * (1 + 1 / SLICES_A_SPAN) * 1.000_001


@pytest.mark.parametrize(
    ("kind", "zone", "moment", "starts", "ends"),
    [
        ("day", "Europe/Berlin", "2026-03-29T12:00", "2026-03-29T00:00", "2026-03-30T00:00"),  # 23 hours
        ("day", "America/New_York", "2026-11-01T12:00", "2026-11-01T00:00", "2026-11-02T00:00"),  # 25 hours
        ("week", "UTC", "2026-11-21T10:00", "2026-11-16T00:00", "2026-11-23T00:00"),
        ("month", "Asia/Kolkata", "2026-12-31T23:59", "2026-12-01T00:00", "2027-01-01T00:00"),
    ],
)
def test_calendar_periods(kind: str, zone: str, moment: str, starts: str, ends: str) -> None:
    window = Window(kind, time_zone=zone)  # type: ignore[arg-type]  # a literal, by way of a parameter
    number = window.slice_at(at(moment, zone))
    assert (window.starts_at(number), window.ends_at(number)) == (at(starts, zone), at(ends, zone))


def test_the_months_turn_is_the_tenants() -> None:
    instant = datetime(2026, 11, 30, 23, 30, tzinfo=UTC).timestamp()
    assert Window("month", time_zone="Asia/Tokyo").slice_at(instant) == Window("month").slice_at(instant) + 1


@pytest.mark.parametrize("window", [LIFETIME, HELD])
def test_what_never_ends(window: Window) -> None:
    assert (window.slice_at(1e9), window.slices, window.ends_at(0), window.starts_at(0)) == (0, 1, None, None)
