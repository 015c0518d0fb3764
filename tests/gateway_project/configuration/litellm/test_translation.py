"""Whole LiteLLM files: what they declare, and a report that leaves no key out."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_project.configuration.declared import Declared, DeclaredRoute, DeclaredTarget
from gateway_project.configuration.document import ConfigurationRefused, parse_document, read_document, walk_leaves
from gateway_project.configuration.files import load_config
from gateway_project.configuration.litellm.translation import is_litellm, translate
from gateway_project.configuration.report import Report, Verdict, render

SAMPLES = Path(__file__).parent.parent / "samples"
ENVIRON = {
    "OPENAI_API_KEY": "sk-us",
    "OPENAI_API_KEY_EU": "sk-eu",
    "GROQ_API_KEY": "gsk-1",
    "LITELLM_MASTER_KEY": "sk-master-1234",
}


def load(name: str, environ: Mapping[str, str] = ENVIRON) -> tuple[Declared, Report]:
    declared, report = load_config(SAMPLES / name, environ)
    assert report is not None
    return declared, report


def take(text: str, environ: Mapping[str, str] | None = None) -> tuple[Declared, Report]:
    return translate(parse_document(text, file="c.yaml"), environ or {})


def one_model(params: str, *, name: str = "chat", rest: str = "", environ: Mapping[str, str] | None = None) -> Declared:
    text = f"model_list: [{{model_name: '{name}', litellm_params: {{{params}}}}}]\n{rest}"
    return take(text, environ)[0]


def route(declared: Declared, name: str) -> DeclaredRoute:
    return next(route for route in declared.routes if route.name == name)


def targets(declared: Declared, name: str) -> tuple[DeclaredTarget, ...]:
    return route(declared, name).targets or ()


def verdicts(report: Report) -> dict[str, tuple[Verdict, str]]:
    return {line.path: (line.verdict, line.why) for line in report.lines}


@pytest.mark.parametrize("section", ["model_list", "litellm_settings", "router_settings", "general_settings"])
def test_one_section_is_enough_to_know_the_format(section: str) -> None:
    assert is_litellm(parse_document(f"{section}:\n", file="f"))
    assert not is_litellm(parse_document("routes: []\n", file="f"))


def test_entries_of_one_name_share_a_route() -> None:
    declared, _ = load("load_balancing.yaml")
    assert declared.problems == ()
    assert [route.name for route in declared.routes] == [
        "gpt-4o",
        "llama",
        "local",
        "claude-on-bedrock",
        "claude-on-vertex",
    ]
    first, second, third = targets(declared, "gpt-4o")
    assert (first.provider, first.model) == ("openai", "gpt-4o")
    assert first.values == {"weight": 900, "first_byte_timeout_ms": 600_000, "total_timeout_ms": 600_000}
    assert second.model == "gpt-4o-2024-08-06"
    assert second.provider.startswith("openai-")
    assert second.values["weight"] == 100
    assert second.values["first_byte_timeout_ms"] == 45_000
    assert second.values["idle_timeout_ms"] == 20_000
    assert (third.provider[:6], third.model) == ("azure-", "gpt-4o-eu")


def test_connections_become_providers_with_their_credentials() -> None:
    declared, _ = load("load_balancing.yaml")
    usual, european, _, groq, ollama, *_ = declared.providers
    assert (usual.slug, usual.credential, usual.values) == ("openai", "sk-us", {"kind": "openai"})
    assert european.credential == "sk-eu"
    assert european.values["base_url"] == "https://eu.api.openai.com/v1"
    assert european.values["extra_headers"] == {"OpenAI-Organization": "org-eu"}
    assert (groq.slug, groq.credential) == ("groq", "gsk-1")
    assert ollama.values["base_url"] == "http://gpu-box:11434/v1"


def test_fallbacks_aliases_and_attempts_go_to_the_routes() -> None:
    declared, _ = load("load_balancing.yaml")
    assert route(declared, "gpt-4o").values == {
        "aliases": ["gpt-4"],
        "fallbacks": ["llama"],
        "max_attempts": 4,
        "drop_params": True,
    }
    assert route(declared, "llama").values["fallbacks"] == ["local"]
    assert route(declared, "llama").values["max_attempts"] == 2
    assert route(declared, "local").values["fallbacks"] == []


def test_the_master_key_becomes_a_key_with_every_scope() -> None:
    declared, _ = load("load_balancing.yaml")
    [key] = declared.keys
    assert (key.tenant, key.secret) == ("default", "sk-master-1234")
    assert set(key.values["scopes"]) == {"inference", "usage", "management", "passthrough"}
    assert [tenant.slug for tenant in declared.tenants] == ["default"]


def test_custom_prices_are_exact() -> None:
    declared, _ = load("load_balancing.yaml")
    [price] = declared.prices
    assert (price.vendor, price.model) == ("groq", "llama-3.3-70b-versatile")
    assert price.values == {
        "input_per_mtok": Decimal("0.59"),
        "output_per_mtok": Decimal("0.79"),
        "tiers": [{"above_input_tokens": 128_000, "input_per_mtok": "1"}],
    }


def test_the_report_has_every_key_with_its_line() -> None:
    _, report = load("load_balancing.yaml")
    told = verdicts(report)
    assert told["model_list[2].litellm_params.api_version"] == (
        Verdict.MAPPED,
        "option api_version of the provider",
    )
    assert told["model_list[7].litellm_params.model"][0] is Verdict.UNSUPPORTED
    assert "sagemaker is not available" in told["model_list[7].litellm_params.aws_region_name"][1]
    assert told["model_list[0].litellm_params.rpm"] == (
        Verdict.MAPPED,
        "weight of the target, as LiteLLM draws by it; it is no rate limit without enforce_model_rate_limits",
    )
    assert told["litellm_settings.drop_params"] == (Verdict.MAPPED, "drop_params of the routes")
    assert told["litellm_settings.set_verbose"][0] is Verdict.WITHOUT_EFFECT
    assert told["litellm_settings.cache"] == (Verdict.WITHOUT_EFFECT, "it is off or empty in this file")
    assert told["litellm_settings.num_retries"] == (
        Verdict.WITHOUT_EFFECT,
        "router_settings.num_retries goes before it",
    )
    assert told["litellm_settings.callbacks[0]"][0] is Verdict.WITHOUT_EFFECT
    assert told["litellm_settings.callbacks[1]"][0] is Verdict.UNSUPPORTED
    assert told["router_settings.fallbacks[0].gpt-4o[0]"][0] is Verdict.MAPPED
    assert told["router_settings.fallbacks[0].gpt-4o[1]"][0] is Verdict.UNSUPPORTED
    assert told["router_settings.fallbacks[1].elsewhere[0]"][0] is Verdict.WITHOUT_EFFECT
    assert told["router_settings.model_group_alias.gpt-4"][0] is Verdict.MAPPED
    assert told["router_settings.model_group_alias.nothing"][0] is Verdict.UNSUPPORTED
    assert told["router_settings.redis_host"][0] is Verdict.WITHOUT_EFFECT
    assert told["router_settings.cooldown_time"][0] is Verdict.UNSUPPORTED
    assert told["general_settings.no_such_setting"][0] is Verdict.UNKNOWN
    lines = {line.path: line.at.line for line in report.lines}
    source = (SAMPLES / "load_balancing.yaml").read_text().splitlines()
    assert "api_version" in source[lines["model_list[2].litellm_params.api_version"] - 1]
    assert "no_such_setting" in source[lines["general_settings.no_such_setting"] - 1]


def test_no_documented_key_is_missing_or_unknown() -> None:
    """The sample holds the keys of LiteLLM's settings page and of the types behind it."""
    declared, report = load("every_key.yaml", {})
    assert declared.problems == ()
    leaves = list(walk_leaves(read_document(SAMPLES / "every_key.yaml")))
    assert len(leaves) > 700
    assert {(leaf.at.line, leaf.at.column) for leaf in leaves} == {
        (line.at.line, line.at.column) for line in report.lines
    }
    assert len(report.lines) == len(leaves)
    assert [line.path for line in report.lines if line.verdict is Verdict.UNKNOWN] == []
    assert all(line.why for line in report.lines)


