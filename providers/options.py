"""What a provider or a target says besides address and credential, checked against what its kind wants to know.

A provider's options are names and texts. A target's may say some of them anew, and under `features` what its model can
or can't do other than `providers.capabilities` knows.
"""

from collections.abc import Mapping
from typing import Any

from providers.capabilities import NO_CHANGES, FeatureChanges
from providers.dialects.canonical import Feature
from providers.preset import Option, Preset

FEATURES = "features"


class OptionsBroken(ValueError):
    """Options that a kind of provider doesn't have, or lacks."""


def check_options(preset: Preset, options: Any) -> None:
    """Raise OptionsBroken unless a provider of this kind can have these options, and has what it has to."""
    _check_texts(preset, options, {option.name: option for option in preset.options})
    missing = [option.name for option in preset.options if option.required and not options.get(option.name)]
    if missing:
        raise OptionsBroken(f"a provider of this kind needs {' and '.join(missing)}")


def check_target_options(preset: Preset, options: Any) -> None:
    """Raise OptionsBroken unless a target of such a provider can have these options."""
    read_feature_changes(options)
    texts = {name: value for name, value in options.items() if name != FEATURES}
    _check_texts(preset, texts, {option.name: option for option in preset.options if option.per_target})


def merge_options(own: Mapping[str, str], targets: Mapping[str, Any]) -> dict[str, str]:
    """Return a provider's options with those of a target over them, without the empty ones."""
    merged = {**own, **{name: value for name, value in targets.items() if name != FEATURES and value}}
    return {name: value for name, value in merged.items() if value}


def read_feature_changes(options: Any) -> FeatureChanges:
    """Return what a target's options add to and take from its model's features. Raises OptionsBroken."""
    if not isinstance(options, dict):
        raise OptionsBroken("options are an object of names and texts")
    changes = options.get(FEATURES)
    if changes is None:
        return NO_CHANGES
    if not isinstance(changes, dict) or not changes.keys() <= {"add", "remove"}:
        raise OptionsBroken('features are {"add": […], "remove": […]}')
    return FeatureChanges(added=_read_features(changes.get("add")), removed=_read_features(changes.get("remove")))


def _read_features(names: Any) -> frozenset[Feature]:
    known = {str(feature): feature for feature in Feature}
    if not isinstance(names or [], list):
        raise OptionsBroken("features are listed by name")
    unknown = [str(name) for name in names or () if not isinstance(name, str) or name not in known]
    if unknown:
        raise OptionsBroken(f"no feature is called {unknown[0]!r}; there are {', '.join(known)}")
    return frozenset(known[name] for name in names or ())


def _check_texts(preset: Preset, options: Any, known: Mapping[str, Option]) -> None:
    if not isinstance(options, dict) or not all(isinstance(value, str) for value in options.values()):
        raise OptionsBroken("options are an object of names and texts")
    for name, value in options.items():
        if name not in known:
            choices = f"; there are {', '.join(known)}" if known else ""
            raise OptionsBroken(f"no option of {preset.title or preset.name} is called {name!r} here{choices}")
        choices_of = known[name].choices
        if value and choices_of and value not in choices_of:
            raise OptionsBroken(f"{name} is one of {', '.join(choices_of)}, not {value!r}")
