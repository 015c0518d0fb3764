"""The sums above a list of usage: over everything that the filter lets through, without reading all of it.

Where the filter speaks of what the hours know (day, tenant, key, route, provider, model), they answer. Otherwise the
newest matching records are added up, up to a bound, and the label says so.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from kernel import clock
from kernel.money import format_usd
from usage.models import UsageHour, UsageRecord
from usage.reports.summaries import Sums

RECORDS_MAX = 10_000
USUAL_DAYS = 30
SUCCESSES = (UsageRecord.Ending.COMPLETED, UsageRecord.Ending.CANCELLED)
_ADDED = ("input_tokens", "output_tokens", "cost_nanos", "latency_us")


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums and what they are the sums of."""

    sums: Sums
    label: str

    @property
    def cards(self) -> list[tuple[str, str, str]]:
        """Return the sums as titles, amounts and remarks."""
        sums = self.sums
        share = f"{100 * sums.errors / sums.attempts:.1f} %" if sums.attempts else ""
        unpriced = f"{sums.unpriced_attempts:,} without a price" if sums.unpriced_attempts else ""
        return [
            ("Attempts", f"{sums.attempts:,}", ""),
            ("Errors", f"{sums.errors:,}", share),
            ("Input tokens", f"{sums.input_tokens:,}", ""),
            ("Output tokens", f"{sums.output_tokens:,}", ""),
            ("Cost", f"${format_usd(sums.cost_nanos)}", unpriced),
            ("Mean latency", f"{sums.mean_latency_us / 1000:,.0f} ms", ""),
        ]


def add_hours(hours: QuerySet[UsageHour], *, label: str = "") -> Totals:
    """Add hours up; without a label of their own they are those of the last thirty days."""
    if not label:
        hours = hours.filter(hour__gte=clock.now() - timedelta(days=USUAL_DAYS))
    names = Sums.__struct_fields__
    found = hours.order_by().aggregate(**{f"sum_{name}": Sum(name) for name in names})
    return Totals(_sums_of(found), label or f"the last {USUAL_DAYS} days")


def add_records(records: QuerySet[UsageRecord]) -> Totals:
    """Add the newest matching records up, no more of them than the bound."""
    newest = records.order_by("-started_at", "-attempt_id")[:RECORDS_MAX]
    found = newest.aggregate(
        sum_attempts=Count("pk"),
        sum_errors=Count("pk", filter=~Q(ending__in=SUCCESSES)),
        sum_unpriced_attempts=Count("pk", filter=Q(cost_nanos=None)),
        **{f"sum_{name}": Sum(name) for name in _ADDED},
    )
    sums = _sums_of(found)
    more = sums.attempts >= RECORDS_MAX
    return Totals(sums, f"the newest {RECORDS_MAX:,} that match" if more else "everything that matches")


def _sums_of(found: dict[str, Any]) -> Sums:
    return Sums(**{name: int(found[f"sum_{name}"] or 0) for name in Sums.__struct_fields__})