def test_no_value_shows_in_the_report() -> None:
    _, report = load("load_balancing.yaml")
    assert not any(secret in render(report) for secret in ENVIRON.values())
    _, report = load("wildcards.yaml")
    assert "sk-written-into-the-file" not in render(report)


def test_wildcards_repeat_the_routes_star() -> None:
    declared, report = load("wildcards.yaml")
    assert declared.problems == ()
    assert [(name.name, [t.model for t in name.targets or ()]) for name in declared.routes] == [
        ("openai/*", ["*"]),
        ("team-*", ["mistral-*"]),
        ("groq/*", ["*"]),
    ]
    told = verdicts(report)
    assert told["model_list[2].model_name"][0] is Verdict.MAPPED
    assert told["model_list[3].model_name"][0] is Verdict.UNSUPPORTED


def test_star_for_star_needs_a_credential() -> None:
    _, report = take("model_list: [{model_name: '*', litellm_params: {model: '*'}}]")
    assert {line.verdict for line in report.lines} == {Verdict.UNSUPPORTED}


def test_included_files_are_read_with_the_file() -> None:
    declared, report = load("with_includes.yaml")
    assert [route.name for route in declared.routes] == ["first", "second"]
    assert route(declared, "first").values["max_attempts"] == 5
    files = {Path(line.at.file).name: line.verdict for line in report.lines}
    assert set(files) == {"with_includes.yaml", "included_models.yaml"}
    assert verdicts(report)["include[0]"][0] is Verdict.MAPPED


