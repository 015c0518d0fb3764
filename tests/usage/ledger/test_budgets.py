"""What operators do to budgets in force, each with its row of history, and what is refused."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from tenants.models import ConfigurationVersion, User
from tests.money_rows import USD, add_budget, spend
from tests.usage_rows import add_tenant
from usage.ledger import budgets
from usage.models import Budget, BudgetAllowance, BudgetBalance, LedgerEntry, PolicyChange
from usage.rules.rows import read_policy

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops() -> User:
    return User.objects.create_user("ops", "ops@example.org")


def last_change() -> tuple[str, str, str, str, object, object, str]:
    row = PolicyChange.objects.get()
    return row.actor_name, row.action, row.rule, row.subject, row.before, row.after, row.reason


def test_raise(ops: User) -> None:
    budget, version = add_budget(), ConfigurationVersion.current()
    raised = budgets.raise_limit(budget, to_nanos=10 * USD + 1, reason=" launch day ", actor=ops)
    assert (raised.limit_nanos, read_policy().budgets[0].limit_nanos) == (10 * USD + 1, 10 * USD + 1)
    assert ConfigurationVersion.current() > version
    assert last_change() == (
        "ops",
        "raised",
        "team",
        "",
        {"limit_nanos": 10 * USD},
        {"limit_nanos": 10 * USD + 1},
        "launch day",
    )


def test_raise_sees_what_another_did_meanwhile(ops: User) -> None:
    budget = add_budget()
    Budget.objects.filter(pk=budget.pk).update(limit_nanos=20 * USD)
    with pytest.raises(ValidationError, match="no more than"):
        budgets.raise_limit(budget, to_nanos=15 * USD, reason="r", actor=ops)


def test_reset_begins_new_counters_and_keeps_the_balances(ops: User) -> None:
    budget = add_budget()
    spend(budget, 4 * USD)
    after = budgets.reset(budget, reason="new season", actor=ops)
    assert [line.spent_nanos for line in budgets.standing(after)] == [0]
    assert BudgetBalance.objects.get().posted_nanos == 4 * USD
    assert read_policy().budgets[0].generation == 1
    assert last_change()[1:6] == ("reset", "team", "", {"generation": 0}, {"generation": 1})


def test_override_and_its_end(ops: User) -> None:
    key, until = add_tenant(), timezone.now() + timedelta(hours=2)
    budget, subject = add_budget(per="key"), f"k{key.pk}"
    budgets.override(budget, subject=subject, limit_nanos=USD, until=until, reason="trial", actor=ops)
    assert last_change()[1:] == (
        "overridden",
        "team",
        subject,
        {"limit_nanos": 10 * USD},
        {"limit_nanos": USD, "until": until.isoformat()},
        "trial",
    )
    assert read_policy().budgets[0].allowances[subject].limit_nanos == USD
    budgets.override(budget, subject=subject, limit_nanos=2 * USD, until=None, reason="longer", actor=ops)
    assert BudgetAllowance.objects.get().limit_nanos == 2 * USD
    budgets.end_override(budget, subject=subject, reason="over", actor=ops)
    assert read_policy().budgets[0].allowances == {}
    assert [row.action for row in PolicyChange.objects.order_by("id")] == ["overridden", "overridden", "override_ended"]
    with pytest.raises(ValidationError, match="no override"):
        budgets.end_override(budget, subject=subject, reason="again", actor=ops)


def test_adjust_is_an_entry_and_counts_at_once(ops: User) -> None:
    key = add_tenant()
    budget, subject = add_budget(per="key", period="day"), f"k{key.pk}"
    spend(budget, 5 * USD, subject=subject)
    budgets.adjust(budget, subject=subject, amount_nanos=-2 * USD - 1, reason="refund", actor=ops)
    entry = LedgerEntry.objects.get()
    assert (entry.kind, entry.amount_nanos, entry.reason, entry.actor_name) == ("adjust", -2 * USD - 1, "refund", "ops")
    assert (entry.tenant_id, entry.key_id) == (key.tenant_id, key.pk)
    assert [line.spent_nanos for line in budgets.standing(budget)] == [3 * USD - 1]
    assert last_change()[1:6] == ("adjusted", "team", subject, {}, {"adjusted_nanos": -2 * USD - 1})


@pytest.mark.parametrize(
    ("act", "field"),
    [
        (lambda b: budgets.raise_limit(b, to_nanos=11 * USD, reason="  ", actor=None), "reason"),
        (lambda b: budgets.raise_limit(b, to_nanos=11 * USD, reason="x" * 501, actor=None), "reason"),
        (lambda b: budgets.raise_limit(b, to_nanos=10 * USD, reason="r", actor=None), "limit"),
        (lambda b: budgets.raise_limit(b, to_nanos=10**18 + 1, reason="r", actor=None), "limit"),
        (lambda b: budgets.reset(b, reason="", actor=None), "reason"),
        (lambda b: budgets.override(b, subject="k1", limit_nanos=1, until=None, reason="r", actor=None), "subject"),
        (lambda b: budgets.override(b, subject="", limit_nanos=-1, until=None, reason="r", actor=None), "limit"),
        (
            lambda b: budgets.override(b, subject="", limit_nanos=1, until=timezone.now(), reason="r", actor=None),
            "until",
        ),
        (lambda b: budgets.adjust(b, subject="", amount_nanos=0, reason="r", actor=None), "amount"),
    ],
)
def test_what_is_refused_changes_nothing(act: Callable[[Budget], object], field: str) -> None:
    budget = add_budget()
    with pytest.raises(ValidationError) as caught:
        act(budget)
    assert set(caught.value.message_dict) == {field}
    assert not PolicyChange.objects.exists()
    assert not LedgerEntry.objects.exists()
    budget.refresh_from_db()
    assert (budget.limit_nanos, budget.generation) == (10 * USD, 0)
