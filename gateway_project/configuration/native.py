"""Our own YAML, `gateway.yaml`: its sections are tables of fields. docs/configuration.md describes it."""

from collections.abc import Callable
from collections.abc import Mapping as EnvironmentMapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

from gateway_project.configuration import fields as f
from gateway_project.configuration.declared import (
    RATES,
    Declared,
    DeclaredAllowance,
    DeclaredBudget,
    DeclaredCalls,
    DeclaredKey,
    DeclaredLimit,
    DeclaredMembership,
    DeclaredPrice,
    DeclaredProvider,
    DeclaredRoute,
    DeclaredTarget,
    DeclaredTenant,
    DeclaredUser,
)
from gateway_project.configuration.document import Mapping, Node, Scalar
from gateway_project.configuration.policy import MEASURES, PERIODS, PERS, ROLLING, SPANS
from providers.presets import PRESETS
from tenants.models import Membership, Tenant

T = TypeVar("T")

_TENANT = {"slug": f.word, "name": f.word, "time_zone": f.zone, "status": f.choice(*Tenant.Status.values)}
_MEMBERSHIP = {"tenant": f.word, "role": f.choice(*Membership.Role.values)}
_USER = {
    "username": f.word,
    "email": f.word,
    "password": f.word,
    "password_env": f.secret_from,
    "staff": f.boolean,
    "superuser": f.boolean,
    "memberships": f.as_is,
}
_KEY = {
    "tenant": f.word,
    "name": f.word,
    "secret": f.word,
    "secret_env": f.secret_from,
    "user": f.word,
    "scopes": f.words,
    "allowed_routes": f.words,
    "expires_at": f.moment,
}
_PROVIDER = {
    "slug": f.word,
    "kind": f.choice(*PRESETS),
    "name": f.text,
    "base_url": f.text,
    "credential": f.text,
    "credential_env": f.secret_from,
    "extra_headers": f.texts_by_name,
    "options": f.texts_by_name,
    "enabled": f.boolean,
    "connect_timeout_s": f.milliseconds,
    "first_byte_timeout_s": f.milliseconds,
    "idle_timeout_s": f.milliseconds,
    "total_timeout_s": f.milliseconds,
}
_ROUTE = {
    "name": f.route_name,
    "tenant": f.word,
    "description": f.text,
    "aliases": f.words,
    "enabled": f.boolean,
    "max_attempts": f.positive,
    "default_max_output_tokens": f.positive,
    "drop_params": f.boolean,
    "fallbacks": f.words,
    "targets": f.as_is,
}
_TARGET = {
    "provider": f.word,
    "model": f.word,
    "weight": f.integer,
    "order": f.integer,
    "enabled": f.boolean,
    "max_output_tokens": f.positive,
    "options": f.target_options,
    "first_byte_timeout_s": f.milliseconds,
    "idle_timeout_s": f.milliseconds,
    "total_timeout_s": f.milliseconds,
}
_PRICE = {"vendor": f.word, "provider": f.word, "model": f.word, "tenant": f.word, **dict.fromkeys(RATES, f.amount)}
_CALLS = {"tenant": f.word, "user": f.word, "key": f.word, "route": f.route_name}
_BUDGET = {
    "name": f.word,
    "limit_usd": f.nanos,
    "period": f.choice(*PERIODS),
    "length": f.positive,
    "time_zone": f.zone,
    "hard": f.boolean,
    "alert_percents": f.percents,
    "enabled": f.boolean,
    "per": f.choice(*PERS),
    "allowances": f.as_is,
    **_CALLS,
}
_ALLOWANCE = {"subject": f.as_is, "limit_usd": f.nanos, "until": f.moment, "reason": f.word}
_LIMIT = {
    "name": f.word,
    "measure": f.choice(*MEASURES),
    "span": f.choice(*SPANS),
    "value": f.count,
    "enabled": f.boolean,
    "per": f.choice(*PERS),
    "provider": f.word,
    **_CALLS,
}
SECTIONS = MappingProxyType(
    {
        "tenants": _TENANT,
        "users": _USER,
        "keys": _KEY,
        "providers": _PROVIDER,
        "routes": _ROUTE,
        "prices": _PRICE,
        "budgets": _BUDGET,
        "limits": _LIMIT,
    }
)


