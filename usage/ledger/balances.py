"""What was spent, by budget counter and worker, as the counters want to hear it again when they lost it.

Only balances that a window still holds matter: those of the budget's present generation, in slices that are not over.
Where each tenant's own calendar counts, a slice may be over for one and under way for another; rows of the newest
slices are then told with their subject's own window, and whoever holds counters drops what is over.
"""

from collections.abc import Iterator
from itertools import groupby, islice
from typing import NamedTuple

from django.db.models import F, Q, QuerySet

from usage.counters.base import Contribution
from usage.ledger.charges import read_counter
from usage.models import Budget, BudgetBalance
from usage.policy import counter_of_budget
from usage.rules.calendars import slices_now, windows_of
from usage.windows import Window

__all__ = ["Spent", "contributions_of", "current_contributions", "forget_carried", "spent_now"]

_ROWS_AT_ONCE = 2_000


class Spent(NamedTuple):
    """What a counter of a budget holds now according to the ledger, corrections included."""

    counter: str
    window: Window
    nanos: int


def current_contributions(now_s: float) -> Iterator[tuple[str, Contribution]]:
    """Yield what every worker has posted in windows that are not over, the workers' names beside it."""
    for budget in _budgets():
        yield from _contributions(budget, _live_rows(budget, now_s))


def contributions_of(worker: str, now_s: float) -> list[Contribution]:
    """Return what one worker has posted in windows that are not over."""
    return [
        told
        for budget in _budgets()
        for _, told in _contributions(budget, _live_rows(budget, now_s).filter(worker=worker))
    ]


def spent_now(now_s: float) -> Iterator[Spent]:
    """Yield what every counter that has anything in its present window holds by the ledger."""
    for budget in _budgets():
        told = (one for _, one in _contributions(budget, _live_rows(budget, now_s).order_by("counter")))
        live = (one for one in told if one.slice > one.window.slice_at(now_s) - one.window.slices)
        for (counter, window), parts in groupby(live, key=lambda one: (one.counter, one.window)):
            yield Spent(counter, window, sum(part.amount for part in parts))


def forget_carried(now_s: float) -> int:
    """Delete balances that no window holds any more and whose entries retention has dropped; return how many."""
    over = ~Q(budget_id__in=Budget.objects.order_by().values("pk"))
    for budget in _budgets():
        prefix = counter_of_budget(budget.pk, budget.generation, "")
        of_budget = Q(budget_id=budget.pk)
        over |= of_budget & (Q(slice__lt=slices_now(budget, now_s)[0]) | ~Q(counter__startswith=prefix))
    carried = BudgetBalance.objects.filter(posted_nanos=F("carried_nanos"), posts=F("carried_posts"))
    return carried.filter(over).delete()[0]


def _budgets() -> QuerySet[Budget]:
    return Budget.objects.select_related("tenant", "key__tenant").order_by("pk")


def _live_rows(budget: Budget, now_s: float) -> QuerySet[BudgetBalance]:
    prefix = counter_of_budget(budget.pk, budget.generation, "")
    rows = BudgetBalance.objects.filter(budget_id=budget.pk, slice__gte=slices_now(budget, now_s)[0])
    return rows.filter(counter__startswith=prefix).order_by()


def _contributions(budget: Budget, rows: QuerySet[BudgetBalance]) -> Iterator[tuple[str, Contribution]]:
    found = rows.values_list("worker", "counter", "slice", "posted_nanos").iterator(_ROWS_AT_ONCE)
    while chunk := list(islice(found, _ROWS_AT_ONCE)):
        windows = windows_of(budget, {read_counter(counter).subject for _, counter, _, _ in chunk})
        for worker, counter, number, nanos in chunk:
            yield worker, Contribution(counter, windows[read_counter(counter).subject], number, nanos)
