"""Rows into a Snapshot: the only place where the data plane's configuration is read from the database.

A row that can't be used (a credential no key opens, a kind nobody knows) is left out with a warning that names it;
one broken provider must not take the gateway down.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from types import MappingProxyType

from kernel.secrets import SealBroken
from providers import models as provider_rows
from providers.adapters.auth.static import STATIC
from providers.adapters.connection import Connection
from providers.adapters.http import Headers, InvalidRequest, Origin, Timeouts, UpstreamRequest
from providers.adapters.http.messages import encode_head
from providers.options import OptionsBroken, check_options, check_target_options, merge_options, read_feature_changes
from providers.presets import PRESETS
from providers.price_rows import read_price_index
from routing import models
from routing.snapshot import Route, RouteTable, Snapshot, Target, Wildcard, target_capabilities
from tenants.configuration import ConfigurationVersion
from usage.rules.rows import read_policy

logger = logging.getLogger("routing.compile")
Group = tuple[Target, ...]


def compile_snapshot() -> Snapshot:
    """Return the configuration as it is committed now. The version is read first: a change meanwhile comes again."""
    version = ConfigurationVersion.current()
    connections = _read_connections()
    rows = list(models.Route.objects.filter(enabled=True).order_by("name").prefetch_related("targets"))
    tables: dict[int | None, list[models.Route]] = defaultdict(list)
    for row in rows:
        tables[row.tenant_id].append(row)
    shared = {row.name: row for row in tables.pop(None, [])}
    return Snapshot(
        version=version,
        shared=_compile_table(shared.values(), shared, connections),
        by_tenant={
            tenant_id: _compile_table(own, shared | {row.name: row for row in own}, connections)
            for tenant_id, own in tables.items()
            if tenant_id is not None
        },
        price_book=read_price_index({connection.preset.price_vendor for connection in connections.values()}).book,
        provider_slugs=tuple(sorted(connection.slug for connection in connections.values())),
        policy=read_policy(),
        connections=MappingProxyType({connection.slug: connection for connection in connections.values()}),
    )


def _read_connections() -> dict[int, Connection]:
    connections = {}
    for row in provider_rows.Provider.objects.filter(enabled=True):
        try:
            connections[row.pk] = _connect(row)
        except (SealBroken, InvalidRequest, OptionsBroken, KeyError) as error:
            logger.warning("provider left out", extra={"provider": row.slug, "reason": str(error)})
    return connections


def _connect(row: provider_rows.Provider) -> Connection:
    preset = PRESETS[row.kind]
    check_options(preset, row.options)
    base_url = row.base_url or preset.base_url
    origin, prefix = Origin.parse(base_url or "http://127.0.0.1")
    connection = Connection(
        slug=row.slug,
        preset=preset,
        origin=origin,
        path_prefix=prefix,
        credential=row.credential(),
        extra_headers=_extra_headers(row),
        timeouts=Timeouts(
            connect_s=row.connect_timeout_ms / 1000,
            first_byte_s=row.first_byte_timeout_ms / 1000,
            idle_s=row.idle_timeout_ms / 1000,
            total_s=row.total_timeout_ms / 1000,
        ),
        options=merge_options(row.options, {}),
        has_address=bool(base_url),
    )
    _require_sendable(connection)
    return connection


def _extra_headers(row: provider_rows.Provider) -> Headers:
    try:
        return tuple((name.lower().encode(), value.encode()) for name, value in row.extra_headers.items())
    except AttributeError as error:
        raise InvalidRequest("extra headers are an object of names and texts") from error


def _require_sendable(connection: Connection) -> None:
    """Raise InvalidRequest for a header that can't be written, a credential with a line break for one.

    Every call would fail on it. A credential that is a cloud's key file goes into no header as it is.
    """
    headers = connection.extra_headers
    if connection.auth in STATIC:
        headers = (*headers, (b"authorization", connection.credential.encode()))
    origin = connection.origin
    encode_head(UpstreamRequest("POST", origin, b"/", headers), host_header=origin.host_header)


def _compile_table(
    rows: Iterable[models.Route], known: dict[str, models.Route], connections: dict[int, Connection]
) -> RouteTable:
    exact: dict[str, Route] = {}
    wildcards: list[Wildcard] = []
    for row in rows:
        route = _compile_route(row, known, connections)
        if not route.groups:
            logger.warning("route left out: none of its targets can be used", extra={"route": row.name})
        elif "*" in row.name:
            prefix, _, suffix = row.name.partition("*")
            wildcards.append(Wildcard(prefix=prefix, suffix=suffix, route=route))
        else:
            exact[row.name] = route
            for alias in row.aliases:
                exact.setdefault(alias, route)
    wildcards.sort(key=lambda wildcard: len(wildcard.prefix) + len(wildcard.suffix), reverse=True)
    return RouteTable(exact=exact, wildcards=tuple(wildcards))


def _compile_route(row: models.Route, known: dict[str, models.Route], connections: dict[int, Connection]) -> Route:
    groups = _compile_groups(row, connections)
    for name in row.fallbacks:
        fallback = known.get(name)
        if fallback is not None and fallback.pk != row.pk:
            groups += _compile_groups(fallback, connections)
    return Route(
        name=row.name,
        configured_name=row.name,
        groups=tuple(groups),
        max_attempts=row.max_attempts,
        created_at_s=int(row.created_at.timestamp()),
        default_max_output_tokens=row.default_max_output_tokens,
        drop_params=row.drop_params,
    )


def _compile_groups(row: models.Route, connections: dict[int, Connection]) -> list[Group]:
    by_order: dict[int, list[Target]] = defaultdict(list)
    for target in row.targets.all():
        connection = connections.get(target.provider_id)
        if target.enabled and connection is not None:
            by_order[target.order] += _usable(target, connection)
    return [tuple(by_order[order]) for order in sorted(by_order) if by_order[order]]


def _usable(row: models.Target, connection: Connection) -> list[Target]:
    try:
        check_target_options(connection.preset, row.options)
    except OptionsBroken as error:
        logger.warning("target left out", extra={"target": f"{connection.slug}/{row.model}", "reason": str(error)})
        return []
    return [_compile_target(row, connection)]


def _compile_target(row: models.Target, connection: Connection) -> Target:
    usual = connection.timeouts
    changes = read_feature_changes(row.options)
    return Target(
        name=f"{connection.slug}/{row.model}",
        connection=connection,
        model=row.model,
        configured_model=row.model,
        weight=row.weight,
        timeouts=Timeouts(
            connect_s=usual.connect_s,
            first_byte_s=_seconds(row.first_byte_timeout_ms, usual.first_byte_s),
            idle_s=_seconds(row.idle_timeout_ms, usual.idle_s),
            total_s=_seconds(row.total_timeout_ms, usual.total_s),
        ),
        max_output_tokens=row.max_output_tokens,
        options=merge_options(connection.options, row.options),
        capabilities=target_capabilities(connection, row.model, changes, row.max_output_tokens),
        feature_changes=changes,
    )


def _seconds(milliseconds: int | None, usual_s: float) -> float:
    return usual_s if milliseconds is None else milliseconds / 1000