def test_a_missing_include_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("include: [gone.yaml]\nmodel_list: []\n")
    with pytest.raises(ConfigurationRefused, match=r"c\.yaml:1:11: the included file .*gone\.yaml is not there"):
        load_config(tmp_path / "c.yaml", {})


def test_files_that_include_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("include: [b.yaml]\n")
    (tmp_path / "b.yaml").write_text("include: [a.yaml]\n")
    with pytest.raises(ConfigurationRefused, match="include each other"):
        load_config(tmp_path / "a.yaml", {})


def test_a_hidden_repetition_is_reported() -> None:
    _, report = take("litellm_settings:\n  num_retries: 1\n  num_retries: 2\n")
    assert [(line.at.line, line.verdict) for line in report.lines] == [
        (2, Verdict.WITHOUT_EFFECT),
        (3, Verdict.MAPPED),
    ]


def test_environment_variables_of_the_file_are_referred_to() -> None:
    text = (
        "environment_variables: {MY_KEY: sk-in-file, REDIS_HOST: r}\n"
        "model_list: [{model_name: a, litellm_params: {model: openai/x, api_key: os.environ/MY_KEY}}]\n"
    )
    declared, report = take(text)
    assert declared.providers[0].credential == "sk-in-file"
    told = verdicts(report)
    assert told["environment_variables.MY_KEY"][0] is Verdict.MAPPED
    assert told["environment_variables.REDIS_HOST"][0] is Verdict.WITHOUT_EFFECT


def test_named_credentials_are_put_in() -> None:
    text = (
        "credential_list: [{credential_name: eu, credential_values: {api_key: sk-c, api_base: 'https://e.test/v1'}}]\n"
        "model_list: [{model_name: a, litellm_params: {model: openai/x, litellm_credential_name: eu}}]\n"
    )
    declared, report = take(text)
    [provider] = declared.providers
    assert (provider.credential, provider.values["base_url"]) == ("sk-c", "https://e.test/v1")
    assert {line.verdict for line in report.lines} == {Verdict.MAPPED}


