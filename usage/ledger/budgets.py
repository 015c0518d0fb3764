"""What an operator does to a budget while it is in force. Workers follow within a second, and the history says why.

Every operation is one transaction with its row of history, and raises ValidationError naming the field that is wrong.
"""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from kernel import clock
from usage.ledger import posting
from usage.models import Budget, BudgetAllowance, PolicyChange
from usage.models.rules import LARGEST_NANOS
from usage.policy import counter_of_budget
from usage.records import Charge
from usage.rules.changes import Actor, check_reason, lock, write_down
from usage.rules.standings import SHOWN_MAX, Standing, slice_for, standing
from usage.rules.subjects import check_subject, owner_of

__all__ = ["SHOWN_MAX", "Standing", "adjust", "end_override", "override", "raise_limit", "reset", "standing"]


@transaction.atomic
def raise_limit(budget: Budget, *, to_nanos: int, reason: str, actor: Actor) -> Budget:
    """Raise the limit of a budget; what was spent stays counted."""
    reason, row = check_reason(reason), lock(budget)
    _check_amount(to_nanos)
    if to_nanos <= row.limit_nanos:
        raise ValidationError({"limit": "That is no more than the limit is now."})
    before, row.limit_nanos = {"limit_nanos": row.limit_nanos}, to_nanos
    row.save()
    after = {"limit_nanos": to_nanos}
    write_down(row, PolicyChange.Action.RAISED, actor=actor, reason=reason, before=before, after=after)
    return row


@transaction.atomic
def reset(budget: Budget, *, reason: str, actor: Actor) -> Budget:
    """Let a budget count from zero again, for all its subjects; the ledger keeps what was spent."""
    reason, row = check_reason(reason), lock(budget)
    before = {"generation": row.generation}
    row.generation += 1
    row.save()
    after = {"generation": row.generation}
    write_down(row, PolicyChange.Action.RESET, actor=actor, reason=reason, before=before, after=after)
    return row


@transaction.atomic
def override(
    budget: Budget, *, subject: str, limit_nanos: int, until: datetime | None, reason: str, actor: Actor
) -> BudgetAllowance:
    """Give one subject of a budget another limit, until a moment or (None) for good."""
    reason, row = check_reason(reason), lock(budget)
    check_subject(row, subject)
    _check_amount(limit_nanos)
    if until is not None and until <= clock.now():
        raise ValidationError({"until": "That moment is over."})
    earlier = BudgetAllowance.objects.filter(budget=row, subject=subject).first()
    values = {"limit_nanos": limit_nanos, "until": until, "reason": reason}
    allowance, _ = BudgetAllowance.objects.update_or_create(budget=row, subject=subject, defaults=values)
    write_down(
        row,
        PolicyChange.Action.OVERRIDDEN,
        actor=actor,
        reason=reason,
        subject=subject,
        before=_facts_of(earlier) if earlier else {"limit_nanos": row.limit_nanos},
        after=_facts_of(allowance),
    )
    return allowance


@transaction.atomic
def end_override(budget: Budget, *, subject: str, reason: str, actor: Actor) -> Budget:
    """Let the budget's own limit hold again for a subject."""
    reason, row = check_reason(reason), lock(budget)
    allowance = BudgetAllowance.objects.filter(budget=row, subject=subject).first()
    if allowance is None:
        raise ValidationError({"subject": "There is no override to end."})
    allowance.delete()
    write_down(
        row,
        PolicyChange.Action.OVERRIDE_ENDED,
        actor=actor,
        reason=reason,
        subject=subject,
        before=_facts_of(allowance),
        after={"limit_nanos": row.limit_nanos},
    )
    return row


@transaction.atomic
def adjust(budget: Budget, *, subject: str, amount_nanos: int, reason: str, actor: Actor) -> PolicyChange:
    """Correct what counts as spent in the present window, up or (negative) down, by an entry in the ledger."""
    reason, row = check_reason(reason), lock(budget)
    check_subject(row, subject)
    if not amount_nanos or abs(amount_nanos) > LARGEST_NANOS:
        raise ValidationError({"amount": "An amount other than zero, up to a billion dollars."})
    counter = counter_of_budget(row.pk, row.generation, subject)
    change = write_down(
        row,
        PolicyChange.Action.ADJUSTED,
        actor=actor,
        reason=reason,
        subject=subject,
        before={},
        after={"adjusted_nanos": amount_nanos},
    )
    tenant, key = owner_of(row, subject)
    posting.adjust(
        tenant=tenant,
        key=key,
        amount_nanos=amount_nanos,
        charges=(Charge(counter, slice_for(row, subject, clock.now())),),
        reason=reason,
        actor_name=change.actor_name,
    )
    return change


def _check_amount(nanos: int) -> None:
    if not 0 <= nanos <= LARGEST_NANOS:
        raise ValidationError({"limit": "An amount from zero to a billion dollars."})


def _facts_of(allowance: BudgetAllowance) -> dict[str, int | str | None]:
    until = allowance.until
    return {"limit_nanos": allowance.limit_nanos, "until": until.isoformat() if until else None}
