"""LiteLLM's durations, each as the window that counts alike."""

import pytest

from gateway_project.configuration.litellm.durations import LIFETIME, Duration, read_duration


@pytest.mark.parametrize(
    ("text", "period", "length"),
    [
        ("1d", "day", None),
        ("24h", "day", None),
        ("7d", "week", None),
        ("1w", "week", None),
        ("30d", "month", None),
        ("1mo", "month", None),
        ("1h", "rolling_hours", 1),
        ("30h", "rolling_hours", 30),
        ("48h", "rolling_hours", 48),
        ("3600s", "rolling_hours", 1),
        ("120m", "rolling_hours", 2),
        ("2d", "rolling_days", 2),
        ("90d", "rolling_days", 90),
        ("2w", "rolling_days", 14),
    ],
)
def test_a_duration_is_a_window(text: str, period: str, length: int | None) -> None:
    found = read_duration(text)
    assert isinstance(found, Duration)
    assert (found.period, found.length) == (period, length)
    assert found.in_calendar == (length is None)
    assert text in found.words


@pytest.mark.parametrize("text", ["30s", "30m", "90m", "2mo", "0d", "soon", "", "1y", "d", "10001h", "-1d", "1.5d"])
def test_what_has_no_window_says_why(text: str) -> None:
    assert isinstance(read_duration(text), str)


def test_no_duration_is_for_good() -> None:
    assert read_duration(None) is LIFETIME
