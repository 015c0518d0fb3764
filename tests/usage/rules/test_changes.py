"""Rules are saved with their history, and only what was edited is saved."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError

from tenants.models import User
from tests.money_rows import USD, add_budget, add_limit
from usage.models import Budget, Limit, PolicyChange
from usage.rules.changes import add_rule, change_rule, delete_rule, facts_of

pytestmark = pytest.mark.django_db


def test_a_new_rule() -> None:
    ops = User.objects.create_user("ops", "ops@example.org")
    limit = Limit(name="pace", measure="requests", span="minute", value=60)
    add_rule(limit, actor=ops, reason="first")
    row = PolicyChange.objects.get()
    assert (row.actor, row.actor_name, row.kind, row.rule_id, row.reason) == (ops, "ops", "limit", limit.pk, "first")
    assert (row.before, row.after) == ({}, facts_of(limit))


@pytest.mark.parametrize(("actor", "name"), [("a file", "a file"), (None, ""), (AnonymousUser(), "")])
def test_who_is_no_person_has_at_most_a_name(actor: AnonymousUser | str | None, name: str) -> None:
    add_rule(Budget(name="b", limit_nanos=1), actor=actor)
    row = PolicyChange.objects.get()
    assert (row.actor, row.actor_name) == (None, name)


def test_a_change_saves_only_what_was_edited() -> None:
    opened = add_budget()
    Budget.objects.filter(pk=opened.pk).update(limit_nanos=20 * USD)
    opened.name = "crew"
    change_rule(opened, fields=["name"], actor=None)
    stored = Budget.objects.get()
    assert (stored.name, stored.limit_nanos, stored.generation) == ("crew", 20 * USD, 0)
    assert opened.limit_nanos == 20 * USD
    row = PolicyChange.objects.get()
    assert (row.before, row.after) == ({"name": "team"}, {"name": "crew"})


def test_what_changes_nothing_leaves_no_trace() -> None:
    change_rule(add_budget(), fields=["name", "hard"], actor=None)
    assert not PolicyChange.objects.exists()


@pytest.mark.parametrize(
    ("fields", "anew"),
    [
        ({"limit_nanos": 1, "hard": False, "enabled": False, "alert_percents": [90]}, False),
        ({"period": "day"}, True),
        ({"route": "smart"}, True),
        ({"per": "tenant"}, True),
        ({"time_zone": "Asia/Tokyo"}, True),
    ],
)
def test_a_budget_that_counts_otherwise_counts_anew(fields: dict[str, object], anew: bool) -> None:
    budget = add_budget()
    for name, value in fields.items():
        setattr(budget, name, value)
    change_rule(budget, fields=fields, actor=None)
    assert budget.generation == int(anew)
    assert ("generation" in PolicyChange.objects.get().after) == anew


def test_what_a_limit_measures_stays() -> None:
    limit = add_limit()
    limit.span = "hour"
    with pytest.raises(ValidationError, match="make another"):
        change_rule(limit, fields=["span"], actor=None)
    assert Limit.objects.get().span == "minute"


def test_a_deleted_rule_stays_in_the_history() -> None:
    budget = add_budget()
    number = budget.pk
    delete_rule(budget, actor=None, reason="over")
    row = PolicyChange.objects.get()
    assert (row.action, row.rule_id, row.rule, row.after) == ("deleted", number, "team", {})
    assert row.before["limit_nanos"] == 10 * USD
    assert not Budget.objects.exists()
