"""Every target stands once in the order of trying, groups in order, weights by chance."""

import random

from hypothesis import given
from hypothesis import strategies as st

from routing import strategies
from tests.builders import route, target


@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=4), min_size=1, max_size=3), st.integers())
def test_each_target_stands_once_and_groups_stay_in_order(weights: list[list[int]], seed: int) -> None:
    groups = tuple(
        tuple(target(f"p{g}", f"m{n}", weight=weight) for n, weight in enumerate(group))
        for g, group in enumerate(weights)
    )
    ranked = strategies.rank(route(*groups), random.Random(seed))
    assert sorted(t.name for t in ranked) == sorted(t.name for group in groups for t in group)
    assert [t.connection.slug for t in ranked] == [t.connection.slug for group in groups for t in group]


def test_weights_are_shares() -> None:
    heavy, light = target("a", weight=3), target("b", weight=1)
    chance = random.Random(1)
    first = [strategies.rank(route((heavy, light)), chance)[0] for _ in range(4000)]
    assert 2850 < first.count(heavy) < 3150


def test_weight_zero_never_goes_first() -> None:
    never, always = target("a", weight=0), target("b", weight=1)
    chance = random.Random(1)
    assert {tuple(strategies.rank(route((never, always)), chance)) for _ in range(100)} == {(always, never)}


def test_the_choice_is_explained() -> None:
    first, second = target("a", weight=3), target("b", weight=1)
    assert strategies.explain(route((first, second)), first) == "drawn from group 1 with weight 3 of 4"
    assert strategies.explain(route((first,), (second,)), second) == "only target of group 2"