def test_a_missing_credential_is_a_warning_and_a_missing_address_a_fault() -> None:
    text = "model_list: [{model_name: a, litellm_params: {model: openai/x, api_key: os.environ/GONE}}]"
    declared, report = take(text)
    assert declared.problems == ()
    assert declared.providers[0].credential is None
    assert any("the environment has no GONE" in warning.message for warning in report.warnings)
    declared = one_model("model: openai/x, api_base: os.environ/GONE")
    assert [problem.message for problem in declared.problems] == ["api_base: the environment has no GONE"]


def test_a_file_without_master_key_is_warned_of() -> None:
    _, report = take("model_list: []")
    assert any("no master_key" in warning.message for warning in report.warnings)


def test_a_missing_master_key_is_a_fault() -> None:
    declared, _ = take("general_settings: {master_key: os.environ/GONE}")
    assert [problem.message for problem in declared.problems] == ["master_key: the environment has no GONE"]


def test_equal_connections_share_a_provider_whatever_their_secret() -> None:
    text = "model_list:\n" + "".join(
        f"  - {{model_name: m{i}, litellm_params: {{model: openai/m{i}, api_key: os.environ/K{i % 2}}}}}\n"
        for i in range(4)
    )
    first, _ = take(text, {"K0": "a", "K1": "b"})
    second, _ = take(text, {"K0": "changed", "K1": "b"})
    assert len(first.providers) == 2
    assert [provider.slug for provider in first.providers] == [provider.slug for provider in second.providers]


def test_literal_credentials_part_providers() -> None:
    declared, _ = take(
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: openai/a, api_key: sk-1}}\n"
        "  - {model_name: b, litellm_params: {model: openai/b, api_key: sk-2}}\n"
        "  - {model_name: c, litellm_params: {model: openai/c, api_key: sk-1}}\n"
    )
    assert [provider.credential for provider in declared.providers] == ["sk-1", "sk-2"]


@pytest.mark.parametrize(
    ("params", "kind", "model"),
    [
        ("model: openai/gpt-4o", "openai", "gpt-4o"),
        ("model: openrouter/anthropic/claude-sonnet-4.5", "openrouter", "anthropic/claude-sonnet-4.5"),
        ("model: together_ai/meta-llama/Llama-3", "together", "meta-llama/Llama-3"),
        ("model: hosted_vllm/own/model", "vllm", "own/model"),
        ("model: gpt-4o-mini", "openai", "gpt-4o-mini"),
        ("model: gpt-4o-2024-05-13", "openai", "gpt-4o-2024-05-13"),
        ("model: whatever, custom_llm_provider: mistral", "mistral", "whatever"),
        ("model: deepseek/x, custom_llm_provider: deepseek", "deepseek", "x"),
        ("model: openai_like/x, api_base: 'http://h/v1'", "openai_compatible", "x"),
    ],
)
def test_names_of_models_lead_to_providers(params: str, kind: str, model: str) -> None:
    declared = one_model(params)
    assert declared.providers[0].values["kind"] == kind
    assert targets(declared, "chat")[0].model == model


@pytest.mark.parametrize(
    ("params", "name", "why"),
    [
        ("model: nonesuch/x", "chat", "the provider nonesuch is not available"),
        ("model: x, custom_llm_provider: nonesuch", "chat", "the provider nonesuch is not available"),
        ("model: no-such-model-anywhere", "chat", "write provider/model"),
        ("model: openai_like/x", "chat", "it has no api_base"),
        ("model: openai/x", "two words", "a route's name has no spaces"),
        ("model: 'openai/*'", "chat", "its model has a *"),
    ],
)
def test_what_cant_be_served_is_left_out_and_reported(params: str, name: str, why: str) -> None:
    declared, report = take(f"model_list: [{{model_name: {name}, litellm_params: {{{params}}}}}]")
    assert (declared.routes, declared.providers) == ((), ())
    assert {line.verdict for line in report.lines} == {Verdict.UNSUPPORTED}
    assert all(why in line.why for line in report.lines)


