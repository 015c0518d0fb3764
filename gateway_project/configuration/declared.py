"""What a declaration says, whatever it was written in: rows to be, each with the place it was declared at.

`values` holds the model's fields that the declaration states, and no others: what it leaves out is left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway_project.configuration.document import Mark, Problem

Values = Mapping[str, Any]
RATES = (
    "input_per_mtok",
    "cached_input_per_mtok",
    "cache_write_per_mtok",
    "output_per_mtok",
    "reasoning_per_mtok",
    "audio_input_per_mtok",
    "audio_output_per_mtok",
    "per_image",
    "per_request",
    "per_mcharacter",
    "per_audio_minute",
    "per_search",
)


@dataclass(frozen=True, slots=True)
class DeclaredTenant:
    """A tenant; one that gets no name takes its slug's."""

    slug: str
    at: Mark
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeclaredMembership:
    """A user's place in a tenant."""

    tenant: str
    role: str
    at: Mark


@dataclass(frozen=True, slots=True)
class DeclaredUser:
    """A user, known by the e-mail address; the password is the first one and is never set again."""

    email: str
    at: Mark
    password: str | None = field(default=None, repr=False)
    values: Values = field(default_factory=dict)
    memberships: tuple[DeclaredMembership, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredKey:
    """A virtual key; without a secret, one is generated when the key is created."""

    tenant: str
    name: str
    at: Mark
    secret: str | None = field(default=None, repr=False)
    user: str | None = None
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeclaredProvider:
    """A connection; a credential of None is left alone."""

    slug: str
    at: Mark
    credential: str | None = field(default=None, repr=False)
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeclaredTarget:
    """One upstream model behind a route."""

    provider: str
    model: str
    at: Mark
    order: int = 0
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeclaredRoute:
    """A route; targets of None are left alone, otherwise they are the route's targets, all of them."""

    name: str
    at: Mark
    tenant: str | None = None
    values: Values = field(default_factory=dict)
    targets: tuple[DeclaredTarget, ...] | None = None
    fallbacks_at: Mark | None = None


@dataclass(frozen=True, slots=True)
class DeclaredPrice:
    """What a model costs; `vendor` is the price list's name, or `provider` the slug of a provider of that vendor."""

    model: str
    at: Mark
    vendor: str = ""
    provider: str = ""
    tenant: str | None = None
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeclaredCalls:
    """Which calls a rule is about, or whose of them are meant: rows by their names, each None where it isn't said."""

    tenant: str | None = None
    user: str | None = None
    key: str | None = None
    route: str | None = None


@dataclass(frozen=True, slots=True)
class DeclaredAllowance:
    """Another limit for one subject of a budget."""

    subject: DeclaredCalls
    limit_nanos: int
    reason: str
    at: Mark
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeclaredBudget:
    """So much money a window, known by its name."""

    name: str
    at: Mark
    calls: DeclaredCalls = DeclaredCalls()
    values: Values = field(default_factory=dict)
    allowances: tuple[DeclaredAllowance, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredLimit:
    """So many requests, tokens or calls at once, known by its name; `provider` is the slug of one."""

    name: str
    at: Mark
    calls: DeclaredCalls = DeclaredCalls()
    provider: str | None = None
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Declared:
    """A whole declaration, with what was found wrong while it was read."""

    tenants: tuple[DeclaredTenant, ...] = ()
    users: tuple[DeclaredUser, ...] = ()
    keys: tuple[DeclaredKey, ...] = ()
    providers: tuple[DeclaredProvider, ...] = ()
    routes: tuple[DeclaredRoute, ...] = ()
    prices: tuple[DeclaredPrice, ...] = ()
    budgets: tuple[DeclaredBudget, ...] = ()
    limits: tuple[DeclaredLimit, ...] = ()
    problems: tuple[Problem, ...] = ()
