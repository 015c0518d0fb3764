"""Which rules hold for whom, under which counter each of them counts, and how long that is remembered."""

from typing import Any

import pytest

from usage.policy import Allowance, BudgetRule, CallerPolicy, LimitRule, Policy, Scope, Subject
from usage.windows import LIFETIME, Window

MINUTE = Window("sliding", 60.0)
MONTH = Window("month", time_zone="")


def subject(**fields: Any) -> Subject:
    usual: dict[str, Any] = {"tenant_id": 1, "user_id": 2, "key_id": 3, "route": "m", "time_zone": "Europe/Berlin"}
    return Subject(**(usual | fields))


def budget(**fields: Any) -> BudgetRule:
    usual: dict[str, Any] = {"id": 7, "name": "b", "scope": Scope(), "window": LIFETIME, "limit_nanos": 100}
    return BudgetRule(**(usual | fields))


def found(policy: Policy, who: Subject | None = None, *, now_s: float = 0.0) -> CallerPolicy:
    who = who or subject()
    return policy.of(lambda: who, key_id=who.key_id, route=who.route, now_s=now_s)


@pytest.mark.parametrize(
    ("scope", "named"),
    [
        (Scope(), ""),
        (Scope(tenant_id=1), ""),
        (Scope(tenant_id=9), None),
        (Scope(user_id=9), None),
        (Scope(key_id=9), None),
        (Scope(route="other"), None),
        (Scope(tenant_id=1, user_id=2, key_id=3, route="m"), ""),
        (Scope(per="tenant"), "t1"),
        (Scope(per="user"), "u2"),
        (Scope(per="key", tenant_id=1), "k3"),
        (Scope(per="route"), "rm"),
    ],
)
def test_a_rule_is_about_the_calls_that_fit_and_names_whom_it_counts(scope: Scope, named: str | None) -> None:
    assert scope.subject_of(subject()) == named


def test_a_rule_for_each_user_is_not_about_keys_without_one() -> None:
    assert Scope(per="user").subject_of(subject(user_id=None)) is None


def test_rules_become_counters() -> None:
    limit = LimitRule(4, "rpm", Scope(per="key"), "requests", MINUTE, 10)
    policy = Policy(budgets=(budget(generation=2, scope=Scope(per="key")),), limits=(limit,))
    rules = found(policy)
    assert [line.counter for line in rules.limits] == ["l4.k3"]
    assert [line.counter for line in rules.budgets] == ["b7.2.k3"]
    assert rules.hard


def test_a_window_without_a_zone_is_the_tenants() -> None:
    [line] = found(Policy(budgets=(budget(window=MONTH),))).budgets
    assert line.window == Window("month", time_zone="Europe/Berlin")


def test_an_allowance_holds_for_its_subject_and_until_its_end() -> None:
    rule = budget(scope=Scope(per="key"), allowances={"k3": Allowance(500, until_s=100.0)})
    policy = Policy(budgets=(rule,))
    assert found(policy, now_s=99.0).budgets[0].limit_nanos == 500
    assert found(policy, now_s=100.0).budgets[0].limit_nanos == 100
    assert found(policy, subject(key_id=4), now_s=1.0).budgets[0].limit_nanos == 100


def test_what_holds_for_a_caller_is_worked_out_once() -> None:
    policy = Policy(budgets=(budget(),))
    asked = []

    def who() -> Subject:
        asked.append(1)
        return subject()

    first = policy.of(who, key_id=3, route="m", now_s=0.0)
    assert policy.of(who, key_id=3, route="m", now_s=0.0) is first
    assert asked == [1]


def test_without_rules_nobody_is_asked() -> None:
    assert Policy().of(lambda: pytest.fail("asked"), key_id=1, route="m", now_s=0.0) == CallerPolicy()


def test_a_soft_budget_is_not_hard() -> None:
    assert not found(Policy(budgets=(budget(hard=False),))).hard