@pytest.mark.parametrize(
    ("shares", "weights"),
    [
        (["weight: 9", "weight: 1"], [9, 1]),
        (["weight: 0.9", "weight: 0.1"], [900, 100]),
        (["weight: 1", ""], [1, 0]),
        (["weight: 1, rpm: 5", "rpm: 9"], [1, 0]),
        (["rpm: 9, tpm: 1", "rpm: 3"], [9, 3]),
        (["tpm: 1000", "tpm: '3000'"], [1000, 3000]),
        (["", ""], [1, 1]),
        (["weight: 0", "weight: 0"], [1, 1]),
        (["weight: 7, order: 1", "weight: 2, order: 2"], [7, 2]),
    ],
)
def test_shares_are_drawn_as_litellm_draws_them(shares: list[str], weights: list[int]) -> None:
    text = "model_list:\n" + "".join(
        f"  - {{model_name: a, litellm_params: {{model: openai/m{index}, {share}}}}}\n"
        for index, share in enumerate(shares)
    )
    assert [target.values["weight"] for target in targets(take(text)[0], "a")] == weights


def test_a_rate_that_is_no_weight_and_not_enforced_does_nothing() -> None:
    declared, report = take("model_list: [{model_name: a, litellm_params: {model: openai/m, weight: 1, rpm: 5}}]")
    assert verdicts(report)["model_list[0].litellm_params.rpm"] == (
        Verdict.WITHOUT_EFFECT,
        "weight goes before it; it is no rate limit without enforce_model_rate_limits",
    )
    assert declared.limits == ()


def test_twins_become_one_target_with_the_sum_of_their_weights() -> None:
    entry = "  - {model_name: a, litellm_params: {model: openai/m, weight: 2}}\n"
    [target] = targets(take("model_list:\n" + entry * 2)[0], "a")
    assert target.values["weight"] == 4


@pytest.mark.parametrize(
    ("params", "rest", "attempts"),
    [
        ("model: openai/m", "", 3),
        ("model: openai/m", "router_settings: {num_retries: 0}", 1),
        ("model: openai/m", "router_settings: {num_retries: 99}", 20),
        ("model: openai/m, num_retries: 4", "router_settings: {num_retries: 0}", 5),
        ("model: openai/m, max_retries: 1", "litellm_settings: {num_retries: 9}", 2),
    ],
)
def test_retries_become_attempts(params: str, rest: str, attempts: int) -> None:
    assert route(one_model(params, rest=rest), "chat").values["max_attempts"] == attempts


def test_attempts_reach_every_target_of_the_chain() -> None:
    text = (
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: openai/1}}\n"
        "  - {model_name: a, litellm_params: {model: openai/2}}\n"
        "  - {model_name: b, litellm_params: {model: openai/3}}\n"
        "router_settings: {num_retries: 0, fallbacks: [{a: [b]}]}\n"
    )
    declared, _ = take(text)
    assert route(declared, "a").values["max_attempts"] == 3
    assert route(declared, "b").values["max_attempts"] == 1


def test_a_starred_fallback_is_everyones() -> None:
    text = (
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: openai/1}}\n"
        "  - {model_name: b, litellm_params: {model: openai/3}}\n"
        "litellm_settings: {fallbacks: [{'*': [b]}]}\n"
    )
    declared, _ = take(text)
    assert [route(declared, name).values["fallbacks"] for name in "ab"] == [["b"], []]


def test_aliases_in_chains_stand_for_their_routes() -> None:
    text = (
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: openai/1}}\n"
        "  - {model_name: b, litellm_params: {model: openai/3}}\n"
        "  - {model_name: 'w/*', litellm_params: {model: 'openai/*'}}\n"
        "router_settings: {model_group_alias: {x: a, y: b}, fallbacks: [{x: [y, 'w/*']}]}\n"
    )
    declared, report = take(text)
    assert route(declared, "a").values["fallbacks"] == ["b"]
    assert verdicts(report)["router_settings.fallbacks[0].x[1]"][0] is Verdict.UNSUPPORTED


