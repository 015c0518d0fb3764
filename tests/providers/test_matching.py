"""Which entry a model's name means; the bundled list's own matcher is the oracle."""

import pytest
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from providers.catalogs.bundled import to_rule
from providers.matching import RuleBroken, check_rule, find_match, matches

MODELS = [model for provider in get_snapshot().providers for model in provider.models]
NAMES = [model.id for model in MODELS]


@pytest.mark.parametrize(
    ("rule", "fits", "differs"),
    [
        ({"equals": "GPT-4o"}, "gpt-4O", "gpt-4o-mini"),
        ({"starts_with": "gpt-4o"}, "GPT-4o-mini", "a-gpt-4o"),
        ({"ends_with": ":free"}, "x:FREE", "x:free-2"),
        ({"contains": "sonnet"}, "claude-Sonnet-4", "claude-opus"),
        ({"regex": "^o[13]$"}, "O3", "o3-mini"),
        ({"or": [{"equals": "a"}, {"equals": "b"}]}, "b", "c"),
        ({"and": [{"starts_with": "a"}, {"ends_with": "z"}]}, "a-z", "a-y"),
    ],
)
def test_each_kind_of_rule(rule: dict[str, object], fits: str, differs: str) -> None:
    assert matches(check_rule(rule), fits)
    assert not matches(rule, differs)


@given(st.sampled_from(MODELS), st.sampled_from(NAMES), st.sampled_from(["", "-2025-08-07", "-latest", ":free"]))
def test_bundled_rules_mean_what_the_bundled_matcher_means(model: object, name: str, suffix: str) -> None:
    rule = check_rule(to_rule(model.match))  # type: ignore[attr-defined]
    for spelling in (name + suffix, model.id + suffix):  # type: ignore[attr-defined]
        assert matches(rule, spelling) == model.is_match(spelling)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "provider", [found for found in get_snapshot().providers if found.models], ids=lambda found: str(found.id)
)
def test_the_same_entry_is_found_as_in_the_bundled_list(provider: object) -> None:
    rules = [(model.id, to_rule(model.match)) for model in provider.models]  # type: ignore[attr-defined]
    for name in [entry for entry, _ in rules][:40]:
        for spelling in (name, name.upper(), f"{name}-20251211"):
            found = provider.find_model(spelling)  # type: ignore[attr-defined]
            assert find_match(spelling, rules) == (found and found.id)


def test_a_compact_date_is_tried_with_dashes_only_if_it_is_a_date() -> None:
    rules = [("dashed", {"equals": "m-2025-12-11"}), ("odd", {"equals": "m-2025-13-11"})]
    assert find_match("m-20251211", rules) == "dashed"
    assert find_match("m-20251311", rules) is None


@pytest.mark.parametrize(
    "rule",
    [[], {}, {"equals": 1}, {"equals": "a", "contains": "b"}, {"like": "a"}, {"or": "a"}, {"or": [{}]}, {"regex": "("}],
)
def test_what_is_no_rule_is_refused(rule: object) -> None:
    with pytest.raises(RuleBroken):
        check_rule(rule)
