"""What LiteLLM lets callers spend and how fast they may call, all together or each: budgets and limits of ours.

LiteLLM keeps keys, users and teams in its database; a file only has what new ones get. Here that is one rule that holds
for each of them, those made before included.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway_project.configuration.declared import DeclaredBudget, DeclaredLimit
from gateway_project.configuration.document import Mark, Node
from gateway_project.configuration.litellm.durations import Duration, read_duration
from gateway_project.configuration.litellm.sections import Sections
from gateway_project.configuration.litellm.values import Translation, reference_of
from kernel.money import usd_to_nanos

_LIBRARY = "litellm_settings"
_LARGEST_USD = 10**9
_ZONE = (_LIBRARY, "timezone")
_UTC = "UTC"
Steps = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Callers:
    """Some callers: what rules about them are called, how they count, and where LiteLLM says something of them.

    Of several places, the first that says something counts.
    """

    name: str
    per: str
    defaults: tuple[Steps, ...] = ()
    budgets: tuple[Steps, ...] = ()
    durations: tuple[Steps, ...] = ()

    def places(self, name: str, others: tuple[Steps, ...] = ()) -> tuple[Steps, ...]:
        """Return where a setting of that name may stand."""
        return (*((*path, name) for path in self.defaults), *others)


_EVERYONE = _Callers(
    "all calls",
    "",
    budgets=((_LIBRARY, "max_budget"),),
    durations=((_LIBRARY, "budget_duration"),),
)
_EACH = (
    _Callers(
        "each key", "key", ((_LIBRARY, "default_key_generate_params"), (_LIBRARY, "upperbound_key_generate_params"))
    ),
    _Callers(
        "each user",
        "user",
        ((_LIBRARY, "default_internal_user_params"),),
        budgets=((_LIBRARY, "max_internal_user_budget"),),
        durations=((_LIBRARY, "internal_user_budget_duration"),),
    ),
    _Callers("each tenant", "tenant", ((_LIBRARY, "default_team_params"),)),
)
_RATES = {
    "rpm_limit": {"measure": "requests", "span": "minute"},
    "tpm_limit": {"measure": "tokens", "span": "minute"},
    "max_parallel_requests": {"measure": "parallel_calls", "span": ""},
}
WORDS = {"requests": "requests a minute", "tokens": "tokens a minute", "parallel_calls": "calls at once"}


def read_budgets(sections: Sections) -> tuple[DeclaredBudget, ...]:
    """Return the budgets of all callers together and of each, and note what became of the settings."""
    zone = _time_zone(sections)
    found = [_budget(sections, callers, zone) for callers in (_EVERYONE, *_EACH)]
    budgets = tuple(budget for budget in found if budget is not None)
    if sections.value(*_ZONE) is not None and not any("time_zone" in budget.values for budget in budgets):
        sections.translation.without_effect(_ZONE, "no budget of this file goes by the calendar")
    return budgets


def read_caller_limits(sections: Sections) -> tuple[DeclaredLimit, ...]:
    """Return the limits of all callers together and of each, and note what became of the settings."""
    return (*_all_at_once(sections), *(limit for callers in _EACH for limit in _limits(sections, callers)))


def whole(translation: Translation, node: Node | None) -> int | None:
    """Return a whole number from 0 up; None where there is none. A fault becomes a problem."""
    value = None if _is_unset(translation, node) else translation.number(node)
    if node is None or value is None:
        return None
    if value > 10**15 or value != int(value):
        translation.complain(node.at, "a whole number of at most fifteen digits is wanted here")
        return None
    return int(value)


def _is_unset(translation: Translation, node: Node | None) -> bool:
    """Tell whether a value is one that the environment lacks; a rule is not dropped for that, so it is a problem."""
    name = reference_of(node)
    if node is None or name is None or name in translation.environ:
        return False
    translation.complain(node.at, f"the environment has no {name}")
    return True


def _budget(sections: Sections, callers: _Callers, zone: str) -> DeclaredBudget | None:
    translation = sections.translation
    why = f"budget of {_who(callers)}"
    node, path = sections.pick(*callers.places("max_budget", callers.budgets), why=why)
    lasting, lasting_path = sections.pick(
        *callers.places("budget_duration", callers.durations), why=f"window of the budget of {callers.name}"
    )
    limit_nanos = _nanos(translation, node)
    if node is None or limit_nanos is None:
        if lasting is not None:
            translation.without_effect(lasting_path, "there is no budget to go with it")
        return None
    if limit_nanos == 0 and callers is _EVERYONE:
        for place in filter(None, (path, lasting_path)):
            translation.without_effect(place, "LiteLLM takes a max_budget of 0 for none")
        return None
    if _is_unset(translation, lasting):
        return None
    duration = read_duration(translation.text(lasting))
    if isinstance(duration, str):
        translation.unsupported(path, f"its budget_duration has no window here: {duration}")
        translation.unsupported(lasting_path, duration)
        return None
    translation.mapped(path, f"{why}: {duration.words}")
    values = {"limit_nanos": limit_nanos, "per": callers.per, **_window(duration, zone)}
    return DeclaredBudget(f"imported: {callers.name}", node.at, values=values)


def _window(duration: Duration, zone: str) -> dict[str, Any]:
    stated = {"period": duration.period, "length": duration.length}
    return {**stated, "time_zone": zone} if duration.in_calendar else stated


def _nanos(translation: Translation, node: Node | None) -> int | None:
    usd = None if _is_unset(translation, node) else translation.number(node)
    if node is None or usd is None:
        return None
    if usd > _LARGEST_USD:
        translation.complain(node.at, "a billion dollars is the most")
        return None
    return usd_to_nanos(usd)


def _who(callers: _Callers) -> str:
    return f"{callers.name}, the master key included" if callers.per == "key" else callers.name


def _time_zone(sections: Sections) -> str:
    """Return where LiteLLM's budgets begin their days: in UTC where nothing, or nothing sensible, is said."""
    node, _ = sections.pick(_ZONE, why="time zone of the budgets")
    name = sections.translation.text(node)
    if name is None:
        return _UTC
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        sections.translation.unsupported(_ZONE, "no time zone has this name: UTC, as in LiteLLM")
        return _UTC
    return name


def _all_at_once(sections: Sections) -> Iterator[DeclaredLimit]:
    path = ("general_settings", "global_max_parallel_requests")
    node = sections.value(*path)
    value = whole(sections.translation, node)
    if node is not None and value is not None:
        sections.translation.mapped(path, "limit of all calls: calls at once, over all workers together")
        yield declare_limit("all calls", {"measure": "parallel_calls", "span": ""}, value, node.at)


def _limits(sections: Sections, callers: _Callers) -> Iterator[DeclaredLimit]:
    for name, values in _RATES.items():
        words = WORDS[values["measure"]]
        why = f"limit of {_who(callers)}: {words}"
        node, _ = sections.pick(*callers.places(name), why=why)
        value = whole(sections.translation, node)
        if node is not None and value is not None:
            yield declare_limit(callers.name, {**values, "per": callers.per}, value, node.at)


def declare_limit(whose: str, values: dict[str, Any], value: int, at: Mark) -> DeclaredLimit:
    """Return a limit named by whose calls it is about and by what it counts."""
    return DeclaredLimit(f"imported: {whose}, {WORDS[values['measure']]}", at, values={**values, "value": value})
