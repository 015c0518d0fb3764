"""Make a virtual key from the command line: `manage.py create_key --tenant acme --name ci`."""

import re
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from kernel import clock
from tenants import keys
from tenants.models import Key, Tenant, User

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Command(BaseCommand):
    """Issues a key and prints its secret, once."""

    help = "Issue a virtual key. Its secret is printed once and can't be had again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="the tenant's slug")
        parser.add_argument("--name", required=True, help="the key's name, once a tenant")
        parser.add_argument("--user", help="e-mail address or user name of whom the key belongs to")
        parser.add_argument("--scopes", nargs="+", help="what it may do; inference and usage unless told")
        parser.add_argument("--routes", nargs="+", help="routes it may use, * stands for anything; all unless told")
        parser.add_argument("--expires-in", help="a number with m, h, d or w, such as 30d; never unless told")
        parser.add_argument("--quiet", action="store_true", help="print the secret and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key, secret = keys.issue(
                tenant=_find_tenant(options["tenant"]),
                name=options["name"],
                user=_find_user(options["user"]) if options["user"] else None,
                scopes=_words(options["scopes"]),
                allowed_routes=_words(options["routes"]),
                expires_at=_moment(options["expires_in"]) if options["expires_in"] else None,
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stdout.write(secret if options["quiet"] else _describe(key, secret))


def _find_tenant(slug: str) -> Tenant:
    tenant: Tenant | None = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise CommandError(f"there is no tenant {slug}")
    return tenant


def _find_user(name: str) -> User:
    user = User.objects.filter(Q(email__iexact=name) | Q(username=name)).first()
    if user is None:
        raise CommandError(f"there is no user {name}")
    return user


def _words(given: list[str] | None) -> list[str] | None:
    """Return the words, whether they were given apart or with commas."""
    return None if given is None else [word for part in given for word in part.split(",") if word]


def _moment(span: str) -> datetime:
    match = re.fullmatch(r"([1-9][0-9]{0,5})([mhdw])", span)
    if not match:
        raise CommandError(f"{span!r} is no span of time; say 45m, 12h, 30d or 4w")
    try:
        return clock.now() + timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})
    except OverflowError as error:
        raise CommandError(f"{span!r} is no span of time that ends in our calendar") from error


def _describe(key: Key, secret: str) -> str:
    until = f", until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else ""
    return f"key {key.name} of {key.tenant.slug}: {', '.join(key.scopes)}{until}\n{secret}\nIt is not shown again."
