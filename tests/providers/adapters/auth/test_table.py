"""Every way to sign in that a preset names is there, but for those that an adapter sees to itself."""

from providers.adapters.auth.table import FETCHES, build_authenticators
from providers.presets import PRESETS

SIGNED_BY_ADAPTER = {"aws"}


def test_every_way_is_there() -> None:
    wanted = {preset.auth for preset in PRESETS.values()}
    wanted |= {
        choice
        for preset in PRESETS.values()
        for option in preset.options
        if option.name == "auth"
        for choice in option.choices
    }
    assert wanted - SIGNED_BY_ADAPTER == build_authenticators().keys()


def test_each_adapter_remembers_for_itself() -> None:
    first, second = build_authenticators(), build_authenticators()
    assert all(first[name] is not second[name] for name in FETCHES)
