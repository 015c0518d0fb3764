"""Every row of the table is whole."""

import pytest

from providers.adapters.http import Origin
from providers.adapters.table import ADAPTERS
from providers.dialects.canonical import Operation
from providers.presets import PRESETS, Preset, preset_of

ROWS = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)


@ROWS
def test_a_row_can_be_used(preset: Preset) -> None:
    assert preset.title
    assert preset.adapter in ADAPTERS
    assert PRESETS[preset.name] is preset
    if preset.base_url:
        origin, prefix = Origin.parse(preset.base_url)
        assert origin.scheme == "https" or origin.host == "127.0.0.1"
        assert not preset.base_url.endswith("/")
        assert prefix or origin.host.startswith(("api.", "generativelanguage."))
    assert preset.needs_address is (not preset.base_url and not preset.derives_address and not preset.built_in)
    if preset.credential_env and preset.needs_address:
        assert preset.address_env


@ROWS
def test_a_row_speaks_of_what_there_is(preset: Preset) -> None:
    for speaks in (preset.speaks, *(speaks for _, speaks in preset.speaks_by_model)):
        for operation, dialects in speaks.items():
            assert dialects, operation
    assert preset.speaks
    names = [option.name for option in preset.options]
    assert len(names) == len(set(names))
    assert not {"features"} & set(names)
    assert preset.version_option in {"", *names}
    assert hash(preset) == hash(PRESETS[preset.name])


def test_names_are_told_apart() -> None:
    prefixes = [name for p in PRESETS.values() for name in (p.litellm_prefix, *p.litellm_aliases) if name]
    for values in (prefixes, [p.credential_env for p in PRESETS.values() if p.credential_env]):
        assert len(values) == len(set(values))


@pytest.mark.parametrize(
    ("model", "tokenizer"),
    [
        ("gpt-4o", "o200k_base"),
        ("gpt-4o-mini", "o200k_base_dear_pictures"),
        ("gpt-4.1-mini", "o200k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("ft:gpt-3.5-turbo:acme", "cl100k_base"),
        ("text-embedding-3-small", "cl100k_base"),
        ("o3", "o200k_base"),
        ("gpt-7", "o200k_base"),
    ],
)
def test_a_models_tokenizer_goes_by_its_name(model: str, tokenizer: str) -> None:
    assert preset_of("openai").tokenizer_of(model) == tokenizer


def test_where_a_tokenizer_is_unknown_none_is_named() -> None:
    assert preset_of("mistral").tokenizer_of("mistral-large-latest") == ""


def test_a_cap_goes_into_a_field_that_the_upstream_knows() -> None:
    assert preset_of("openai").cap_fields_of(Operation.CHAT)[0] == "max_completion_tokens"
    assert preset_of("openai").cap_fields_of(Operation.COMPLETION) == ("max_tokens",)
    assert preset_of("ollama").cap_fields_of(Operation.CHAT) == ("max_tokens",)


def test_an_unknown_kind_is_no_preset() -> None:
    assert preset_of("mock").name == "mock"
    with pytest.raises(KeyError):
        preset_of("nobody")
