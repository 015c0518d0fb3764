"""Declared rows become rows: all of them in one transaction, or none.

A row that is missing is created. A row that exists is changed only with `update`, and then only in the fields the
declaration states; what it does not mention is never deleted, save the targets of a route whose targets it lists.
Passwords are first passwords, and a revoked key stays revoked.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from gateway_project.configuration.declared import Declared
from gateway_project.configuration.document import ConfigurationRefused, Mark, Problem
from gateway_project.configuration.people import put_key, put_tenant, put_user
from gateway_project.configuration.policy import put_budget, put_limit
from gateway_project.configuration.prices import put_price
from gateway_project.configuration.rows import Application, IssuedKey
from gateway_project.configuration.upstream import check_fallbacks, put_provider, put_route
from providers.catalog import seed_bundled_prices
from tenants.configuration import ConfigurationVersion


@dataclass(frozen=True, slots=True)
class Applied:
    """What a declaration changed. `issued` has the secrets that were generated, shown here once."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    issued: tuple[IssuedKey, ...] = ()


def apply(declared: Declared, *, update: bool = False, dry_run: bool = False) -> Applied:
    """Put a declaration into the database, and the bundled prices with it.

    Raises ConfigurationRefused with everything that is wrong, in which case nothing changed.
    """
    application = Application(update)
    with transaction.atomic():
        _queue_up()
        _put_everything(application, declared)
        problems = [*declared.problems, *_repetitions(declared), *application.problems]
        if problems:
            raise ConfigurationRefused(problems)
        seed_bundled_prices()
        if dry_run:
            transaction.set_rollback(True)
    return Applied(tuple(application.created), tuple(application.updated), tuple(application.issued))


def describe(applied: Applied) -> str:
    """Return what changed, a line each, with the generated secrets."""
    lines = [f"created {label}" for label in applied.created]
    lines += [f"updated {label}" for label in applied.updated]
    lines += [f"secret of key {key.tenant}/{key.name}: {key.secret} (shown once)" for key in applied.issued]
    return "\n".join(lines) or "nothing to change"


def _queue_up() -> None:
    """Let machines that start together apply one after the other: the row below is locked until the commit."""
    ConfigurationVersion.objects.get_or_create(pk=1)
    list(ConfigurationVersion.objects.select_for_update().filter(pk=1))


def _put_everything(application: Application, declared: Declared) -> None:
    for tenant in declared.tenants:
        put_tenant(application, tenant)
    for user in declared.users:
        put_user(application, user)
    for key in declared.keys:
        put_key(application, key)
    for provider in declared.providers:
        put_provider(application, provider)
    for route in declared.routes:
        put_route(application, route)
    for route in declared.routes:
        check_fallbacks(application, route)
    for price in declared.prices:
        put_price(application, price)
    for budget in declared.budgets:
        put_budget(application, budget)
    for limit in declared.limits:
        put_limit(application, limit)


def _repetitions(declared: Declared) -> list[Problem]:
    return [
        *_repeated("tenant", ((row.slug, row.at) for row in declared.tenants)),
        *_repeated("user", ((row.email.lower(), row.at) for row in declared.users)),
        *_repeated("key", ((f"{row.tenant}/{row.name}", row.at) for row in declared.keys)),
        *_repeated("provider", ((row.slug, row.at) for row in declared.providers)),
        *_repeated("route", _route_names(declared)),
        *_repeated("price", ((f"{r.vendor or r.provider}/{r.model} {r.tenant or ''}", r.at) for r in declared.prices)),
        *_repeated("budget", ((row.name, row.at) for row in declared.budgets)),
        *_repeated("limit", ((row.name, row.at) for row in declared.limits)),
    ]


def _route_names(declared: Declared) -> Iterable[tuple[str, Mark]]:
    for route in declared.routes:
        scope = f" of {route.tenant}" if route.tenant else ""
        for name in dict.fromkeys([route.name, *route.values.get("aliases", ())]):
            yield f"{name}{scope}", route.at


def _repeated(noun: str, named: Iterable[tuple[str, Mark]]) -> Iterable[Problem]:
    first: dict[str, Mark] = {}
    for name, at in named:
        if name in first:
            yield Problem(at, f"the {noun} {name.strip()} is declared twice, first at {first[name]}")
        first.setdefault(name, at)
