"""The admin's first page: what was spent and how it went, now and lately, from the sums by hour."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import reduce
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from kernel import clock
from kernel.money import NANOS_PER_USD, format_usd
from usage.reports import overview, summaries
from usage.reports.summaries import GroupBy, HourPoint, Sums

RANGES = {"24h": ("24 hours", 24), "7d": ("7 days", 24 * 7), "30d": ("30 days", 24 * 30)}
_TOP_ROWS = 6
_HOURS_A_BAR = {"24h": 1, "7d": 3, "30d": 24}
_TOPS: tuple[tuple[str, GroupBy, str], ...] = (
    ("Routes by cost", "route", "route"),
    ("Tenants by cost", "tenant", "tenant__id__exact"),
    ("Models by cost", "model", "model"),
)


def fill_index(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the dashboard to the index page, for those who may see usage."""
    context["title"] = "Dashboard"
    user = request.user
    if not user.has_perm("usage.view_usagehour"):
        return context
    chosen = request.GET.get("range", "24h")
    chosen = chosen if chosen in RANGES else "24h"
    failures = overview.recent_failures() if user.has_perm("usage.view_usagerecord") else None
    return context | _describe(clock.now(), chosen) | {"failures": failures}


def _describe(now: datetime, chosen: str) -> dict[str, Any]:
    words, hours = RANGES[chosen]
    found = summaries.dashboard(now=now, hours=hours)
    period = _add_up(point.sums for point in found.hours)
    bars = list(_fold(found.hours, _HOURS_A_BAR[chosen]))
    return {
        "ranges": [
            {"title": title, "link": f"?range={name}", "active": name == chosen} for name, (title, _) in RANGES.items()
        ],
        "range_words": words,
        "spend_cards": _spend_cards(found),
        "period_cards": _period_cards(period),
        "charts": _charts(bars, hourly=chosen == "24h"),
        "tops": _tops(now, hours),
        "empty": not found.last_30_days.attempts,
    }


def _spend_cards(found: summaries.Dashboard) -> list[tuple[str, str, str]]:
    periods = (("Today", found.today), ("Last 7 days", found.last_7_days), ("Last 30 days", found.last_30_days))
    return [(f"Spend, {title.lower()}", usd(sums.cost_nanos), f"{sums.attempts:,} attempts") for title, sums in periods]


def _period_cards(sums: Sums) -> list[tuple[str, str, str]]:
    tokens = f"{sums.input_tokens:,} tokens in, {sums.output_tokens:,} out"
    share = 100 * sums.errors / sums.attempts if sums.attempts else 0.0
    unpriced = f", {sums.unpriced_attempts:,} without a price" if sums.unpriced_attempts else ""
    return [
        ("Attempts", f"{sums.attempts:,}", tokens),
        ("Error rate", f"{share:.1f} %", f"{sums.errors:,} errors{unpriced}"),
        ("Mean latency", f"{sums.mean_latency_us / 1000:,.0f} ms", "over all attempts"),
    ]


def _fold(hours: list[HourPoint], size: int) -> Iterable[HourPoint]:
    """Add hours up to bars of so many hours, the last of them complete."""
    first = len(hours) % size
    for start in range(first - size if first else 0, len(hours), size):
        part = hours[max(start, 0) : start + size]
        yield HourPoint(part[0].hour, _add_up(point.sums for point in part))


def _charts(bars: list[HourPoint], *, hourly: bool) -> list[dict[str, str]]:
    labels = [f"{bar.hour:%H:%M}" if hourly else f"{bar.hour:%d %b %H:%M}" for bar in bars]

    def draw(*lines: tuple[str, str, Callable[[Sums], float]]) -> str:
        datasets = [
            {
                "label": label,
                "data": [value(bar.sums) for bar in bars],
                "backgroundColor": f"var(--color-{color})",
                "borderColor": f"var(--color-{color})",
                "displayYAxis": True,
                "maxTicksXLimit": 8,
            }
            for label, color, value in lines
        ]
        return json.dumps({"labels": labels, "datasets": datasets})

    succeeded = ("Succeeded", "primary-600", lambda sums: sums.attempts - sums.errors)
    failed = ("Failed", "red-500", lambda sums: sums.errors)
    return [
        {"title": "Spend, USD", "type": "bar", "data": draw(("USD", "primary-600", _dollars))},
        {"title": "Attempts and errors", "type": "bar", "data": draw(failed, succeeded)},
        {"title": "Mean latency, ms", "type": "line", "data": draw(("ms", "primary-600", _milliseconds))},
    ]


def _dollars(sums: Sums) -> float:
    return sums.cost_nanos / NANOS_PER_USD


def _milliseconds(sums: Sums) -> float:
    return sums.mean_latency_us / 1000


def _tops(now: datetime, hours: int) -> list[dict[str, Any]]:
    since = now - timedelta(hours=hours - 1)
    return [_top(title, group_by, parameter, since, now) for title, group_by, parameter in _TOPS]


def _top(title: str, group_by: GroupBy, parameter: str, since: datetime, now: datetime) -> dict[str, Any]:
    found = summaries.summary(since=since, until=now, group_by=group_by, limit=_TOP_ROWS)
    dearest = max((row.sums.cost_nanos for row in found.rows), default=0)
    records = reverse("admin:usage_usagerecord_changelist")
    rows = [
        {
            "name": row.value or f"deleted ({row.id})",
            "link": f"{records}?{urlencode({parameter: row.value if row.id is None else row.id})}",
            "cost": usd(row.sums.cost_nanos),
            "attempts": f"{row.sums.attempts:,}",
            "share": max(1, 100 * row.sums.cost_nanos // dearest) if dearest else 0,
        }
        for row in found.rows
    ]
    return {"title": title, "rows": rows}


def _add_up(parts: Iterable[Sums]) -> Sums:
    return reduce(Sums.plus, parts, Sums())


def usd(nanos: int) -> str:
    """Write an amount for a card: to the cent from a dollar on, finer below."""
    dollars = nanos / NANOS_PER_USD
    if dollars >= 1 or not nanos:
        return f"${dollars:,.2f}"
    return f"${dollars:.4f}" if dollars >= 0.001 else f"${format_usd(nanos)}"
