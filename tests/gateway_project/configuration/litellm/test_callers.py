"""What LiteLLM says of callers' money and rates: which budgets and limits it becomes, and what the report tells."""

from typing import Any

import pytest

from gateway_project.configuration.declared import Declared, DeclaredBudget
from gateway_project.configuration.document import parse_document
from gateway_project.configuration.litellm.translation import translate
from gateway_project.configuration.report import Verdict


def take(text: str, **environ: str) -> tuple[Declared, dict[str, tuple[Verdict, str]]]:
    declared, report = translate(parse_document(text, file="c.yaml"), environ)
    return declared, {line.path: (line.verdict, line.why) for line in report.lines}


def settings(text: str, **environ: str) -> tuple[Declared, dict[str, tuple[Verdict, str]]]:
    return take(f"litellm_settings: {{{text}}}", **environ)


def sole(declared: Declared) -> DeclaredBudget:
    [budget] = declared.budgets
    return budget


MONTH = {"period": "month", "length": None, "time_zone": "UTC"}


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("max_budget: 100, budget_duration: 30d", "all calls", {"limit_nanos": 100 * 10**9, "per": "", **MONTH}),
        (
            "max_budget: '0.5', budget_duration: 12h",
            "all calls",
            {"limit_nanos": 5 * 10**8, "per": "", "period": "rolling_hours", "length": 12},
        ),
        (
            "max_internal_user_budget: 3, internal_user_budget_duration: 30d",
            "each user",
            {"limit_nanos": 3 * 10**9, "per": "user", **MONTH},
        ),
        (
            "default_internal_user_params: {max_budget: 4}, max_internal_user_budget: 3",
            "each user",
            {"limit_nanos": 4 * 10**9, "per": "user", "period": "lifetime", "length": None},
        ),
        (
            "default_key_generate_params: {max_budget: 1.5}, upperbound_key_generate_params: {budget_duration: 1mo}",
            "each key",
            {"limit_nanos": 1_500_000_000, "per": "key", **MONTH},
        ),
        (
            "default_team_params: {max_budget: 0, budget_duration: 30d}",
            "each tenant",
            {"limit_nanos": 0, "per": "tenant", **MONTH},
        ),
    ],
)
def test_money_becomes_a_budget(text: str, name: str, values: dict[str, Any]) -> None:
    declared, _ = settings(text)
    assert declared.problems == ()
    assert (sole(declared).name, sole(declared).values) == (f"imported: {name}", values)


@pytest.mark.parametrize(
    ("text", "key", "verdict", "why"),
    [
        (
            "max_budget: 9, budget_duration: 1mo",
            "max_budget",
            Verdict.MAPPED,
            "budget of all calls: each calendar month, as LiteLLM counts 1mo",
        ),
        (
            "max_budget: 9, budget_duration: 2d",
            "max_budget",
            Verdict.MAPPED,
            "budget of all calls: the last 2 days at any moment, where LiteLLM starts anew every 2d",
        ),
        (
            "max_budget: 9",
            "max_budget",
            Verdict.MAPPED,
            "budget of all calls: for good, as no duration is stated",
        ),
        (
            "max_budget: 0, budget_duration: 30d",
            "max_budget",
            Verdict.WITHOUT_EFFECT,
            "LiteLLM takes a max_budget of 0",
        ),
        ("max_budget: 0, budget_duration: 30d", "budget_duration", Verdict.WITHOUT_EFFECT, "LiteLLM takes"),
        ("max_budget: 9, budget_duration: 30m", "max_budget", Verdict.UNSUPPORTED, "its budget_duration has no window"),
        ("max_budget: 9, budget_duration: 30m", "budget_duration", Verdict.UNSUPPORTED, "budgets count whole hours"),
        ("budget_duration: 30d", "budget_duration", Verdict.WITHOUT_EFFECT, "there is no budget to go with it"),
        ("timezone: Europe/Berlin", "timezone", Verdict.WITHOUT_EFFECT, "no budget of this file goes by the calendar"),
        (
            "max_budget: 9, budget_duration: 1d, timezone: Mars/Base",
            "timezone",
            Verdict.UNSUPPORTED,
            "no time zone has this name: UTC, as in LiteLLM",
        ),
        (
            "default_key_generate_params: {max_budget: 1}",
            "default_key_generate_params.max_budget",
            Verdict.MAPPED,
            "budget of each key, the master key included: for good",
        ),
        (
            "default_key_generate_params: {models: [a]}",
            "default_key_generate_params.models[0]",
            Verdict.UNSUPPORTED,
            "only budgets and rate limits translate",
        ),
        (
            "default_key_generate_params: {rpm_limit: 1}, upperbound_key_generate_params: {rpm_limit: 2}",
            "upperbound_key_generate_params.rpm_limit",
            Verdict.WITHOUT_EFFECT,
            "litellm_settings.default_key_generate_params.rpm_limit goes before it",
        ),
        ("max_end_user_budget: 1", "max_end_user_budget", Verdict.UNSUPPORTED, "budgets tell callers apart by tenant"),
    ],
)
def test_the_report_says_how_it_was_translated(text: str, key: str, verdict: Verdict, why: str) -> None:
    _, told = settings(text)
    assert told[f"litellm_settings.{key}"][0] is verdict
    assert why in told[f"litellm_settings.{key}"][1]


