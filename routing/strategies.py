"""In which order a call tries a route's targets."""

import random
from collections.abc import Sequence

from routing.snapshot import Route, Target


def rank(route: Route, chance: random.Random) -> list[Target]:
    """Return every target in the order of trying: group after group, inside a group drawn by weight.

    A target of weight 0 never goes first; it stands behind the others of its group.
    """
    if len(route.groups) == 1 and len(route.groups[0]) == 1:
        return [route.groups[0][0]]
    return [target for group in route.groups for target in _draw(group, chance)]


def explain(route: Route, target: Target) -> str:
    """Say in a few words why a target was the first choice."""
    for number, group in enumerate(route.groups, start=1):
        if target in group:
            total = sum(member.weight for member in group)
            if len(group) == 1:
                return f"only target of group {number}"
            return f"drawn from group {number} with weight {target.weight} of {total}"
    return ""


def _draw(group: Sequence[Target], chance: random.Random) -> list[Target]:
    left = [target for target in group if target.weight > 0]
    drawn = []
    while len(left) > 1:
        [target] = chance.choices(left, weights=[member.weight for member in left])
        left.remove(target)
        drawn.append(target)
    return [*drawn, *left, *(target for target in group if target.weight == 0)]