def read_native(document: Mapping, environ: EnvironmentMapping[str, str]) -> Declared:
    """Return what a file in our own format declares, problems included."""
    reading = f.Reading(environ)
    _complain_of_sections(reading, document)
    declared = Declared(
        tenants=_section(reading, document, "tenants", _tenant),
        users=_section(reading, document, "users", _user),
        keys=_section(reading, document, "keys", _key),
        providers=_section(reading, document, "providers", _provider),
        routes=_section(reading, document, "routes", _route),
        prices=_section(reading, document, "prices", _price),
        budgets=_section(reading, document, "budgets", _budget),
        limits=_section(reading, document, "limits", _limit),
    )
    return replace(declared, problems=tuple(reading.problems))


def _complain_of_sections(reading: f.Reading, document: Mapping) -> None:
    for entry in document.repeated:
        reading.complain(entry.at, f"the section {entry.key} stands twice")
    for entry in document.entries:
        if entry.key not in SECTIONS:
            reading.complain(entry.at, f"unknown section {entry.key}; known are {', '.join(SECTIONS)}")


def _section(
    reading: f.Reading, document: Mapping, name: str, declare: Callable[[f.Reading, Node], T | None]
) -> tuple[T, ...]:
    node = document.get(name)
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return ()
    return _declare_all(reading, node, name, declare)


def _declare_all(
    reading: f.Reading, node: Node, name: str, declare: Callable[[f.Reading, Node], T | None]
) -> tuple[T, ...]:
    try:
        items = f.nodes(node)
    except f.Malformed as fault:
        reading.complain(fault.problem.at, f"{name}: {fault.problem.message}")
        return ()
    return tuple(row for row in [declare(reading, item) for item in items] if row is not None)


def _tenant(reading: f.Reading, node: Node) -> DeclaredTenant | None:
    row = f.read_row(reading, node, _TENANT, required=("slug",))
    slug = row.take("slug")
    return DeclaredTenant(slug, row.at, row.values) if slug else None


def _user(reading: f.Reading, node: Node) -> DeclaredUser | None:
    row = f.read_row(reading, node, _USER, required=("email",))
    memberships = _nested(reading, row, "memberships", _membership) or ()
    password = _either(reading, row, "password", "password_env")
    email = row.take("email")
    superuser = row.take("superuser")
    staff = row.take("staff", superuser or None)
    flags = {"is_staff": staff, "is_superuser": superuser}
    values = row.values | {name: flag for name, flag in flags.items() if flag is not None}
    return DeclaredUser(email, row.at, password, values, memberships) if email else None


def _membership(reading: f.Reading, node: Node) -> DeclaredMembership | None:
    row = f.read_row(reading, node, _MEMBERSHIP, required=("tenant",))
    tenant = row.take("tenant")
    role = row.take("role", Membership.Role.MEMBER.value)
    return DeclaredMembership(tenant, role, row.at) if tenant else None


def _key(reading: f.Reading, node: Node) -> DeclaredKey | None:
    row = f.read_row(reading, node, _KEY, required=("tenant", "name"))
    secret = _either(reading, row, "secret", "secret_env")
    tenant, name, user = row.take("tenant"), row.take("name"), row.take("user")
    if secret == "":
        reading.complain(row.marks["secret_env"], "the variable of the secret is empty")
    return DeclaredKey(tenant, name, row.at, secret, user, row.values) if tenant and name else None


def _provider(reading: f.Reading, node: Node) -> DeclaredProvider | None:
    row = f.read_row(reading, node, _PROVIDER, required=("slug", "kind"))
    credential = _either(reading, row, "credential", "credential_env")
    slug = row.take("slug")
    preset = PRESETS.get(row.values.get("kind", ""))
    if preset is not None and preset.needs_address and not row.values.get("base_url"):
        reading.complain(row.at, f"a provider of kind {preset.name} has a base_url")
    return DeclaredProvider(slug, row.at, credential, _in_ms(row.values)) if slug else None


