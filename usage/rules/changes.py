"""Every change of a budget or limit, written down in the transaction that makes it: who, from what to what, and why.

Rules are saved through here, whoever asks: the admin, the management API, or an operation on a budget.
"""

from collections.abc import Collection
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import transaction

from tenants.models import User
from usage.models import Budget, Limit, PolicyChange

Actor = User | AnonymousUser | str | None  # a person, or the name of what changes rules without one
RuleT = TypeVar("RuleT", bound=Budget | Limit)

_SHARED = ("name", "enabled", "tenant_id", "user_id", "key_id", "route", "per")
_OWN = {
    Budget: ("limit_nanos", "period", "length", "time_zone", "hard", "alert_percents", "generation"),
    Limit: ("measure", "span", "value", "provider_id"),
}
# What a counter counts, and over which span. Where that changes, what was counted before means something else.
COUNTED_BY = ("tenant_id", "user_id", "key_id", "route", "per", "period", "length", "time_zone")
FIXED = ("measure", "span", "provider_id")


def facts_of(rule: Budget | Limit) -> dict[str, Any]:
    """Return what is written down of a rule."""
    return {name: getattr(rule, name) for name in (*_SHARED, *_OWN[type(rule)])}


def check_reason(reason: str) -> str:
    """Return the reason without the blanks around it. Raises ValidationError where there is none, or a novel."""
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": "Say why: it is kept with the change."})
    if len(reason) > 500:
        raise ValidationError({"reason": "No more than 500 characters."})
    return reason


def write_down(
    rule: Budget | Limit,
    action: PolicyChange.Action,
    *,
    actor: Actor,
    reason: str,
    before: dict[str, Any],
    after: dict[str, Any],
    subject: str = "",
) -> PolicyChange:
    """Add a row to the history of a rule; call it inside the transaction of the change."""
    person = actor if isinstance(actor, User) else None
    return PolicyChange.objects.create(
        actor=person,
        actor_name=person.username if person else actor if isinstance(actor, str) else "",
        action=action,
        kind=PolicyChange.Kind.BUDGET if isinstance(rule, Budget) else PolicyChange.Kind.LIMIT,
        rule_id=rule.pk,
        rule=rule.name,
        subject=subject,
        before=before,
        after=after,
        reason=reason,
    )


@transaction.atomic
def add_rule(rule: Budget | Limit, *, actor: Actor, reason: str = "") -> None:
    """Save a new rule."""
    rule.save(force_insert=True)
    write_down(rule, PolicyChange.Action.CREATED, actor=actor, reason=reason, before={}, after=facts_of(rule))


@transaction.atomic
def change_rule(rule: Budget | Limit, *, fields: Collection[str], actor: Actor, reason: str = "") -> None:
    """Save these fields of a rule, and no other: somebody may have raised it while a form was open.

    A budget whose calls or window change counts anew. Raises ValidationError where a limit would measure something
    else: its counter would go on with numbers of another meaning.
    """
    stored = lock(rule)
    before = facts_of(stored)
    for name in fields:
        setattr(stored, name, getattr(rule, name))
    after = facts_of(stored)
    changed = {name for name, value in after.items() if before[name] != value}
    if isinstance(stored, Limit) and changed & set(FIXED):
        raise ValidationError("What a limit measures stays as it is: make another limit instead.")
    if isinstance(stored, Budget) and changed & set(COUNTED_BY):
        stored.generation += 1
        after["generation"] = stored.generation
        changed.add("generation")
    stored.save()
    rule.refresh_from_db()
    if changed:
        _write_down_change(stored, changed, before, after, actor=actor, reason=reason)


@transaction.atomic
def delete_rule(rule: Budget | Limit, *, actor: Actor, reason: str = "") -> None:
    """Delete a rule; what was posted against it stays in the ledger."""
    stored = lock(rule)
    write_down(stored, PolicyChange.Action.DELETED, actor=actor, reason=reason, before=facts_of(stored), after={})
    stored.delete()


def lock(rule: RuleT) -> RuleT:
    """Return the row as it is stored now, held until the transaction ends."""
    found: RuleT = type(rule).objects.select_for_update().get(pk=rule.pk)
    return found


def _write_down_change(
    rule: Budget | Limit,
    changed: set[str],
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    actor: Actor,
    reason: str,
) -> None:
    write_down(
        rule,
        PolicyChange.Action.CHANGED,
        actor=actor,
        reason=reason,
        before={name: before[name] for name in sorted(changed)},
        after={name: after[name] for name in sorted(changed)},
    )
