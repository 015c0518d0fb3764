"""What models can do, by kind and name."""

import pytest

from providers.capabilities import ABLE_TO_ALL, FAMILIES, NO_CHANGES, FeatureChanges, capabilities_of, revise
from providers.dialects.canonical import Feature
from providers.presets import PRESETS


def test_families_belong_to_kinds_and_end_with_a_row_for_all() -> None:
    assert FAMILIES.keys() <= PRESETS.keys()
    for families in FAMILIES.values():
        assert families[-1].pattern == "*"
        for family in families:
            assert [row.pattern for row in family.rows].count("*") == 1
            assert family.rows[-1].pattern == "*"
            assert len({row.pattern for row in family.rows}) == len(family.rows)


@pytest.mark.parametrize("kind", ["openai_compatible", "mock", "vllm", "nobody"])
def test_what_is_of_no_family_can_do_anything(kind: str) -> None:
    assert capabilities_of(kind, "x") is ABLE_TO_ALL
    assert set(Feature) - ABLE_TO_ALL.features == {Feature.SIGNED_THINKING}


def test_the_operator_knows_better() -> None:
    known = capabilities_of("openai", "gpt-4o")
    changes = FeatureChanges(added=frozenset({Feature.AUDIO}), removed=frozenset({Feature.IMAGES}))
    revised = revise(known, changes, max_output_tokens=100)
    assert revised.features == (known.features | {Feature.AUDIO}) - {Feature.IMAGES}
    assert revised.max_output_tokens == 100
    assert revise(known, NO_CHANGES, max_output_tokens=None) == known
