"""LiteLLM's budget durations as windows of ours.

LiteLLM starts a budget of `1d`, `24h`, `7d`, `1w`, `30d` and `1mo` anew with the calendar: at midnight, on Monday, on
the first. Any other one starts anew every so often. (LiteLLM's page "Budget Reset Times and Timezones" and its
`duration_parser.py`, October 2026.)
"""

import re
from dataclasses import dataclass

LENGTH_MAX = 10_000
_CALENDAR = {"1d": "day", "24h": "day", "7d": "week", "1w": "week", "30d": "month", "1mo": "month"}
_HOURS = {"h": 1, "d": 24, "w": 7 * 24}
_SECONDS = {"s": 1, "m": 60}
_FORM = re.compile(r"([0-9]{1,9})(mo|[smhdw])")


@dataclass(frozen=True, slots=True)
class Duration:
    """The period of a budget, the N of a rolling one, and the words for the report."""

    period: str
    length: int | None
    words: str

    @property
    def in_calendar(self) -> bool:
        """Tell whether a time zone decides when it begins."""
        return self.period in _CALENDAR.values()


LIFETIME = Duration("lifetime", None, "for good, as no duration is stated")


def read_duration(text: str | None) -> Duration | str:
    """Return the window for a duration, for good where there is none, or the reason why there is no such window."""
    if text is None:
        return LIFETIME
    if text in _CALENDAR:
        return Duration(_CALENDAR[text], None, f"each calendar {_CALENDAR[text]}, as LiteLLM counts {text}")
    hours = _hours_of(text)
    if hours is None:
        return "budgets count whole hours, days, weeks, one month or a lifetime"
    days, rest = divmod(hours, 24)
    in_days = not rest and not text.endswith("h")
    length = days if in_days else hours
    if not 1 <= length <= LENGTH_MAX:
        return f"a budget counts from 1 to {LENGTH_MAX} hours or days"
    unit = "days" if in_days else "hours"
    words = f"the last {length} {unit} at any moment, where LiteLLM starts anew every {text}"
    return Duration(f"rolling_{unit}", length, words)


def _hours_of(text: str) -> int | None:
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    number, unit = int(form[1]), form[2]
    if unit in _HOURS:
        return number * _HOURS[unit]
    if unit not in _SECONDS or number * _SECONDS[unit] % 3600:
        return None
    return number * _SECONDS[unit] // 3600