def test_the_time_zone_is_that_of_the_calendar_budgets() -> None:
    declared, told = settings("max_budget: 9, budget_duration: 7d, timezone: Asia/Tokyo")
    assert sole(declared).values["time_zone"] == "Asia/Tokyo"
    assert told["litellm_settings.timezone"] == (Verdict.MAPPED, "time zone of the budgets")


def test_amounts_may_come_from_the_environment() -> None:
    declared, _ = settings("max_budget: os.environ/MOST, budget_duration: 30d", MOST="12.5")
    assert sole(declared).values["limit_nanos"] == 12_500_000_000


def test_rates_become_limits_of_each() -> None:
    declared, _ = settings(
        "default_key_generate_params: {rpm_limit: 10, tpm_limit: 2000, max_parallel_requests: 3}, "
        "default_internal_user_params: {rpm_limit: 20}, default_team_params: {tpm_limit: 9}"
    )
    assert [(limit.name, limit.values) for limit in declared.limits] == [
        (
            "imported: each key, requests a minute",
            {"measure": "requests", "span": "minute", "per": "key", "value": 10},
        ),
        ("imported: each key, tokens a minute", {"measure": "tokens", "span": "minute", "per": "key", "value": 2000}),
        ("imported: each key, calls at once", {"measure": "parallel_calls", "span": "", "per": "key", "value": 3}),
        (
            "imported: each user, requests a minute",
            {"measure": "requests", "span": "minute", "per": "user", "value": 20},
        ),
        (
            "imported: each tenant, tokens a minute",
            {"measure": "tokens", "span": "minute", "per": "tenant", "value": 9},
        ),
    ]


def test_all_calls_at_once_are_limited_together() -> None:
    declared, told = take("general_settings: {global_max_parallel_requests: 64}")
    [limit] = declared.limits
    assert limit.values == {"measure": "parallel_calls", "span": "", "value": 64}
    assert told["general_settings.global_max_parallel_requests"][0] is Verdict.MAPPED


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("litellm_settings: {max_budget: much}", "c.yaml:1:32: 'much' is not a number from 0 up"),
        ("litellm_settings: {max_budget: 1e99}", "c.yaml:1:32: a billion dollars is the most"),
        (
            "general_settings: {global_max_parallel_requests: 1.5}",
            "c.yaml:1:50: a whole number of at most fifteen digits",
        ),
        ("litellm_settings: {max_budget: os.environ/GONE}", "c.yaml:1:32: the environment has no GONE"),
        ("litellm_settings: {max_budget: 1, budget_duration: os.environ/GONE}", "the environment has no GONE"),
        ("general_settings: {global_max_parallel_requests: os.environ/GONE}", "the environment has no GONE"),
        ("litellm_settings: {default_team_params: {rpm_limit: [1]}}", "a single value is wanted here"),
    ],
)
def test_faults_are_told_with_their_place(text: str, fault: str) -> None:
    assert fault in str(take(text)[0].problems[0])
