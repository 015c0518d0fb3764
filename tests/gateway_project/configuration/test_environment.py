"""What the usual variables declare."""

import pytest

from gateway_project.configuration.environment import declare_from_environment
from providers.presets import PRESETS

WITH_VARIABLE = [preset for preset in PRESETS.values() if preset.credential_env]


@pytest.mark.parametrize("preset", WITH_VARIABLE, ids=lambda preset: preset.name)
def test_a_credential_is_a_provider_with_its_usual_models(preset) -> None:  # type: ignore[no-untyped-def]
    declared = declare_from_environment({preset.credential_env: "sk-secret"})
    [provider] = declared.providers
    assert (provider.slug, provider.credential, provider.values["kind"]) == (preset.name, "sk-secret", preset.name)
    assert [route.name for route in declared.routes] == list(preset.usual_models)
    assert "sk-secret" not in repr(declared)


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
