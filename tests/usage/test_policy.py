"""Which rules hold for whom, under which counter each of them counts, and how long that is remembered."""

from typing import Any

import pytest

from usage.policy import NO_RULES, Allowance, BudgetRule, CallerPolicy, LimitRule, Measure, Policy, Scope, Subject
from usage.records import Charge
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
    assert Policy().of(lambda: pytest.fail("asked"), key_id=1, route="m", now_s=0.0) is NO_RULES


def test_a_soft_budget_is_not_hard() -> None:
    assert not found(Policy(budgets=(budget(hard=False),))).hard


def test_a_plan_has_the_limits_first_and_leaves_streams_to_streams() -> None:
    limits = tuple(LimitRule(4, name, Scope(), name, MINUTE, 10) for name in ("parallel_streams", "requests"))
    rules = found(Policy(budgets=(budget(hard=False), budget(id=8)), limits=limits))
    plan = rules.plan(streamed=False)
    assert plan.names == ("requests", "b", "b")
    assert (plan.told, plan.soft) == ((("requests", (0,)), ("budget", (2,))), (1,))
    assert [check.limit for check in plan.checks] == [10, None, 100]
    assert rules.plan(streamed=True).names[0] == "parallel_streams"
    assert rules.plan(streamed=False) is plan


def test_a_plan_says_what_a_call_takes_of_each_rule() -> None:
    measures: tuple[Measure, ...] = ("parallel_streams", "requests", "tokens")
    limits = tuple(LimitRule(4, name, Scope(), name, MINUTE, 10) for name in measures)
    plan = found(Policy(budgets=(budget(),), limits=limits)).plan(streamed=True)
    assert list(plan.amounts(7, 9, 1)) == [1, 1, 7, 9]
    assert plan.limits == (10, 10, 10, 100)


def test_slices_say_where_budgets_are_charged_and_when_they_end() -> None:
    limits = (LimitRule(4, "requests", Scope(), "requests", MINUTE, 10),)
    plan = found(Policy(budgets=(budget(window=Window("day", time_zone="UTC")), budget(id=8)), limits=limits)).plan(
        streamed=False
    )
    slices = plan.slices((3, 20_000, 0))
    assert slices.charges == (Charge(plan.budgets[0].counter, 20_000), Charge(plan.budgets[1].counter, 0))
    assert slices.ends_at_s == (MINUTE.ends_at(3), 20_001 * 86_400.0, None)
    assert plan.slices((3, 20_000, 0)) is slices
    assert plan.slices((4, 20_001, 0)).charges[0].slice == 20_001
    assert plan.slices((3, 20_000, 0)) == slices
