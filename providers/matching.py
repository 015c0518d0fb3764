"""Which price-list entry a model's name means: rules as JSON, evaluated by a few pure lines.

The rules are those of the bundled price list: `{"equals": …}`, `{"starts_with": …}`, `{"ends_with": …}`,
`{"contains": …}`, `{"regex": …}`, `{"or": [...]}`, `{"and": [...]}`. Case does not count, regular expressions are
searched for in the lower-case name.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, TypeAlias

Rule: TypeAlias = dict[str, Any]

_COMPACT_DATE = re.compile(r"-(20\d{2})(\d{2})(\d{2})(?=-|:|$)")
_TEXT_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "equals": str.__eq__,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": str.__contains__,
}


class RuleBroken(ValueError):
    """A rule that is not of the form above."""


def check_rule(rule: Any) -> Rule:
    """Return the rule if it can be evaluated. Raises RuleBroken."""
    if not isinstance(rule, dict) or len(rule) != 1:
        raise RuleBroken(f"a rule is an object with one key, not {rule!r}")
    (key, value), *_ = rule.items()
    if key in {"or", "and"} and isinstance(value, list):
        for part in value:
            check_rule(part)
    elif key not in _TEXT_TESTS and key != "regex":
        raise RuleBroken(f"a rule has no {key!r}")
    elif not isinstance(value, str):
        raise RuleBroken(f"{key!r} is a text, not {value!r}")
    elif key == "regex":
        _check_regex(value)
    return rule


def matches(rule: Rule, name: str) -> bool:
    """Tell whether a rule fits a name. Both the rule's texts and the name are lower-cased."""
    return _matches(rule, name.lower())


def find_match(name: str, rules: Iterable[tuple[str, Rule]]) -> str | None:
    """Return the first entry whose rule fits the name; where none does, the same for its date written with dashes.

    Some gateways write `gpt-5.2-20251211` for what the vendor calls `gpt-5.2-2025-12-11`.
    """
    rules = list(rules)
    lower = name.lower()
    dashed = _COMPACT_DATE.sub(_dash, lower)
    for spelling in dict.fromkeys((lower, dashed)):
        for entry, rule in rules:
            if _matches(rule, spelling):
                return entry
    return None


def _matches(rule: Rule, name: str) -> bool:
    for key, value in rule.items():
        if key == "or":
            return any(_matches(part, name) for part in value)
        if key == "and":
            return all(_matches(part, name) for part in value)
        if key == "regex":
            return re.search(value, name) is not None
        return _TEXT_TESTS[key](name, value.lower())
    return False


def _check_regex(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise RuleBroken(f"{pattern!r} is no regular expression: {error}") from error


def _dash(found: re.Match[str]) -> str:
    try:
        return f"-{date(*map(int, found.groups())).isoformat()}"
    except ValueError:
        return found.group(0)
