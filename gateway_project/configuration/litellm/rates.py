"""What LiteLLM's entries say of rates and of calls at once: limits of their routes and providers.

LiteLLM counts each entry for itself. Here a limit holds for a route or a provider, so an entry's number is taken where
that says the same, or the sum of a route's entries where each states one; otherwise it is reported.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from gateway_project.configuration.declared import DeclaredCalls, DeclaredLimit
from gateway_project.configuration.document import Items, Mapping, Mark, Node
from gateway_project.configuration.litellm.callers import WORDS, declare_limit, whole
from gateway_project.configuration.litellm.models import Deployment
from gateway_project.configuration.litellm.reasons import NOT_ENFORCED
from gateway_project.configuration.litellm.sections import Sections
from gateway_project.configuration.litellm.values import Path, Translation, is_null, texts_of

_CHECKS = ("router_settings", "optional_pre_call_checks")
_ENFORCE = "enforce_model_rate_limits"
# These strategies send nothing to an entry that has reached its rpm or tpm, whatever is checked besides.
_ENFORCING_STRATEGIES = frozenset({"usage-based-routing", "usage-based-routing-v2"})
_MEASURES = {"rpm": "requests", "tpm": "tokens"}
_KEY_RATES = {"default_api_key_rpm_limit": "requests", "default_api_key_tpm_limit": "tokens"}
_AT_ONCE = "max_parallel_requests"
_AT_ONCE_USUALLY = (("router_settings", "default_max_parallel_requests"), ("general_settings", _AT_ONCE))
_NAME_MAX = 80

_Group = Sequence[Deployment]


def read_entry_limits(sections: Sections, deployments: _Group) -> tuple[DeclaredLimit, ...]:
    """Return the limits that follow from the entries of the list, and note what became of their settings."""
    groups: dict[str, list[Deployment]] = {}
    for deployment in deployments:
        groups.setdefault(deployment.route, []).append(deployment)
    enforced = _is_enforced(sections)
    whole_routes: list[DeclaredLimit] = []
    each_key: list[DeclaredLimit] = []
    for route, group in groups.items():
        if group[0].path[-1] == "*":
            _leave_out(sections, group)
            continue
        whole_routes += _route_limits(sections, route, group, enforced=enforced)
        each_key += _key_limits(sections, route, group)
    _judge_enforcement(sections, whole_routes)
    return (*whole_routes, *each_key, *_provider_limits(sections, deployments))


def _is_enforced(sections: Sections) -> bool:
    strategy = sections.translation.text(sections.value("router_settings", "routing_strategy"))
    checks = {item.text for _, item in texts_of(sections.value(*_CHECKS))}
    return _ENFORCE in checks or strategy in _ENFORCING_STRATEGIES


def _judge_enforcement(sections: Sections, found: Sequence[DeclaredLimit]) -> None:
    for index, item in texts_of(sections.value(*_CHECKS)):
        if item.text == _ENFORCE and found:
            sections.translation.mapped((*_CHECKS, index), "the rpm and tpm of entries are limits of their routes")
        elif item.text == _ENFORCE:
            sections.translation.without_effect((*_CHECKS, index), "no entry's rpm or tpm became a limit")


def _route_limits(sections: Sections, route: str, group: _Group, *, enforced: bool) -> Iterator[DeclaredLimit]:
    translation = sections.translation
    in_use = [member for member in group if enforced and member.values.get("enabled", True)]
    for name, measure in _MEASURES.items():
        _set_aside(sections, [member for member in group if member not in in_use], name)
        stated = [found for found in (_stated(sections, member, name) for member in in_use) if found]
        paths = [path for found in stated for path, _ in found]
        numbers = [whole(translation, found[0][1]) for found in stated]
        if numbers and len(numbers) < len(in_use):
            why = f"a limit holds for a whole route, and another entry of {route} states none"
            _note_unsupported(translation, paths, why)
        elif numbers:
            value = sum(number for number in numbers if number is not None)
            why = f"limit of the route {route}: {value} {WORDS[measure]} over all its entries"
            _note_limit(translation, paths, why)
            yield _for_route(route, {"measure": measure, "span": "minute"}, value, group[0].at)


def _stated(sections: Sections, deployment: Deployment, name: str) -> list[tuple[Path, Node]]:
    """Return where an entry states a rate, in the order in which LiteLLM looks for it."""
    item = _item(sections, deployment)
    found: list[tuple[Path, Node]] = []
    for inside in ((), ("litellm_params",), ("model_info",)):
        section: Node | None = item.get(inside[0]) if inside else item
        node = section.get(name) if isinstance(section, Mapping) else None
        if node is not None and not is_null(node):
            found.append(((*deployment.path, *inside, name), node))
    return found


def _set_aside(sections: Sections, group: _Group, name: str) -> None:
    """Note rates that are no limit; those among the parameters were judged with the weights."""
    for deployment in group:
        for path, _ in _stated(sections, deployment, name):
            if path not in sections.translation.verdicts:
                why = NOT_ENFORCED if deployment.values.get("enabled", True) else "its target is not enabled"
                sections.translation.without_effect(path, why)


def _note_limit(translation: Translation, paths: Sequence[Path], why: str) -> None:
    for path in paths:
        _, earlier = translation.verdicts.get(path, (None, ""))
        translation.mapped(path, f"{why}, and weight of the target" if earlier.startswith("weight") else why)


def _key_limits(sections: Sections, route: str, group: _Group) -> Iterator[DeclaredLimit]:
    for name, measure in _KEY_RATES.items():
        stated = [(member, _param(sections, member, name)) for member in group]
        numbers = []
        for member, node in stated:
            number = whole(sections.translation, node)
            if number is not None:
                numbers.append(number)
                why = f"limit of each key on the route {route}: {WORDS[measure]}, the least of its entries"
                sections.translation.mapped((*member.path, "litellm_params", name), why)
        if numbers:
            values = {"measure": measure, "span": "minute", "per": "key"}
            yield _for_route(route, values, min(numbers), group[0].at, each=" for each key")


def _provider_limits(sections: Sections, deployments: _Group) -> Iterator[DeclaredLimit]:
    uses = Counter(deployment.provider.slug for deployment in deployments)
    usual, usual_path = sections.pick(*_AT_ONCE_USUALLY, why="")
    usual_value = whole(sections.translation, usual)
    limited = []
    for deployment in deployments:
        own = _param(sections, deployment, _AT_ONCE)
        slug, alone = deployment.provider.slug, uses[deployment.provider.slug] == 1
        if deployment.path[-1] == "*":
            continue
        if own is not None:
            _judge_at_once(sections.translation, deployment, alone=alone)
            value = whole(sections.translation, own)
        else:
            # LiteLLM lets an entry's rpm or tpm say it where the entry has one.
            value = None if deployment.shares.keys() & _MEASURES.keys() else usual_value
        if value is not None and alone:
            limited += [slug] if own is None else []
            values = {"measure": "provider_calls", "span": "", "value": value}
            yield DeclaredLimit(f"imported: {slug}, calls at once", deployment.at, provider=slug, values=values)
    if usual is not None:
        _judge_usual(sections.translation, usual_path, limited)


def _judge_at_once(translation: Translation, deployment: Deployment, *, alone: bool) -> None:
    path, slug = (*deployment.path, "litellm_params", _AT_ONCE), deployment.provider.slug
    if alone:
        why = f"limit of the provider {slug}: what is more goes elsewhere or is refused, where LiteLLM lets it wait"
        translation.mapped(path, why)
    else:
        why = f"calls at once are limited for a whole provider, and other entries use {slug} too"
        translation.unsupported(path, why)


def _judge_usual(translation: Translation, path: Path, limited: Sequence[str]) -> None:
    if limited:
        translation.mapped(path, f"limit of each provider that one entry alone uses: {', '.join(limited)}")
    else:
        translation.unsupported(path, "calls at once are limited for a whole provider, and none has one entry alone")


def _leave_out(sections: Sections, group: _Group) -> None:
    for deployment in group:
        entry = replace(deployment, path=deployment.path[:-1])
        paths = [path for name in _MEASURES for path, _ in _stated(sections, entry, name)]
        paths += [
            (*entry.path, "litellm_params", name)
            for name in (*_KEY_RATES, _AT_ONCE)
            if _param(sections, entry, name) is not None
        ]
        _note_unsupported(sections.translation, paths, "this entry became several routes; declare a limit for each")


def _note_unsupported(translation: Translation, paths: Sequence[Path], why: str) -> None:
    for path in paths:
        translation.unsupported(path, why)


def _item(sections: Sections, deployment: Deployment) -> Mapping:
    """Return the entry that a deployment was read from."""
    listed, index = sections.value("model_list"), deployment.path[1]
    assert isinstance(listed, Items)
    assert isinstance(index, int)
    item = listed.nodes[index]
    assert isinstance(item, Mapping)
    return item


def _param(sections: Sections, deployment: Deployment, name: str) -> Node | None:
    params = _item(sections, deployment).get("litellm_params")
    node = params.get(name) if isinstance(params, Mapping) else None
    return None if is_null(node) else node


def _for_route(route: str, values: dict[str, Any], value: int, at: Mark, *, each: str = "") -> DeclaredLimit:
    limit = declare_limit(f"{_shorten(route)}{each}", values, value, at)
    return replace(limit, calls=DeclaredCalls(route=route))


def _shorten(route: str) -> str:
    """Return a route's name, cut and told apart where a rule's name has no room for it."""
    if len(route) <= _NAME_MAX:
        return route
    return f"{route[:60]}… {hashlib.sha256(route.encode()).hexdigest()[:8]}"
