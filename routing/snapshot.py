"""The configuration as the data plane reads it: one frozen object, replaced whole when anything changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from kernel.errors import RouteUnknown
from providers.adapters.connection import Connection
from providers.adapters.http import Timeouts
from providers.capabilities import ABLE_TO_ALL, NO_CHANGES, FeatureChanges, capabilities_of, revise
from providers.dialects.canonical import Capabilities
from providers.prices import Price, PriceBook
from usage.policy import Policy

NAMES_SHOWN_MAX = 12
NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Target:
    """One configured upstream model, ready to be called. `configured_model` still has the `*` that `model` filled.

    `options` are the provider's with the target's over them; `feature_changes` is what the operator knows better about
    the model's `capabilities`, in which it is already counted.
    """

    name: str
    connection: Connection
    model: str
    configured_model: str
    weight: int
    timeouts: Timeouts
    max_output_tokens: int | None = None
    options: Mapping[str, str] = field(default_factory=lambda: NO_OPTIONS, hash=False)
    capabilities: Capabilities = ABLE_TO_ALL
    feature_changes: FeatureChanges = NO_CHANGES


@dataclass(frozen=True, slots=True)
class Route:
    """A name clients ask for; `groups` are tried in order, targets inside one by weight.

    `configured_name` still has the `*` that `name` filled: there are only so many of those. With `drop_params` calls
    are made without what a target can't express; otherwise they are refused.
    """

    name: str
    configured_name: str
    groups: tuple[tuple[Target, ...], ...]
    max_attempts: int
    created_at_s: int
    default_max_output_tokens: int | None = None
    drop_params: bool = False


@dataclass(frozen=True, slots=True)
class Wildcard:
    """A route whose name has a `*`: what stands for it is put where the targets' models have one."""

    prefix: str
    suffix: str
    route: Route

    def resolve(self, name: str) -> Route | None:
        """Return the route for a name that fits, None for one that doesn't."""
        fits = name.startswith(self.prefix) and name.endswith(self.suffix)
        if not fits or len(name) < len(self.prefix) + len(self.suffix):
            return None
        middle = name[len(self.prefix) : len(name) - len(self.suffix)]
        groups = tuple(tuple(_fill(target, middle) for target in group) for group in self.route.groups)
        return replace(self.route, name=name, groups=groups)


@dataclass(frozen=True, slots=True)
class RouteTable:
    """The routes of one tenant, or those that everyone shares."""

    exact: Mapping[str, Route]
    wildcards: tuple[Wildcard, ...]

    def find(self, name: str) -> Route | None:
        """Return the route of that name; an exact one goes before a wildcard, a longer wildcard before a shorter."""
        route = self.exact.get(name)
        if route is not None:
            return route
        return next((found for wildcard in self.wildcards if (found := wildcard.resolve(name))), None)


EMPTY_TABLE = RouteTable(exact={}, wildcards=())


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the data plane knows of the configuration, as of one version."""

    version: int
    shared: RouteTable
    by_tenant: Mapping[int, RouteTable]
    price_book: Callable[[str, str], PriceBook]
    provider_slugs: tuple[str, ...]
    policy: Policy = field(default_factory=Policy)
    connections: Mapping[str, Connection] = field(default_factory=dict)

    def find_route(self, *, tenant_id: int, name: str) -> Route | None:
        """Return the tenant's own route of that name, else the shared one."""
        own = self.by_tenant.get(tenant_id)
        return (own.find(name) if own else None) or self.shared.find(name)

    def routes_of(self, tenant_id: int) -> list[Route]:
        """Return a route for every name the tenant can use, aliases too; its own go before shared ones."""
        own = self.by_tenant.get(tenant_id, EMPTY_TABLE).exact
        named = sorted({**self.shared.exact, **own}.items())
        return [route if route.name == name else replace(route, name=name) for name, route in named]

    def price_of(self, target: Target, *, tenant_id: int, now_s: float) -> Price | None:
        """Return the price in force for a target."""
        return self.price_book(target.connection.preset.price_vendor, target.model).price_at(tenant_id, now_s)


def unknown_route(name: str, *, names: list[str]) -> RouteUnknown:
    """Return the error for a model nobody configured, with the names that would work where they are few."""
    hint = f" Available: {', '.join(names)}." if 0 < len(names) <= NAMES_SHOWN_MAX else ""
    return RouteUnknown(
        f"The model '{name[:200]}' does not exist or you do not have access to it.{hint}", param="model"
    )


def target_capabilities(
    connection: Connection, model: str, changes: FeatureChanges, max_output_tokens: int | None
) -> Capabilities:
    """Return what a model can do behind a connection, with what the operator says of it."""
    known = capabilities_of(connection.preset.name, model)
    return revise(known, changes, max_output_tokens=max_output_tokens)


def _fill(target: Target, middle: str) -> Target:
    model = target.model.replace("*", middle, 1)
    capabilities = target_capabilities(target.connection, model, target.feature_changes, target.max_output_tokens)
    return replace(target, model=model, name=f"{target.connection.slug}/{model}", capabilities=capabilities)
