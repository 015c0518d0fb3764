"""Regions, projects and credentials of clouds, as LiteLLM's entries state them."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway_project.configuration.declared import Declared, DeclaredProvider
from gateway_project.configuration.document import parse_document
from gateway_project.configuration.litellm.translation import translate
from gateway_project.configuration.report import Report, Verdict

KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush"}


def take(*params: str, environ: Mapping[str, str] = KEYS, rest: str = "") -> tuple[Declared, Report]:
    entries = "".join(f"  - {{model_name: m{i}, litellm_params: {{{one}}}}}\n" for i, one in enumerate(params))
    return translate(parse_document(f"model_list:\n{entries}{rest}", file="c.yaml"), environ)


def only(declared: Declared) -> DeclaredProvider:
    [provider] = declared.providers
    return provider


def why(report: Report, key: str) -> tuple[Verdict, str]:
    path = f"model_list[0].litellm_params.{key}"
    return next((line.verdict, line.why) for line in report.lines if line.path == path)


def test_keys_become_one_credential() -> None:
    declared, report = take(
        "model: bedrock/converse/anthropic.claude-x, aws_region_name: us-west-2, "
        "aws_access_key_id: os.environ/AWS_ACCESS_KEY_ID, aws_secret_access_key: os.environ/AWS_SECRET_ACCESS_KEY, "
        "aws_role_name: 'arn:aws:iam::1:role/x'"
    )
    provider = only(declared)
    assert provider.values["options"] == {"region": "us-west-2"}
    assert json.loads(provider.credential or "") == {
        "aws_access_key_id": "AKIA",
        "aws_secret_access_key": "hush",
        "role_arn": "arn:aws:iam::1:role/x",
    }
    assert [target.model for route in declared.routes for target in route.targets or ()] == ["anthropic.claude-x"]
    assert why(report, "aws_access_key_id") == (Verdict.MAPPED, "sealed credential of the provider")
    assert {line.verdict for line in report.lines} == {Verdict.MAPPED}


def test_a_new_secret_in_the_same_variable_makes_no_new_provider() -> None:
    entry = "model: bedrock/x, aws_region_name: us-west-2, aws_access_key_id: os.environ/AWS_ACCESS_KEY_ID"
    first, second = (take(entry, environ={"AWS_ACCESS_KEY_ID": key})[0] for key in ("a", "b"))
    assert only(first).slug == only(second).slug
    assert only(first).credential != only(second).credential


def test_other_regions_are_other_providers() -> None:
    declared, _ = take("model: bedrock/x, aws_region_name: a", "model: bedrock/x, aws_region_name: b")
    assert len(declared.providers) == 2
    assert [provider.credential for provider in declared.providers] == [None, None]


def test_what_nobody_states_comes_from_the_environment() -> None:
    declared, _ = take("model: bedrock/x", environ={"AWS_REGION": "eu-west-1"})
    assert only(declared).values["options"] == {"region": "eu-west-1"}


def test_an_entry_without_what_its_kind_needs_is_left_out() -> None:
    declared, report = take("model: vertex_ai/gemini-2.5-pro", environ={})
    assert declared.providers == ()
    assert "it has no vertex_project" in why(report, "model")[1]


def test_an_option_whose_variable_is_not_set_is_a_fault() -> None:
    declared, _ = take("model: bedrock/x, aws_region_name: os.environ/GONE")
    assert [problem.message for problem in declared.problems] == ["aws_region_name: the environment has no GONE"]


def test_a_secret_whose_variable_is_not_set_is_a_warning() -> None:
    declared, report = take("model: bedrock/x, aws_region_name: a, aws_access_key_id: os.environ/GONE")
    assert declared.problems == ()
    assert any("no GONE" in warning.message for warning in report.warnings)


@pytest.mark.parametrize("as_file", [False, True])
def test_a_key_file_is_taken_as_text_or_from_where_it_is(tmp_path: Path, as_file: bool) -> None:
    text = '{"type": "service_account"}'
    (tmp_path / "key.json").write_text(text)
    stated = str(tmp_path / "key.json") if as_file else text
    declared, _ = take(f"model: vertex_ai/claude-x, vertex_project: p, vertex_credentials: '{stated}'")
    provider = only(declared)
    assert (provider.credential, provider.values["options"]) == (text, {"project": "p"})


def test_an_application_signs_in_with_entra() -> None:
    declared, _ = take(
        "model: azure/responses/dep, api_base: 'https://a.example', api_version: preview, "
        "tenant_id: t, client_id: c, client_secret: s"
    )
    provider = only(declared)
    assert provider.values["options"] == {"api_version": "preview", "auth": "entra"}
    assert json.loads(provider.credential or "") == {"tenant_id": "t", "client_id": "c", "client_secret": "s"}
    assert [target.model for route in declared.routes for target in route.targets or ()] == ["dep"]


def test_a_key_goes_before_what_else_there_is() -> None:
    declared, _ = take("model: azure/dep, api_base: 'https://a.example', api_key: k, client_secret: s")
    assert only(declared).credential == "k"
    assert "options" not in only(declared).values


def test_what_belongs_to_another_kind_has_no_effect() -> None:
    _, report = take("model: openai/x, aws_region_name: us-west-2")
    assert why(report, "aws_region_name") == (
        Verdict.WITHOUT_EFFECT,
        "a provider of kind openai has no use for it",
    )


@pytest.mark.parametrize(
    ("rest", "entry", "dropped"),
    [
        ("", "", None),
        ("litellm_settings: {drop_params: true}", "", True),
        ("litellm_settings: {drop_params: true}", ", drop_params: false", False),
        ("litellm_settings: {drop_params: false}", ", drop_params: true", True),
        ("", ", drop_params: true", True),
        ("litellm_settings: {drop_params: false}", "", False),
    ],
)
def test_parameters_are_dropped_where_anybody_says_so(rest: str, entry: str, dropped: bool | None) -> None:
    declared, _ = take(f"model: openai/x{entry}", rest=rest)
    assert declared.routes[0].values.get("drop_params") is dropped


@pytest.mark.parametrize(
    ("key", "field", "rate"),
    [
        ("input_cost_per_character: 0.000015", "per_mcharacter", 15),
        ("input_cost_per_second: 0.0001", "per_audio_minute", "0.006"),
        ("input_cost_per_query: 0.002", "per_search", "0.002"),
    ],
)
def test_prices_of_other_units(key: str, field: str, rate: str | int) -> None:
    declared, _ = take(f"model: openai/x, {key}")
    assert {name: str(value.normalize()) for name, value in declared.prices[0].values.items()} == {field: str(rate)}
