"""Whom a rule counts apart, from the names of its counters back to names that people know.

A subject is `t7` (a tenant), `u7` (a user), `k7` (a key), `rsmart` (a route), or "" where all calls count together.
"""

from collections.abc import Collection

from django.core.exceptions import ValidationError

from tenants.models import Key, Tenant, User
from usage.models import Budget, Limit

TOGETHER = "all together"
_LETTERS = {"tenant": "t", "user": "u", "key": "k", "route": "r"}


def name_subjects(subjects: Collection[str]) -> dict[str, str]:
    """Return what people call each subject; what is gone keeps its number."""
    tenants = dict(Tenant.objects.filter(pk__in=_numbers(subjects, "t")).values_list("pk", "name"))
    users = dict(User.objects.filter(pk__in=_numbers(subjects, "u")).values_list("pk", "username"))
    keys = {
        pk: f"{name} ({tenant})"
        for pk, name, tenant in Key.objects.filter(pk__in=_numbers(subjects, "k"))
        .order_by()
        .values_list("pk", "name", "tenant__name")
    }
    known = {"t": tenants, "u": users, "k": keys}
    return {subject: _name(subject, known) for subject in subjects}


def sole_subject(rule: Budget | Limit) -> str | None:
    """Return the one subject that a rule can have; None where it tells several apart."""
    if rule.per == "":
        return ""
    if rule.per == "route":
        return f"r{rule.route}" if rule.route else None
    number = {"tenant": rule.tenant_id, "user": rule.user_id, "key": rule.key_id}[rule.per]
    return None if number is None else f"{rule.per[0]}{number}"


def check_subject(budget: Budget, subject: str) -> None:
    """Raise ValidationError unless the budget counts such a subject and it exists."""
    if budget.per == "":
        if subject:
            raise ValidationError({"subject": "This budget counts all calls together: leave the subject empty."})
        return
    letter, rest = subject[:1], subject[1:]
    if letter != _LETTERS[budget.per]:
        example = "rsmart" if budget.per == "route" else f"{_LETTERS[budget.per]}7"
        raise ValidationError({"subject": f"This budget counts each {budget.per} for itself: name one, as {example}."})
    if budget.per == "route":
        if not rest:
            raise ValidationError({"subject": "Which route?"})
    elif not _numbers([subject], letter) or not _exists(letter, int(rest)):
        raise ValidationError({"subject": f"There is no {budget.per} {rest!r}."})


def owner_of(rule: Budget | Limit, subject: str) -> tuple[Tenant | None, Key | None]:
    """Return the tenant and the key whose money a subject's is, as far as there is only one."""
    key = Key.objects.filter(pk__in=_numbers([subject], "k")).select_related("tenant").first() or rule.key
    tenant = Tenant.objects.filter(pk__in=_numbers([subject], "t")).first() or rule.tenant
    return (key.tenant if key else tenant), key


def describe_scope(rule: Budget | Limit) -> str:
    """Say in words which calls a rule is about: `every call of Acme on smart, each key for itself`."""
    whose = [
        f"of {rule.tenant}" if rule.tenant else "",
        f"by {rule.user}" if rule.user else "",
        f"with {rule.key.name}" if rule.key else "",
        f"on {rule.route}" if rule.route else "",
        f"to {rule.provider.slug}" if isinstance(rule, Limit) and rule.provider else "",
    ]
    calls = " ".join(["every call", *(words for words in whose if words)])
    return f"{calls}, {rule.get_per_display()}" if rule.per else calls


def _name(subject: str, known: dict[str, dict[int, str]]) -> str:
    letter, rest = subject[:1], subject[1:]
    if not letter:
        return TOGETHER
    if letter == "r":
        return rest
    return known.get(letter, {}).get(int(rest), f"deleted ({rest})") if rest.isdecimal() else subject


def _numbers(subjects: Collection[str], letter: str) -> set[int]:
    found = (subject[1:] for subject in subjects if subject[:1] == letter)
    return {int(rest) for rest in found if rest.isascii() and rest.isdigit() and len(rest) <= 18}


def _exists(letter: str, number: int) -> bool:
    if letter == "t":
        return Tenant.objects.filter(pk=number).exists()
    if letter == "u":
        return User.objects.filter(pk=number).exists()
    return Key.objects.filter(pk=number).exists()
