"""The newcomer's seed: a tenant, an admin, a demo key, and each provider the environment has a credential for.

What was seeded once is remembered in the data directory, so that what a person deletes stays deleted.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.conf import settings

from gateway_project.configuration.apply import apply
from gateway_project.configuration.declared import (
    Declared,
    DeclaredKey,
    DeclaredMembership,
    DeclaredProvider,
    DeclaredRoute,
    DeclaredTarget,
    DeclaredTenant,
    DeclaredUser,
)
from gateway_project.configuration.document import Mark
from gateway_project.configuration.environment import declare_from_environment, declare_usual_routes
from providers.models import Provider
from providers.presets import PRESETS, Preset
from tenants.models import Membership, Tenant, User

TENANT = "default"
ADMIN = "admin"
DEMO_KEY = "demo"
_EMAIL = "admin@localhost"
_HERE = Mark("seed", 1, 1)


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a run of the seed made. The secrets are there on the first run only."""

    created: tuple[str, ...] = ()
    admin_username: str = ADMIN
    admin_password: str | None = field(default=None, repr=False)
    demo_key: str | None = field(default=None, repr=False)


def seed_embedded(environ: Mapping[str, str] | None = None) -> Seeded:
    """Seed an empty gateway; a seeded one only gains the providers that are new in the environment."""
    environ = os.environ if environ is None else environ
    first = not Tenant.objects.filter(slug=TENANT).exists()
    remembered = set() if first else _recall()
    existing = Provider.objects.values_list("slug", flat=True)
    declared = declare_from_environment(environ, without={*existing, *remembered})
    password = secrets.token_urlsafe(12)
    if first:
        declared = _join(_first_declaration(password), declared)
    applied = apply(declared)
    _remember(remembered | {provider.slug for provider in declared.providers})
    return Seeded(
        created=applied.created,
        admin_password=password if f"user {_EMAIL}" in applied.created else None,
        demo_key=next((key.secret for key in applied.issued if key.name == DEMO_KEY), None),
    )


def _first_declaration(password: str) -> Declared:
    built_in = _built_in()
    demo = DeclaredTarget(built_in.name, built_in.usual_models[0], _HERE)
    return Declared(
        tenants=(DeclaredTenant(TENANT, _HERE),),
        users=() if User.objects.filter(username=ADMIN).exists() else (_admin(password),),
        keys=(DeclaredKey(TENANT, DEMO_KEY, _HERE),),
        providers=(DeclaredProvider(built_in.name, _HERE, values={"kind": built_in.name, "name": built_in.title}),),
        routes=(DeclaredRoute(built_in.name, _HERE, targets=(demo,)), *declare_usual_routes([built_in])),
    )


def _admin(password: str) -> DeclaredUser:
    values = {"username": ADMIN, "is_staff": True, "is_superuser": True}
    owner = DeclaredMembership(TENANT, Membership.Role.OWNER, _HERE)
    return DeclaredUser(_EMAIL, _HERE, password, values, (owner,))


def _built_in() -> Preset:
    """Return the preset that answers without any server."""
    return next(preset for preset in PRESETS.values() if preset.built_in)


def _join(first: Declared, second: Declared) -> Declared:
    return replace(first, providers=first.providers + second.providers, routes=first.routes + second.routes)


def _memory() -> Path:
    return Path(settings.GATEWAY_DATA_DIR) / "seeded.json"


def _recall() -> set[str]:
    try:
        return set(json.loads(_memory().read_text()))
    except FileNotFoundError:
        return set()


def _remember(slugs: set[str]) -> None:
    _memory().write_text(json.dumps(sorted(slugs)))
