"""What the usual variables declare."""

import pytest

from gateway_project.configuration.environment import declare_from_environment
from providers.presets import PRESETS

WITH_VARIABLE = [preset for preset in PRESETS.values() if preset.credential_env]


@pytest.mark.parametrize("preset", WITH_VARIABLE, ids=lambda preset: preset.name)
def test_a_credential_is_a_provider_with_its_usual_models(preset) -> None:  # type: ignore[no-untyped-def]
    wanted = {option.env: "there" for option in preset.options if option.required}
    wanted |= {preset.address_env: "https://own.example"} if preset.needs_address else {}
    declared = declare_from_environment({preset.credential_env: "sk-secret", **wanted})
    [provider] = declared.providers
    assert (provider.slug, provider.credential, provider.values["kind"]) == (preset.name, "sk-secret", preset.name)
    assert [route.name for route in declared.routes] == list(preset.usual_models)
    assert "sk-secret" not in repr(declared)


def test_what_a_kind_needs_besides_comes_from_the_environment_too() -> None:
    environ = {"AWS_BEARER_TOKEN_BEDROCK": "key"}
    assert declare_from_environment(environ).providers == ()
    [bedrock] = declare_from_environment({**environ, "AWS_REGION": "eu-central-1"}).providers
    assert bedrock.values["options"] == {"region": "eu-central-1"}
    environ = {"AZURE_OPENAI_API_KEY": "key", "AZURE_OPENAI_ENDPOINT": "https://a.example"}
    [azure] = declare_from_environment({**environ, "OPENAI_API_VERSION": "2025-01-01"}).providers
    assert (azure.values["base_url"], azure.values["options"]) == (
        "https://a.example",
        {"api_version": "2025-01-01"},
    )


def test_nothing_set_declares_nothing() -> None:
    declared = declare_from_environment({})
    assert (declared.providers, declared.routes) == ((), ())
    assert declare_from_environment({"OPENAI_API_KEY": ""}).providers == ()


def test_a_preset_can_be_left_out() -> None:
    assert declare_from_environment({"OPENAI_API_KEY": "x"}, without={"openai"}).providers == ()


def test_the_real_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for preset in WITH_VARIABLE:
        monkeypatch.delenv(preset.credential_env, raising=False)
    monkeypatch.setenv("GROQ_API_KEY", "gsk")
    assert [provider.slug for provider in declare_from_environment().providers] == ["groq"]
