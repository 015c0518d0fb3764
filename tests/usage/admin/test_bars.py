"""Bars never overflow, say exact amounts, and turn alarming where alerts are sent."""

import pytest

from tests.money_rows import USD
from usage.admin.bars import bar_of_budget, bar_of_limit, usd
from usage.models import Budget, Limit
from usage.rules.standings import Standing
from usage.windows import LIFETIME


def line(spent: int, reserved: int | None = None, limit: int = 10 * USD) -> Standing:
    return Standing("k1", "b1.0.k1", LIFETIME, limit, spent, None, name="app", reserved_nanos=reserved)


@pytest.mark.parametrize(
    ("spent", "reserved", "widths", "color"),
    [
        (0, None, (0.0, 0.0), "bg-green-500"),
        (4 * USD, USD, (40.0, 10.0), "bg-green-500"),
        (5 * USD, 0, (50.0, 0.0), "bg-orange-500"),
        (8 * USD, 3 * USD, (80.0, 20.0), "bg-orange-500"),
        (12 * USD, USD, (100.0, 0.0), "bg-red-500"),
        (-USD, 0, (0.0, 0.0), "bg-green-500"),
    ],
)
def test_budgets(spent: int, reserved: int | None, widths: tuple[float, float], color: str) -> None:
    bar = bar_of_budget(Budget(), line(spent, reserved))
    assert ((bar.used_width, bar.held_width), bar.color) == (widths, color)


def test_alerts_elsewhere() -> None:
    assert bar_of_budget(Budget(alert_percents=[30]), line(3 * USD)).color == "bg-orange-500"
    assert bar_of_budget(Budget(alert_percents=[]), line(9 * USD)).color == "bg-green-500"


def test_words() -> None:
    assert bar_of_budget(Budget(), line(2_500_000_001, USD), named=True).text == "$2.51 of $10"
    assert bar_of_budget(Budget(), line(1_500, USD), named=True).text == "$0.0000015 of $10"
    assert bar_of_budget(Budget(), line(1, USD), named=True).remark == "app, $1 reserved"
    assert (usd(-1_500), usd(12_345 * USD + 1)) == ("-$0.0000015", "$12,345.000000001")


def test_limits() -> None:
    assert bar_of_limit(Limit(value=60), 30).text == "30 of 60"
    assert [bar_of_limit(Limit(value=60), used).color for used in (47, 48, 60)] == [
        "bg-green-500",
        "bg-orange-500",
        "bg-red-500",
    ]
    assert bar_of_limit(Limit(value=0), 0).used_width == 100.0
