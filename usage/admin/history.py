"""The history of a rule in words."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from usage.admin.bars import usd
from usage.models import Budget, Limit, PolicyChange
from usage.rules.subjects import name_subjects

SHOWN_MAX = 20
_TITLES = {
    "limit_nanos": "limit",
    "adjusted_nanos": "spent",
    "tenant_id": "tenant",
    "user_id": "user",
    "key_id": "key",
    "provider_id": "provider",
    "per": "counted",
    "alert_percents": "alerts at",
    "generation": "counts anew, time",
}


def history_of(rule: Budget | Limit) -> list[dict[str, Any]]:
    """Return the newest changes of a rule, ready to be shown."""
    kind = PolicyChange.Kind.BUDGET if isinstance(rule, Budget) else PolicyChange.Kind.LIMIT
    changes = list(PolicyChange.objects.filter(kind=kind, rule_id=rule.pk).order_by("-id")[:SHOWN_MAX])
    names = name_subjects({change.subject for change in changes})
    return [
        {
            "change": change,
            "subject": names[change.subject] if change.subject else "",
            "lines": describe_change(change),
        }
        for change in changes
    ]


def describe_change(change: PolicyChange) -> list[str]:
    """Say what a change changed, a line a field: `limit: $5 → $10`. What was empty before and after is left out."""
    return list(_describe(change.before, change.after))


def _describe(before: dict[str, Any], after: dict[str, Any]) -> Iterable[str]:
    for name in dict.fromkeys([*before, *after]):
        old, new = _write(name, before.get(name)), _write(name, after.get(name))
        if old == new:
            continue
        title = _TITLES.get(name, name.replace("_", " "))
        yield f"{title}: {f'{old} → {new}' if name in before and name in after else new if name in after else old}"


def _write(name: str, value: Any) -> str:
    if value is None or value == "":
        return "-"
    if name == "adjusted_nanos":
        return f"{'+' if value > 0 else ''}{usd(value)}"
    if name.endswith("_nanos"):
        return usd(value)
    if name == "until":
        return f"{datetime.fromisoformat(value).astimezone(UTC):%d %b %Y %H:%M} UTC"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "-"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
