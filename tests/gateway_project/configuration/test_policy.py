"""Declared budgets and limits against a database: rows, their history, and what is left alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway_project.configuration.apply import Applied, apply
from gateway_project.configuration.document import ConfigurationRefused, parse_document
from gateway_project.configuration.files import load_config
from gateway_project.configuration.native import read_native
from gateway_project.configuration.policy import ACTOR
from routing.models import Route
from tenants.models import ConfigurationVersion, Key, Tenant, User
from usage.ledger import budgets
from usage.models import Budget, BudgetAllowance, Limit, PolicyChange

SAMPLES = Path(__file__).parent / "samples"
ENVIRON = {"ANN_PASSWORD": "a-long-first-password", "CI_KEY": "sk-ci-secret", "OPENAI_API_KEY": "sk-up", "TEAM": "red"}
BASE = """
tenants: [{slug: a}, {slug: b}]
users: [{email: u@a.test}]
keys: [{tenant: a, name: k}]
providers: [{slug: p, kind: mock}]
routes: [{name: r}]
"""

pytestmark = pytest.mark.django_db


def apply_text(text: str, *, update: bool = False, dry_run: bool = False) -> Applied:
    return apply(read_native(parse_document(text, file="g.yaml"), {}), update=update, dry_run=dry_run)


def refuse(text: str, *, update: bool = False) -> list[str]:
    with pytest.raises(ConfigurationRefused) as refusal:
        apply_text(text, update=update)
    return [str(problem) for problem in refusal.value.problems]


def last_change() -> PolicyChange:
    return PolicyChange.objects.latest("id")


def test_the_sample_becomes_rows_and_the_second_time_nothing() -> None:
    declared, _ = load_config(SAMPLES / "gateway.yaml", ENVIRON)
    applied = apply(declared)
    assert {"budget everything", "budget ann in CI", "limit our own server"} <= set(applied.created)
    acme, ci = Tenant.objects.get(slug="acme"), Key.objects.get(name="ci")
    everything, per_key, ann = Budget.objects.order_by("pk")
    assert (everything.limit_nanos, everything.period, everything.hard) == (1_000_000_000_000, "month", True)
    assert (per_key.tenant, per_key.per, per_key.period, per_key.length) == (acme, "key", "rolling_days", 7)
    allowance = per_key.allowances.get()
    assert (allowance.subject, allowance.limit_nanos) == (f"k{ci.pk}", 500_000_000)
    assert allowance.until == datetime(2099, 1, 31, tzinfo=UTC)
    assert (ann.tenant, ann.user, ann.key, ann.route) == (acme, User.objects.get(), ci, "small")
    assert (ann.hard, ann.enabled, ann.alert_percents) == (False, False, [75, 120])
    requests, streams, own = Limit.objects.order_by("pk")
    assert (requests.measure, requests.span, requests.value, requests.per) == ("requests", "minute", 600, "tenant")
    assert (streams.measure, streams.span) == ("parallel_streams", "")
    assert own.provider is not None
    assert (own.provider.slug, own.value) == ("own", 4)
    version, changes = ConfigurationVersion.current(), PolicyChange.objects.count()
    assert apply(declared, update=True) == Applied()
    assert (ConfigurationVersion.current(), PolicyChange.objects.count()) == (version, changes)


def test_history_names_the_file() -> None:
    apply_text("budgets: [{name: b, limit_usd: 1}]")
    apply_text("budgets: [{name: b, limit_usd: 2.5}]", update=True)
    apply_text("limits: [{name: l, measure: tokens, span: day, value: 5}]")
    created, changed, limit = PolicyChange.objects.order_by("id")
    assert (created.action, changed.action, limit.action) == ("created", "changed", "created")
    assert {(change.actor, change.actor_name) for change in (created, changed, limit)} == {(None, ACTOR)}
    assert (changed.rule, changed.before, changed.after) == (
        "b",
        {"limit_nanos": 1_000_000_000},
        {"limit_nanos": 2_500_000_000},
    )
    assert (limit.rule, limit.after["value"]) == ("l", 5)


def test_what_an_operator_raised_stays_without_update() -> None:
    apply_text("budgets: [{name: b, limit_usd: 1}]")
    budgets.raise_limit(Budget.objects.get(), to_nanos=5 * 10**9, reason="a busy week", actor=None)
    assert apply_text("budgets: [{name: b, limit_usd: 1}]") == Applied()
    assert Budget.objects.get().limit_nanos == 5 * 10**9
    assert apply_text("budgets: [{name: b, limit_usd: 1}]", update=True).updated == ("budget b",)
    assert Budget.objects.get().limit_nanos == 10**9


def test_a_field_that_is_left_out_keeps_its_value() -> None:
    apply_text(BASE + "budgets: [{name: b, limit_usd: 1, tenant: a, per: key, hard: false}]")
    apply_text("budgets: [{name: b, limit_usd: 2}]", update=True)
    row = Budget.objects.get()
    assert (row.tenant, row.per, row.hard, row.limit_nanos) == (Tenant.objects.get(slug="a"), "key", False, 2 * 10**9)


def test_other_calls_or_another_window_count_anew() -> None:
    apply_text(BASE + "budgets: [{name: b, limit_usd: 1, period: rolling_hours, length: 5}]")
    apply_text("budgets: [{name: b, limit_usd: 1, period: day}]", update=True)
    row = Budget.objects.get()
    assert (row.period, row.length, row.generation) == ("day", None, 1)


def test_an_override_changes_with_update_and_others_stay() -> None:
    allowances = "[{subject: {tenant: a}, limit_usd: %s, reason: x}]"
    text = f"{BASE}budgets: [{{name: b, limit_usd: 1, per: tenant, allowances: {allowances}}}]"
    apply_text(text % "2")
    budget, other = Budget.objects.get(), Tenant.objects.get(slug="b")
    budgets.override(budget, subject=f"t{other.pk}", limit_nanos=7, until=None, reason="by hand", actor=None)
    assert apply_text(text % "3") == Applied()
    assert apply_text(text % "3", update=True).updated == ("budget b",)
    assert set(BudgetAllowance.objects.values_list("subject", "limit_nanos")) == {
        (f"t{Tenant.objects.get(slug='a').pk}", 3 * 10**9),
        (f"t{other.pk}", 7),
    }
    assert (last_change().action, last_change().actor_name, last_change().reason) == ("overridden", ACTOR, "x")


@pytest.mark.parametrize(
    ("per", "subject", "letter"),
    [("user", "{user: u@a.test}", "u"), ("route", "{route: r}", "r"), ("key", "{tenant: a, key: k}", "k")],
)
def test_every_kind_of_subject_has_overrides(per: str, subject: str, letter: str) -> None:
    apply_text(
        f"{BASE}budgets: [{{name: b, limit_usd: 1, per: {per}, "
        f"allowances: [{{subject: {subject}, limit_usd: 2, reason: x}}]}}]"
    )
    assert BudgetAllowance.objects.get().subject.startswith(letter)


def test_a_budget_of_all_together_has_an_override_without_a_subject() -> None:
    apply_text("budgets: [{name: b, limit_usd: 1, allowances: [{limit_usd: 2, reason: x}]}]")
    assert BudgetAllowance.objects.get().subject == ""


def test_an_override_that_is_over_is_left_alone() -> None:
    text = "budgets: [{name: b, limit_usd: 1, allowances: [{limit_usd: 2, until: 2001-01-01, reason: x}]}]"
    assert apply_text(text).created == ("budget b",)
    assert apply_text(text, update=True) == Applied()
    assert not BudgetAllowance.objects.exists()


def test_a_dry_run_leaves_no_history() -> None:
    assert apply_text("budgets: [{name: b, limit_usd: 1}]", dry_run=True).created == ("budget b",)
    assert not Budget.objects.exists()
    assert not PolicyChange.objects.exists()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("budgets: [{name: b, limit_usd: 1, tenant: gone}]", "g.yaml:7:11: there is no tenant gone"),
        ("budgets: [{name: b, limit_usd: 1, user: gone}]", "g.yaml:7:11: there is no user gone"),
        ("budgets: [{name: b, limit_usd: 1, tenant: a, key: gone}]", "g.yaml:7:11: there is no key a/gone"),
        ("limits: [{name: l, measure: requests, span: hour, value: 1, route: gone}]", "there is no route gone"),
        ("limits: [{name: l, measure: provider_calls, value: 1, provider: gone}]", "there is no provider gone"),
        ("limits: [{name: l, measure: provider_calls, value: 1}]", "limit l: provider: Which provider's calls?"),
        ("limits: [{name: l, measure: requests, value: 1}]", "g.yaml:7:10: limit l: span: Requests and tokens"),
        ("budgets: [{name: b, limit_usd: 1, period: day, length: 3}]", "budget b: length: Only a rolling budget"),
        ("budgets: [{name: b, limit_usd: 1, period: rolling_days}]", "budget b: length: How many hours"),
        (
            "budgets: [{name: b, limit_usd: 1, allowances: [{subject: {tenant: a}, limit_usd: 2, reason: x}]}]",
            "g.yaml:7:48: budget b: This budget counts all calls together",
        ),
        (
            "budgets: [{name: b, limit_usd: 1, per: key, allowances: [{limit_usd: 2, reason: x}]}]",
            "budget b: This budget counts each key for itself",
        ),
        (
            "budgets: [{name: b, limit_usd: 1, allowances: [{subject: {user: gone}, limit_usd: 2, reason: x}]}]",
            "g.yaml:7:48: there is no user gone",
        ),
        ("budgets: [{name: b, limit_usd: 1}, {name: b, limit_usd: 2}]", "g.yaml:7:36: the budget b is declared twice"),
        (
            "limits: [{name: l, measure: parallel_calls, value: 1}, {name: l, measure: parallel_calls, value: 2}]",
            "the limit l is declared twice, first at g.yaml:7:10",
        ),
    ],
)
def test_what_does_not_hold_is_told_with_its_place(text: str, fault: str) -> None:
    assert any(fault in told for told in refuse(BASE + text))
    assert not Budget.objects.exists()
    assert not Limit.objects.exists()


def test_what_a_limit_measures_stays() -> None:
    apply_text("limits: [{name: l, measure: requests, span: minute, value: 1}]")
    [told] = refuse("limits: [{name: l, measure: requests, span: hour, value: 1}]", update=True)
    assert "g.yaml:1:10: limit l: What a limit measures stays as it is" in told


def test_a_litellm_file_brings_its_budgets_and_limits() -> None:
    declared, _ = load_config(SAMPLES / "every_key.yaml", {})
    apply(declared)
    assert Budget.objects.get(name="imported: all calls").time_zone == "Europe/Berlin"
    assert Limit.objects.filter(route="chat").count() == 4
    assert Route.objects.filter(name="chat").exists()
    assert apply(declared, update=True) == Applied()


def test_the_example_has_budgets_and_limits_that_hold() -> None:
    example = Path(__file__).parents[3] / "deploy" / "gateway.example.yaml"
    names = ("ADMIN_PASSWORD", "CI_KEY", "OPENAI_API_KEY", "MISTRAL_API_KEY")
    declared, _ = load_config(example, dict.fromkeys(names, "a-long-enough-secret"))
    apply(declared)
    assert Budget.objects.exists()
    assert Limit.objects.exists()
