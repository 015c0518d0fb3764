"""The spans of time over which money and calls are counted. Pure: whoever asks brings the clock.

Every window is cut into numbered slices. What is counted goes into the slice of its moment; a window holds the sum of
its newest `slices` slices. Calendar windows, lifetimes and what is only held for the length of a call have one slice;
a sliding window has 64 and the one under way, so that no span of its length ever holds more than the limit, and a
steady supply still reaches 64/65 of it.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

Kind = Literal["sliding", "day", "week", "month", "lifetime", "held"]
SLICES_A_SPAN = 64
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class Window(msgspec.Struct, frozen=True):
    """`held` counts what is under way and is given back; `span_s` is the length of a sliding window, in seconds."""

    kind: Kind
    span_s: float = 0.0
    time_zone: str = "UTC"

    @property
    def slices(self) -> int:
        """Return how many slices count, the one under way included."""
        return SLICES_A_SPAN + 1 if self.kind == "sliding" else 1

    def slice_at(self, now_s: float) -> int:
        """Return the number of the slice of a moment in seconds since the epoch; it never falls as time goes on."""
        kind = self.kind
        if kind == "sliding":
            return int(now_s * SLICES_A_SPAN / self.span_s)
        if kind in ("lifetime", "held"):
            return 0
        return _period(kind, self.time_zone, now_s).number

    def ends_at(self, number: int) -> float | None:
        """Return the moment, in seconds since the epoch, from which a slice no longer counts; None for never."""
        if self.kind == "sliding":
            return (number + self.slices) * self.span_s / SLICES_A_SPAN
        if self.kind in ("lifetime", "held"):
            return None
        return _bounds(self.kind, self.time_zone, number)[1]

    def starts_at(self, number: int) -> float | None:
        """Return the first moment of a slice, in seconds since the epoch; None where there is none."""
        if self.kind == "sliding":
            return number * self.span_s / SLICES_A_SPAN
        if self.kind in ("lifetime", "held"):
            return None
        return _bounds(self.kind, self.time_zone, number)[0]


LIFETIME = Window("lifetime")
HELD = Window("held")


class _Period(msgspec.Struct, frozen=True):
    number: int
    starts_at_s: float
    ends_at_s: float


_latest: dict[tuple[str, str], _Period] = {}


def _period(kind: str, zone: str, now_s: float) -> _Period:
    """Return the calendar period of a moment; the latest one is remembered, because nearly every call is in it."""
    period = _latest.get((kind, zone))
    if period is None or not period.starts_at_s <= now_s < period.ends_at_s:
        number = _number_of(kind, datetime.fromtimestamp(now_s, ZoneInfo(zone)).date())
        starts_at_s, ends_at_s = _bounds(kind, zone, number)
        period = _latest[kind, zone] = _Period(number, starts_at_s, ends_at_s)
    return period


def _number_of(kind: str, day: date) -> int:
    if kind == "month":
        return day.year * 12 + day.month - 1
    days = day.toordinal() - _EPOCH_ORDINAL
    return days if kind == "day" else (days + 3) // 7  # 1970-01-01 was a Thursday; weeks begin on Monday


def _bounds(kind: str, zone: str, number: int) -> tuple[float, float]:
    return _midnight(_first_day(kind, number), zone), _midnight(_first_day(kind, number + 1), zone)


def _first_day(kind: str, number: int) -> date:
    if kind == "month":
        return date(number // 12, number % 12 + 1, 1)
    return date.fromordinal(_EPOCH_ORDINAL) + timedelta(days=number if kind == "day" else number * 7 - 3)


def _midnight(day: date, zone: str) -> float:
    """Return the first moment of a day there, whatever its clocks were put to."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC).timestamp()
