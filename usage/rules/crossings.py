"""Which budgets are past a percentage that somebody wants to hear of. Asked often, so one sum a budget must do.

What was spent comes from the balances of the ledger: reservations of calls under way don't count. The database adds
up and hands out only the counters that are past the lowest percentage; who has a limit of their own is looked at
besides. A counter is told once for every percentage that it is past.

A crossing is known by its `period`: in calendar windows that is the number of the slice, so that a new day, week or
month begins anew. A sliding window moves into another slice all the time; it is one period for ever, like a lifetime,
and only falling below the percentage ends a crossing there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.db.models import Q, QuerySet, Sum

from tenants.models import Key
from usage.models import Budget, BudgetAllowance, BudgetBalance
from usage.policy import counter_of_budget
from usage.rules.budget_windows import window_of
from usage.rules.calendars import slices_now, sole_tenant, windows_of
from usage.rules.subjects import name_subjects
from usage.windows import Window

_AT_ONCE = 500
_SLIDING_PERIOD = 0


@dataclass(frozen=True, slots=True)
class Crossing:
    """One counter of a budget that is past one percentage of its limit.

    `tenant_id` is whose money it is, None where the counter counts several tenants together. `resets_at` is None for
    windows without such a moment.
    """

    budget_id: int
    budget: str
    hard: bool
    counter: str
    period: int
    subject: str
    subject_name: str
    tenant_id: int | None
    percent: int
    spent_nanos: int
    limit_nanos: int
    resets_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Line:
    subject: str
    slice: int | None
    spent_nanos: int
    limit_nanos: int

    def is_past(self, percent: int) -> bool:
        """Tell whether so much is spent. Of a limit of nothing, whatever is spent is all of it."""
        if not self.limit_nanos:
            return self.spent_nanos > 0 and percent <= 100
        return self.spent_nanos * 100 >= percent * self.limit_nanos


def crossed(now: datetime) -> Iterator[Crossing]:
    """Yield every percentage that a budget is past now, each counter's highest first."""
    wanted = Budget.objects.filter(enabled=True).select_related("tenant", "key__tenant").order_by("pk")
    for budget in wanted:
        if budget.alert_percents:
            yield from _crossed(budget, now)


def _crossed(budget: Budget, now: datetime) -> Iterator[Crossing]:
    lines = sorted(_read_lines(budget, now), key=lambda line: line.subject)
    for start in range(0, len(lines), _AT_ONCE):
        yield from _describe(budget, lines[start : start + _AT_ONCE], now)


def _read_lines(budget: Budget, now: datetime) -> Iterator[_Line]:
    """Yield the counters that are past the lowest percentage, as far as the database can tell."""
    prefix = counter_of_budget(budget.pk, budget.generation, "")
    slices, sliding = slices_now(budget, now.timestamp()), window_of(budget).kind == "sliding"
    rows = BudgetBalance.objects.filter(budget_id=budget.pk, counter__startswith=prefix, slice__range=slices)
    lowest, own_limits = min(budget.alert_percents), _read_own_limits(budget, now)
    least_nanos = max(1, -(-lowest * budget.limit_nanos // 100))
    for counter, number, nanos in _read_sums(rows, sliding=sliding, least_nanos=least_nanos):
        subject = counter.removeprefix(prefix)
        if subject not in own_limits:
            yield _Line(subject, number, nanos, budget.limit_nanos)
    subjects = list(own_limits)
    for start in range(0, len(subjects), _AT_ONCE):
        own = rows.filter(counter__in=[prefix + subject for subject in subjects[start : start + _AT_ONCE]])
        for counter, number, nanos in _read_sums(own, sliding=sliding, least_nanos=1):
            subject = counter.removeprefix(prefix)
            yield _Line(subject, number, nanos, own_limits[subject])


def _read_sums(
    rows: QuerySet[BudgetBalance], *, sliding: bool, least_nanos: int
) -> Iterator[tuple[str, int | None, int]]:
    """Yield counters with what they hold; apart by slice where calendars may differ."""
    by = ["counter"] if sliding else ["counter", "slice"]
    sums = rows.order_by().values(*by).annotate(posted=Sum("posted_nanos")).filter(posted__gte=least_nanos)
    for row in sums.iterator():
        yield row["counter"], row.get("slice"), int(row["posted"])


def _read_own_limits(budget: Budget, now: datetime) -> dict[str, int]:
    """Return the limits of the subjects that an override holds for."""
    holding = BudgetAllowance.objects.filter(Q(until=None) | Q(until__gt=now), budget=budget).order_by()
    return dict(holding.values_list("subject", "limit_nanos"))


def _describe(budget: Budget, lines: list[_Line], now: datetime) -> Iterator[Crossing]:
    """Yield the crossings of some lines, without those of a day, week or month that is not under way for them."""
    subjects = {line.subject for line in lines}
    windows, names, tenants = windows_of(budget, subjects), name_subjects(subjects), _tenants_of(budget, subjects)
    percents = sorted(set(budget.alert_percents), reverse=True)
    for line in lines:
        window, number = windows[line.subject], windows[line.subject].slice_at(now.timestamp())
        if line.slice not in (None, number):
            continue
        told = Crossing(
            budget_id=budget.pk,
            budget=budget.name,
            hard=budget.hard,
            counter=counter_of_budget(budget.pk, budget.generation, line.subject),
            period=_SLIDING_PERIOD if window.kind == "sliding" else number,
            subject=line.subject,
            subject_name=names[line.subject],
            tenant_id=tenants.get(line.subject),
            percent=percents[0],
            spent_nanos=line.spent_nanos,
            limit_nanos=line.limit_nanos,
            resets_at=_resets_at(window, number),
        )
        yield from (replace(told, percent=percent) for percent in percents if line.is_past(percent))


def _resets_at(window: Window, number: int) -> datetime | None:
    ends_at_s = None if window.kind == "sliding" else window.ends_at(number)
    return None if ends_at_s is None else datetime.fromtimestamp(ends_at_s, UTC)


def _tenants_of(budget: Budget, subjects: set[str]) -> Mapping[str, int]:
    """Return whose money each subject's is, as far as it is one tenant's."""
    sole = sole_tenant(budget)
    if sole is not None:
        return dict.fromkeys(subjects, sole.pk)
    if budget.per == "tenant":
        return {subject: int(subject[1:]) for subject in subjects}
    if budget.per == "key":
        keys = Key.objects.filter(pk__in=[int(subject[1:]) for subject in subjects]).order_by()
        return {f"k{pk}": tenant_id for pk, tenant_id in keys.values_list("pk", "tenant_id")}
    return {}
