"""Groups of deployments and the settings that hold for all become routes with their targets."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from gateway_project.configuration.declared import DeclaredPrice, DeclaredProvider, DeclaredRoute, DeclaredTarget
from gateway_project.configuration.litellm.models import SHARES, Deployment
from gateway_project.configuration.litellm.reasons import NOT_ENFORCED
from gateway_project.configuration.litellm.settings import Fallback, Policy
from gateway_project.configuration.litellm.values import Translation

_ATTEMPTS_USUAL = 3
_ATTEMPTS_MAX = 20
_WEIGHT_MAX = 2**31 - 1

_Group = Sequence[Deployment]


def declare_routes(
    translation: Translation, deployments: Sequence[Deployment], policy: Policy
) -> tuple[DeclaredRoute, ...]:
    """Return one route a name, with targets, fallbacks, aliases and attempts."""
    groups: dict[str, list[Deployment]] = {}
    for deployment in deployments:
        groups.setdefault(deployment.route, []).append(deployment)
    aliases = _aliases(translation, groups, policy)
    names = {name: name for name in groups} | {alias: name for name, found in aliases.items() for alias in found}
    chains = _chains(translation, policy, names)
    targets = {name: _targets(translation, group, policy) for name, group in groups.items()}
    return tuple(
        DeclaredRoute(
            name=name,
            at=group[0].at,
            values={
                "aliases": aliases[name],
                "fallbacks": chains[name],
                "max_attempts": _attempts(name, group, policy, targets, chains),
                **_drops(group, policy),
            },
            targets=targets[name],
        )
        for name, group in groups.items()
    )


def collect_providers(deployments: Sequence[Deployment]) -> tuple[DeclaredProvider, ...]:
    """Return each provider once."""
    found: dict[str, DeclaredProvider] = {}
    for deployment in deployments:
        found.setdefault(deployment.provider.slug, deployment.provider)
    return tuple(found.values())


def collect_prices(translation: Translation, deployments: Sequence[Deployment]) -> tuple[DeclaredPrice, ...]:
    """Return each price once; an entry that contradicts an earlier one is noted."""
    found: dict[tuple[str, str], DeclaredPrice] = {}
    for deployment in deployments:
        price = deployment.price
        if price is None:
            continue
        earlier = found.setdefault((price.vendor, price.model), price)
        if earlier.values != price.values:
            _retract(translation, deployment, f"a model of a vendor has one price, and {earlier.at} says another")
        elif "*" in price.model or not price.vendor:
            del found[price.vendor, price.model]
            _retract(translation, deployment, "a price is for one model of a known vendor")
    return tuple(found.values())


def _retract(translation: Translation, deployment: Deployment, why: str) -> None:
    for path, (_, reason) in list(translation.verdicts.items()):
        if path[: len(deployment.path)] == deployment.path and reason.startswith("price of the model"):
            translation.unsupported(path, why)


def _drops(group: _Group, policy: Policy) -> dict[str, bool]:
    """Return whether parameters may be dropped, where anybody says; an entry goes before what holds for all."""
    said = [policy.drop_params if deployment.drop_params is None else deployment.drop_params for deployment in group]
    return {} if set(said) == {None} else {"drop_params": any(said)}


def _targets(translation: Translation, group: _Group, policy: Policy) -> tuple[DeclaredTarget, ...]:
    targets: dict[tuple[str, str, int], DeclaredTarget] = {}
    weights = _weights(translation, group)
    for deployment, weight in zip(group, weights, strict=True):
        identity = (deployment.provider.slug, deployment.model, deployment.order)
        twin = targets.get(identity)
        if twin is not None:
            values = {**twin.values, "weight": twin.values["weight"] + weight}
            targets[identity] = replace(twin, values=values)
            continue
        values = {"weight": weight, **policy.timeouts, **deployment.values}
        targets[identity] = DeclaredTarget(
            deployment.provider.slug, deployment.model, deployment.at, deployment.order, values
        )
    return tuple(targets.values())


def _weights(translation: Translation, group: _Group) -> list[int]:
    """Return what LiteLLM would draw by: weight, else rpm, else tpm; alike where nobody says anything."""
    weights: dict[int, int] = {}
    for order in {deployment.order for deployment in group}:
        members = [index for index, deployment in enumerate(group) if deployment.order == order]
        stated = [name for name in SHARES if any(group[index].shares.get(name) for index in members)]
        used = stated[0] if stated else None
        shares = [group[index].shares.get(used or "", Decimal(0)) for index in members]
        _judge_rates(translation, [group[index] for index in members], used)
        weights |= zip(members, _whole(shares) if used else [1] * len(members), strict=True)
    return [weights[index] for index in range(len(group))]


def _whole(shares: Sequence[Decimal]) -> list[int]:
    factor = 1 if all(share == int(share) for share in shares) else 1000
    return [min(_WEIGHT_MAX, max(1, round(share * factor))) if share else 0 for share in shares]


def _judge_rates(translation: Translation, members: Sequence[Deployment], used: str | None) -> None:
    for deployment in members:
        for name in set(deployment.shares) - {"weight"}:
            path = (*deployment.path, "litellm_params", name)
            if name == used:
                translation.mapped(path, f"weight of the target, as LiteLLM draws by it; {NOT_ENFORCED}")
            else:
                translation.without_effect(path, f"{used} goes before it; {NOT_ENFORCED}" if used else NOT_ENFORCED)


def _aliases(translation: Translation, groups: dict[str, list[Deployment]], policy: Policy) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in groups}
    taken = set(groups)
    for alias in policy.aliases:
        if alias.route not in groups:
            translation.unsupported(alias.path, f"no route is called {alias.route}")
        elif alias.alias in taken:
            translation.unsupported(alias.path, "a route has that name already")
        else:
            taken.add(alias.alias)
            found[alias.route].append(alias.alias)
            translation.mapped(alias.path, f"alias of the route {alias.route}")
    return found


def _chains(translation: Translation, policy: Policy, names: Mapping[str, str]) -> dict[str, list[str]]:
    """Return each route's fallbacks; `names` leads from every name and alias to its route."""
    for name in policy.fallbacks.keys() - names.keys():
        for fallback in policy.fallbacks[name]:
            translation.without_effect(fallback.path, f"no route of this file has the name {name}")
    everyones = _resolve(translation, policy.default_fallbacks, names)
    chains: dict[str, list[str]] = {name: [] for name in names.values()}
    for name, fallbacks in policy.fallbacks.items():
        if name in names:
            chains[names[name]] += _resolve(translation, fallbacks, names)
    return {
        name: [fallback for fallback in dict.fromkeys(chain or everyones) if fallback != name]
        for name, chain in chains.items()
    }


def _resolve(translation: Translation, chain: Sequence[Fallback], names: Mapping[str, str]) -> list[str]:
    found = []
    for fallback in chain:
        route = names.get(fallback.name)
        if route is None:
            translation.unsupported(fallback.path, f"no route is called {fallback.name}; it is left out")
        elif "*" in route:
            translation.unsupported(fallback.path, "a wildcard is no fallback; it is left out")
        else:
            found.append(route)
    return found


def _attempts(
    name: str,
    group: _Group,
    policy: Policy,
    targets: dict[str, tuple[DeclaredTarget, ...]],
    chains: dict[str, list[str]],
) -> int:
    """Return one more than the retries, and no less than it takes to try every target once."""
    own = [deployment.retries for deployment in group if deployment.retries is not None]
    retries = max(own) if own else policy.retries
    wanted = _ATTEMPTS_USUAL if retries is None else retries + 1
    reachable = sum(len(targets.get(route, ())) or 1 for route in chains[name]) + len(targets[name])
    return min(max(wanted, reachable), _ATTEMPTS_MAX)
