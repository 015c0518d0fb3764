"""How a budget stands: for every subject it counts, what may be spent, what was spent and what calls under way hold.

What was spent comes from the balances that the ledger keeps, what is reserved from the counters, where these can be
asked. A budget may have more subjects than a page can show: those with the largest share come first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.db.models import Q, Sum

from kernel import clock
from usage.counters.readings import read_sums
from usage.models import Budget, BudgetAllowance, BudgetBalance
from usage.policy import counter_of_budget
from usage.rules.budget_windows import window_of
from usage.rules.calendars import slices_now, windows_of
from usage.rules.subjects import name_subjects, sole_subject
from usage.windows import Window

SHOWN_MAX = 50
LOOKED_AT_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Standing:
    """One counter of a budget. `reserved_nanos` is None where the counters can't be asked."""

    subject: str
    counter: str
    window: Window
    limit_nanos: int
    spent_nanos: int
    resets_at: datetime | None
    name: str = ""
    reserved_nanos: int | None = None
    overridden: bool = False
    override_until: datetime | None = None

    @property
    def left_nanos(self) -> int:
        """Return what may still be reserved, never below zero."""
        return max(0, self.limit_nanos - self.spent_nanos - (self.reserved_nanos or 0))

    @property
    def percent(self) -> float:
        """Return the share of the limit that is spent; a limit of nothing counts as used up."""
        return 100 * self.spent_nanos / self.limit_nanos if self.limit_nanos else 100.0

    @property
    def reserved_percent(self) -> float:
        """Return the share of the limit that calls under way hold."""
        return 100 * (self.reserved_nanos or 0) / self.limit_nanos if self.limit_nanos else 0.0


def standing(budget: Budget, *, at_most: int = SHOWN_MAX) -> list[Standing]:
    """Return how a budget stands now, the subjects with the largest share of their limit first."""
    return _complete(_read_lines(budget, clock.now(), at_most=at_most))


def fullest(budgets: Iterable[Budget]) -> dict[int, Standing]:
    """Return of each budget, by its number, the subject nearest to its limit; none where nobody has used it yet."""
    now = clock.now()
    found = {budget.pk: _read_lines(budget, now, at_most=1) for budget in budgets}
    lines = _complete([line for lines in found.values() for line in lines])
    return dict(zip((number for number, of_it in found.items() if of_it), lines, strict=True))


def slice_for(budget: Budget, subject: str, now: datetime) -> int:
    """Return the number of the slice that a subject's calls are counted in now."""
    return windows_of(budget, [subject])[subject].slice_at(now.timestamp())


def _read_lines(budget: Budget, now: datetime, *, at_most: int) -> list[Standing]:
    """Return what the database knows of the subjects with the largest share."""
    allowances = _read_allowances(budget, now)
    spent = _read_spent(budget, now.timestamp())
    subjects = {*spent, *allowances, *([] if (sole := sole_subject(budget)) is None else [sole])}
    windows = windows_of(budget, subjects)
    lines = [
        Standing(
            subject=subject,
            counter=counter_of_budget(budget.pk, budget.generation, subject),
            window=windows[subject],
            limit_nanos=allowances[subject].limit_nanos if subject in allowances else budget.limit_nanos,
            spent_nanos=spent.get(subject, 0),
            resets_at=_resets_at(windows[subject], now.timestamp()),
            overridden=subject in allowances,
            override_until=allowances[subject].until if subject in allowances else None,
        )
        for subject in subjects
    ]
    return sorted(lines, key=lambda line: (-line.percent, line.subject))[:at_most]


def _complete(lines: list[Standing]) -> list[Standing]:
    """Add what the counters know, and the names."""
    names = name_subjects({line.subject for line in lines})
    sums = read_sums([(line.counter, line.window) for line in lines])
    return [
        replace(
            line,
            name=names[line.subject],
            reserved_nanos=None if total is None else max(0, total - line.spent_nanos),
        )
        for line, total in zip(lines, sums, strict=True)
    ]


def _read_allowances(budget: Budget, now: datetime) -> dict[str, BudgetAllowance]:
    """Return the overrides that hold, the newest where there are more than can be looked at."""
    holding = BudgetAllowance.objects.filter(Q(until=None) | Q(until__gt=now), budget=budget)
    return {allowance.subject: allowance for allowance in holding.order_by("-pk")[:LOOKED_AT_MAX]}


def _read_spent(budget: Budget, now_s: float) -> dict[str, int]:
    """Return what the subjects that spent most have spent in the window as it is now.

    Where each tenant's own calendar counts, it isn't the same day everywhere: sums of a day that is over for their
    subject, or has not begun, are left out.
    """
    window, prefix = window_of(budget), counter_of_budget(budget.pk, budget.generation, "")
    numbers = slices_now(budget, now_s)
    rows = BudgetBalance.objects.filter(budget_id=budget.pk, counter__startswith=prefix, slice__range=numbers)
    by = ["counter"] if window.kind == "sliding" else ["counter", "slice"]
    sums = rows.order_by().values(*by).annotate(posted=Sum("posted_nanos")).order_by("-posted")[:LOOKED_AT_MAX]
    found = {(row["counter"].removeprefix(prefix), row.get("slice")): int(row["posted"]) for row in sums}
    if numbers[0] < numbers[1] and window.kind != "sliding":
        windows = windows_of(budget, {subject for subject, _ in found})
        found = {key: posted for key, posted in found.items() if windows[key[0]].slice_at(now_s) == key[1]}
    return {subject: posted for (subject, _), posted in found.items()}


def _resets_at(window: Window, now_s: float) -> datetime | None:
    """Return when a calendar window begins anew; a sliding one has no such moment, and a lifetime none at all."""
    if window.kind == "sliding":
        return None
    ends_at_s = window.ends_at(window.slice_at(now_s))
    return None if ends_at_s is None else datetime.fromtimestamp(ends_at_s, UTC)
