"""Bars that show how full something is: what is used, what is held on top of it, and how alarming that is."""

from collections.abc import Collection
from dataclasses import dataclass

from django.template.loader import render_to_string

from kernel.money import NANOS_PER_USD, format_usd
from usage.models import Budget, Limit
from usage.rules.standings import Standing

CALM, WARNING, FULL = "bg-green-500", "bg-orange-500", "bg-red-500"


@dataclass(frozen=True, slots=True)
class Bar:
    """Widths are percentages of the whole bar; together they never exceed it."""

    used_width: float
    held_width: float
    color: str
    text: str
    remark: str = ""

    def render(self) -> str:
        """Return it as HTML."""
        return render_to_string("admin/usage/bar.html", {"bar": self})


def bar_of_budget(budget: Budget, line: Standing, *, named: bool = False) -> Bar:
    """Return the bar of one subject of a budget; `named` says beneath it whose it is."""
    held = f"{_cents(line.reserved_nanos)} reserved" if line.reserved_nanos else ""
    whose = line.name if named and line.subject else ""
    return _bar(
        used=line.percent,
        held=line.reserved_percent,
        alert_percents=budget.alert_percents,
        text=f"{_cents(line.spent_nanos)} of {_cents(line.limit_nanos)}",
        remark=", ".join(words for words in (whose, held) if words),
    )


def bar_of_limit(limit: Limit, used: int) -> Bar:
    """Return the bar of a limit of which so much is in use."""
    percent = 100 * used / limit.value if limit.value else 100.0
    return _bar(used=percent, held=0.0, alert_percents=(80,), text=f"{used:,} of {limit.value:,}")


def usd(nanos: int) -> str:
    """Write an amount exactly: `$1,312.5`."""
    whole, point, fraction = format_usd(abs(nanos)).partition(".")
    return f"{'-' if nanos < 0 else ''}${int(whole):,}{point}{fraction}"


def _cents(nanos: int) -> str:
    """Write an amount as short as it can be read: exact below a cent, in cents above, rounded up."""
    if nanos % (NANOS_PER_USD // 100) == 0 or nanos < NANOS_PER_USD // 100:
        return usd(nanos)
    return f"${-(-nanos * 100 // NANOS_PER_USD) / 100:,.2f}"


def _bar(*, used: float, held: float, alert_percents: Collection[int], text: str, remark: str = "") -> Bar:
    width = max(0.0, min(100.0, used))
    return Bar(
        used_width=round(width, 2),
        held_width=round(min(100.0 - width, held), 2),
        color=FULL if used >= 100 else WARNING if any(used >= percent for percent in alert_percents) else CALM,
        text=text,
        remark=remark,
    )
