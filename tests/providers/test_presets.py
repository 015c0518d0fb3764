"""Every row of the table is whole."""

import pytest

from providers.adapters.http import Origin
from providers.adapters.table import ADAPTERS
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
        assert prefix or origin.host.startswith("api.")
    if preset.credential_env:
        assert preset.credential_env.endswith("_API_KEY")
        assert preset.base_url


def test_names_are_told_apart() -> None:
    for field in ("credential_env", "litellm_prefix"):
        values = [value for preset in PRESETS.values() if (value := getattr(preset, field))]
        assert len(values) == len(set(values))


def test_an_unknown_kind_is_no_preset() -> None:
    assert preset_of("mock").name == "mock"
    with pytest.raises(KeyError):
        preset_of("nobody")
