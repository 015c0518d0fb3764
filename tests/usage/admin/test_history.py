"""The history of a rule in words that people read."""

import pytest

from tests.money_rows import USD, add_budget, add_limit
from tests.usage_rows import add_tenant
from usage.admin.history import describe_change, history_of
from usage.ledger import budgets
from usage.models import PolicyChange
from usage.rules.changes import delete_rule

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ({"limit_nanos": 10 * USD}, {"limit_nanos": 1_500}, ["limit: $10 → $0.0000015"]),
        ({}, {"hard": True, "route": "", "length": None, "per": "key"}, ["hard: yes", "counted: key"]),
        ({"tenant_id": 7}, {"tenant_id": None}, ["tenant: 7 → -"]),
        ({"alert_percents": [50, 80]}, {"alert_percents": []}, ["alerts at: 50, 80 → -"]),
        ({}, {"adjusted_nanos": -USD}, ["spent: -$1"]),
        ({}, {"adjusted_nanos": USD}, ["spent: +$1"]),
        ({"enabled": True}, {}, ["enabled: yes"]),
        ({"until": None}, {"until": "2026-06-01T14:00:00+02:00"}, ["until: - → 01 Jun 2026 12:00 UTC"]),
    ],
)
def test_words(before: dict[str, object], after: dict[str, object], lines: list[str]) -> None:
    assert describe_change(PolicyChange(before=before, after=after)) == lines


def test_newest_first_of_that_rule_alone() -> None:
    key = add_tenant()
    budget, limit = add_budget(per="key"), add_limit("team")
    budgets.reset(budget, reason="one", actor=None)
    budgets.override(budget, subject=f"k{key.pk}", limit_nanos=1, until=None, reason="two", actor=None)
    delete_rule(limit, actor=None)
    found = history_of(budget)
    assert [(row["change"].reason, row["subject"]) for row in found] == [("two", "app (Acme)"), ("one", "")]