def _route(reading: f.Reading, node: Node) -> DeclaredRoute | None:
    row = f.read_row(reading, node, _ROUTE, required=("name",))
    targets = _nested(reading, row, "targets", _target)
    name, tenant = row.take("name"), row.take("tenant")
    return DeclaredRoute(name, row.at, tenant, row.values, targets, row.marks.get("fallbacks")) if name else None


def _target(reading: f.Reading, node: Node) -> DeclaredTarget | None:
    row = f.read_row(reading, node, _TARGET, required=("provider", "model"))
    provider, model, order = row.take("provider"), row.take("model"), row.take("order", 0)
    return DeclaredTarget(provider, model, row.at, order, _in_ms(row.values)) if provider and model else None


def _price(reading: f.Reading, node: Node) -> DeclaredPrice | None:
    row = f.read_row(reading, node, _PRICE, required=("model",))
    model, tenant = row.take("model"), row.take("tenant")
    vendor, provider = row.take("vendor", ""), row.take("provider", "")
    if len({"vendor", "provider"} & row.marks.keys()) != 1:
        reading.complain(row.at, "a price names its vendor or a provider, one of the two")
    if not row.marks.keys() & set(RATES):
        reading.complain(row.at, f"a price states at least one of {', '.join(RATES)}")
    return DeclaredPrice(model, row.at, vendor, provider, tenant, row.values) if model else None


def _budget(reading: f.Reading, node: Node) -> DeclaredBudget | None:
    row = f.read_row(reading, node, _BUDGET, required=("name", "limit_usd"))
    allowances = _nested(reading, row, "allowances", _allowance) or ()
    calls = _calls(reading, row)
    name, limit_nanos = row.take("name"), row.take("limit_usd")
    if "period" in row.values and row.values["period"] not in ROLLING:
        row.values.setdefault("length", None)
    if name is None or limit_nanos is None:
        return None
    return DeclaredBudget(name, row.at, calls, {"limit_nanos": limit_nanos, **row.values}, allowances)


def _allowance(reading: f.Reading, node: Node) -> DeclaredAllowance | None:
    row = f.read_row(reading, node, _ALLOWANCE, required=("limit_usd", "reason"))
    subject = row.take("subject")
    calls = DeclaredCalls()
    if subject is not None:
        calls = _calls(reading, f.read_row(reading, subject, _CALLS, required=()))
    limit_nanos, reason = row.take("limit_usd"), row.take("reason")
    if limit_nanos is None or reason is None:
        return None
    return DeclaredAllowance(calls, limit_nanos, reason, row.at, row.take("until"))


def _limit(reading: f.Reading, node: Node) -> DeclaredLimit | None:
    row = f.read_row(reading, node, _LIMIT, required=("name", "measure", "value"))
    calls = _calls(reading, row)
    name, provider = row.take("name"), row.take("provider")
    return DeclaredLimit(name, row.at, calls, provider, row.values) if name else None


def _calls(reading: f.Reading, row: f.Row) -> DeclaredCalls:
    if "key" in row.marks and "tenant" not in row.marks:
        reading.complain(row.marks["key"], "a key is named together with its tenant")
    return DeclaredCalls(row.take("tenant"), row.take("user"), row.take("key"), row.take("route"))


def _nested(
    reading: f.Reading, row: f.Row, name: str, declare: Callable[[f.Reading, Node], T | None]
) -> tuple[T, ...] | None:
    node = row.take(name)
    return None if node is None else _declare_all(reading, node, name, declare)


def _either(reading: f.Reading, row: f.Row, plain: str, from_environment: str) -> Any:
    if {plain, from_environment} <= row.marks.keys():
        reading.complain(row.marks[from_environment], f"{plain} and {from_environment} exclude each other")
    by_variable, by_value = row.take(from_environment), row.take(plain)
    return by_value if by_value is not None else by_variable


def _in_ms(values: dict[str, Any]) -> dict[str, Any]:
    return {name.removesuffix("_s") + "_ms" if name.endswith("_timeout_s") else name: v for name, v in values.items()}