def test_a_fallback_with_parameters_is_unsupported() -> None:
    rest = "router_settings: {fallbacks: [{chat: [{model: openai/x}]}]}"
    text = f"model_list: [{{model_name: chat, litellm_params: {{model: openai/m}}}}]\n{rest}"
    assert verdicts(take(text)[1])["router_settings.fallbacks[0].chat[0].model"][0] is Verdict.UNSUPPORTED


@pytest.mark.parametrize("entry", ["model_name: a", "model_name: a, litellm_params: {api_key: x}", "rpm: 3"])
def test_an_entry_without_a_model_is_left_out(entry: str) -> None:
    declared, report = take(f"model_list: [{{{entry}}}]")
    assert (declared.routes, declared.problems) == ((), ())
    assert {line.verdict for line in report.lines} == {Verdict.UNSUPPORTED}


def test_rates_beside_the_parameters_do_nothing_unless_enforced() -> None:
    _, report = take("model_list: [{model_name: a, litellm_params: {model: openai/m}, rpm: 9}]")
    assert verdicts(report)["model_list[0].rpm"][0] is Verdict.WITHOUT_EFFECT


def test_a_blocked_entry_is_a_disabled_target() -> None:
    text = "model_list: [{model_name: a, litellm_params: {model: openai/m}, model_info: {blocked: true}}]"
    assert targets(take(text)[0], "a")[0].values["enabled"] is False


def test_contradicting_prices_are_reported() -> None:
    entry = "  - {model_name: a, litellm_params: {model: openai/m, input_cost_per_token: %s}}\n"
    declared, report = take("model_list:\n" + entry % "1e-6" + entry % "2e-6")
    assert [price.values["input_per_mtok"] for price in declared.prices] == [1]
    assert verdicts(report)["model_list[1].litellm_params.input_cost_per_token"][0] is Verdict.UNSUPPORTED


def test_a_base_model_that_is_another_is_unsupported() -> None:
    entry = "model_list: [{model_name: a, litellm_params: {model: openai/m}, model_info: {base_model: %s}}]"
    path = "model_list[0].model_info.base_model"
    assert verdicts(take(entry % "azure/m")[1])[path][0] is Verdict.WITHOUT_EFFECT
    assert verdicts(take(entry % "other")[1])[path][0] is Verdict.UNSUPPORTED


def test_a_strategy_that_measures_is_unsupported() -> None:
    _, report = take("router_settings: {routing_strategy: latency-based-routing}")
    assert [line.verdict for line in report.lines] == [Verdict.UNSUPPORTED]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("model_list: {a: b}", "c.yaml:1:13: model_list is a list of models"),
        ("model_list: [x]", "c.yaml:1:14: an entry of model_list is a mapping"),
        (
            "model_list: [{model_name: a, litellm_params: {model: openai/m, weight: heavy}}]",
            "c.yaml:1:72: 'heavy' is not a number from 0 up",
        ),
        (
            "model_list: [{model_name: a, litellm_params: {model: openai/m, timeout: 0}}]",
            "a number of seconds above 0",
        ),
        ("model_list: [{model_name: [a], litellm_params: {model: openai/m}}]", "a single value is wanted here"),
        ("router_settings: {fallbacks: {a: b}}", "fallbacks are a list of"),
        ("router_settings: {num_retries: -1}", "'-1' is not a number from 0 up"),
    ],
)
def test_what_litellm_could_not_read_either_is_a_fault(text: str, fault: str) -> None:
    assert fault in str(take(text)[0].problems[0])


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=20), st.one_of(st.text(max_size=9), st.integers(), st.booleans())))
def test_no_key_is_ever_left_out(stated: dict[str, object]) -> None:
    _, report = take(json.dumps({"general_settings": stated}))
    assert len(report.lines) == max(1, len(stated))
