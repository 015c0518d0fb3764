"""Options of providers and targets."""

from typing import Any

import pytest

from providers.capabilities import NO_CHANGES, FeatureChanges
from providers.dialects.canonical import Feature
from providers.options import (
    OptionsBroken,
    check_options,
    check_target_options,
    merge_options,
    read_feature_changes,
)
from providers.presets import PRESETS


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("openai", {}),
        ("vertex", {"project": "p"}),
        ("vertex", {"project": "p", "location": ""}),
        ("azure", {"surface": "v1", "auth": "entra"}),
        ("bedrock", {"region": "us-east-1"}),
    ],
)
def test_what_fits(kind: str, options: dict[str, str]) -> None:
    check_options(PRESETS[kind], options)


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("openai", {"region": "x"}, "no option of OpenAI is called 'region'"),
        ("vertex", {"project": "p", "region": "x"}, "there are project, location"),
        ("vertex", {}, "needs project"),
        ("vertex", {"project": ""}, "needs project"),
        ("azure", {"surface": "v2"}, "surface is one of v1, deployments, not 'v2'"),
        ("azure", {"surface": 1}, "names and texts"),
        ("azure", ["v1"], "names and texts"),
        ("azure", None, "names and texts"),
    ],
)
def test_what_does_not_fit(kind: str, options: Any, words: str) -> None:
    with pytest.raises(OptionsBroken, match=words):
        check_options(PRESETS[kind], options)


def test_a_target_says_only_what_differs() -> None:
    check_target_options(PRESETS["vertex"], {})
    check_target_options(PRESETS["vertex"], {"location": "eu", "features": {"remove": ["images"]}})
    with pytest.raises(OptionsBroken, match="is called 'auth' here; there are surface, api_version"):
        check_target_options(PRESETS["azure"], {"auth": "entra"})


def test_a_targets_options_go_over_its_providers() -> None:
    own = {"project": "p", "location": "us", "api_version": ""}
    over = {"location": "eu", "project": "", "features": {"add": ["seed"]}}
    assert merge_options(own, over) == {"project": "p", "location": "eu"}


def test_features_are_added_and_removed() -> None:
    assert read_feature_changes({}) == NO_CHANGES
    assert read_feature_changes({"features": {"add": ["seed"], "remove": ["images", "video"]}}) == FeatureChanges(
        added=frozenset({Feature.SEED}), removed=frozenset({Feature.IMAGES, Feature.VIDEO})
    )


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ("seed", "features are"),
        ({"plus": []}, "features are"),
        ({"add": "seed"}, "listed by name"),
        ({"add": ["sight"]}, "no feature is called 'sight'; there are streaming"),
        ({"add": [1]}, "no feature is called '1'"),
    ],
)
def test_features_that_are_none(features: Any, words: str) -> None:
    with pytest.raises(OptionsBroken, match=words):
        check_target_options(PRESETS["openai"], {"features": features})
