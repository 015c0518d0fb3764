"""What LiteLLM's entries say of rates and calls at once: limits of routes and providers, or why not."""

import pytest

from gateway_project.configuration.declared import Declared, DeclaredCalls
from gateway_project.configuration.document import parse_document
from gateway_project.configuration.litellm.translation import translate
from gateway_project.configuration.report import Verdict

ENFORCED = "router_settings: {optional_pre_call_checks: [enforce_model_rate_limits]}"
RPM = "model_list[0].litellm_params.rpm"
AT_ONCE = "model_list[0].litellm_params.max_parallel_requests"


def take(*entries: str, rest: str = "", **environ: str) -> tuple[Declared, dict[str, tuple[Verdict, str]]]:
    text = "model_list:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries) + rest
    declared, report = translate(parse_document(text, file="c.yaml"), environ)
    assert declared.problems == ()
    return declared, {line.path: (line.verdict, line.why) for line in report.lines}


def entry(params: str = "", more: str = "", *, name: str = "chat", model: str = "openai/m") -> str:
    return f"model_name: '{name}', litellm_params: {{model: '{model}', {params}}}, {more}"


def values(declared: Declared) -> list[tuple[str | None, str, int]]:
    return [(limit.calls.route, limit.values["measure"], limit.values["value"]) for limit in declared.limits]


@pytest.mark.parametrize(
    "rest",
    [
        ENFORCED,
        "router_settings: {routing_strategy: usage-based-routing}",
        "router_settings: {routing_strategy: usage-based-routing-v2}",
    ],
)
def test_enforced_rates_of_all_entries_add_up_to_the_routes(rest: str) -> None:
    declared, told = take(entry("rpm: 60, tpm: 1000"), entry("rpm: 40, tpm: 500"), rest=rest)
    assert values(declared) == [("chat", "requests", 100), ("chat", "tokens", 1500)]
    assert declared.limits[0].name == "imported: chat, requests a minute"
    assert told[RPM] == (
        Verdict.MAPPED,
        "limit of the route chat: 100 requests a minute over all its entries, and weight of the target",
    )
    assert told["model_list[1].litellm_params.tpm"] == (
        Verdict.MAPPED,
        "limit of the route chat: 1500 tokens a minute over all its entries",
    )


def test_weights_stay_what_they_were() -> None:
    declared, _ = take(entry("rpm: 60"), entry("rpm: 40", model="openai/n"), rest=ENFORCED)
    assert [target.values["weight"] for target in declared.routes[0].targets or ()] == [60, 40]


@pytest.mark.parametrize("more", ["rpm: 7", "model_info: {rpm: 7}"])
def test_rates_stand_in_any_of_three_places(more: str) -> None:
    declared, told = take(entry("", more), rest=ENFORCED)
    assert values(declared) == [("chat", "requests", 7)]
    assert told["router_settings.optional_pre_call_checks[0]"][0] is Verdict.MAPPED


def test_the_entrys_own_rate_goes_before_its_parameters() -> None:
    declared, _ = take(entry("rpm: 5", "rpm: 9, model_info: {rpm: 3}"), rest=ENFORCED)
    assert values(declared) == [("chat", "requests", 9)]


def test_a_route_with_an_unlimited_entry_has_no_limit() -> None:
    declared, told = take(entry("rpm: 60"), entry("default_api_key_rpm_limit: 5"), rest=ENFORCED)
    assert [limit.values["value"] for limit in declared.limits] == [5]
    assert told[RPM] == (
        Verdict.UNSUPPORTED,
        "a limit holds for a whole route, and another entry of chat states none",
    )
    assert told["router_settings.optional_pre_call_checks[0]"][0] is Verdict.WITHOUT_EFFECT


def test_an_entry_that_is_switched_off_counts_for_nothing() -> None:
    declared, told = take(entry("rpm: 60"), entry("", "rpm: 5, model_info: {blocked: true}"), rest=ENFORCED)
    assert values(declared) == [("chat", "requests", 60)]
    assert told["model_list[1].rpm"] == (Verdict.WITHOUT_EFFECT, "its target is not enabled")


def test_each_keys_rates_hold_on_the_route() -> None:
    declared, told = take(
        entry("default_api_key_rpm_limit: 9, default_api_key_tpm_limit: 900"), entry("default_api_key_rpm_limit: 4")
    )
    requests, tokens = declared.limits
    assert requests.calls == DeclaredCalls(route="chat")
    assert requests.values == {"measure": "requests", "span": "minute", "per": "key", "value": 4}
    assert (tokens.name, tokens.values["value"]) == ("imported: chat for each key, tokens a minute", 900)
    assert told["model_list[0].litellm_params.default_api_key_rpm_limit"][0] is Verdict.MAPPED


def test_calls_at_once_of_a_provider_with_one_entry() -> None:
    declared, told = take(entry("max_parallel_requests: 4"), entry(name="other", model="groq/x"))
    [limit] = declared.limits
    assert (limit.name, limit.provider) == ("imported: openai, calls at once", "openai")
    assert limit.values == {"measure": "provider_calls", "span": "", "value": 4}
    assert told[AT_ONCE][0] is Verdict.MAPPED
    assert "where LiteLLM lets it wait" in told[AT_ONCE][1]


def test_calls_at_once_of_a_shared_provider_are_unsupported() -> None:
    declared, told = take(entry("max_parallel_requests: 4"), entry(name="other", model="openai/x"))
    assert declared.limits == ()
    assert told[AT_ONCE] == (
        Verdict.UNSUPPORTED,
        "calls at once are limited for a whole provider, and other entries use openai too",
    )


@pytest.mark.parametrize(
    ("rest", "path"),
    [
        ("router_settings: {default_max_parallel_requests: 8}", "router_settings.default_max_parallel_requests"),
        ("general_settings: {max_parallel_requests: 8}", "general_settings.max_parallel_requests"),
    ],
)
def test_the_usual_calls_at_once_go_to_providers_of_one_entry(rest: str, path: str) -> None:
    declared, told = take(
        entry(), entry("max_parallel_requests: 2", model="groq/x"), entry("rpm: 5", model="mistral/x"), rest=rest
    )
    assert [(limit.provider, limit.values["value"]) for limit in declared.limits] == [("openai", 8), ("groq", 2)]
    assert told[path] == (Verdict.MAPPED, "limit of each provider that one entry alone uses: openai")


def test_the_usual_calls_at_once_may_fit_no_provider() -> None:
    declared, told = take(entry(), entry(), rest="router_settings: {default_max_parallel_requests: 8}")
    assert declared.limits == ()
    assert told["router_settings.default_max_parallel_requests"][0] is Verdict.UNSUPPORTED


def test_an_entry_that_became_many_routes_has_no_limit() -> None:
    declared, told = take(
        entry("rpm: 5, max_parallel_requests: 2, default_api_key_rpm_limit: 1", name="*", model="*"),
        rest=ENFORCED,
        OPENAI_API_KEY="sk-1",
    )
    assert declared.limits == ()
    for name in ("rpm", "max_parallel_requests", "default_api_key_rpm_limit"):
        assert told[f"model_list[0].litellm_params.{name}"] == (
            Verdict.UNSUPPORTED,
            "this entry became several routes; declare a limit for each",
        )


def test_a_long_routes_limit_has_a_name_that_fits() -> None:
    names = {take(entry("default_api_key_tpm_limit: 5", name="r" * 199 + end))[0].limits[0].name for end in ("a", "b")}
    assert len(names) == 2
    assert all(len(name) <= 120 for name in names)
