"""`manage.py create_key`."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from kernel import clock
from tenants import keys
from tenants.models import Key, Tenant, User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def acme() -> Tenant:
    return Tenant.objects.create(slug="acme", name="Acme")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("create_key", *arguments, stdout=out)
    return out.getvalue()


def test_quiet_prints_the_secret_and_nothing_else() -> None:
    said = run("--tenant", "acme", "--name", "ci", "--quiet")
    caller = keys.find(keys.digest_of(said.strip()))
    assert caller is not None
    assert (caller.key_name, caller.scopes, caller.allowed_routes) == ("ci", {"inference", "usage"}, ())
    assert len(said.splitlines()) == 1


def test_everything_can_be_said() -> None:
    user = User.objects.create_user("ann", "ann@acme.test", "x")
    said = run(
        *("--tenant", "acme", "--name", "ci", "--user", "ann@acme.test", "--scopes", "inference,management"),
        *("--routes", "small", "team-*", "--expires-in", "30d"),
    )
    key = Key.objects.get()
    assert key.user == user
    assert key.scopes == ["inference", "management"]
    assert key.allowed_routes == ["small", "team-*"]
    assert key.expires_at is not None
    assert timedelta(days=29) < key.expires_at - clock.now() <= timedelta(days=30)
    assert "It is not shown again." in said
    assert keys.digest_of(said.splitlines()[1]) == key.digest


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--tenant", "gone", "--name", "k"], "there is no tenant gone"),
        (["--tenant", "acme", "--name", "k", "--user", "gone"], "there is no user gone"),
        (["--tenant", "acme", "--name", "k", "--scopes", "everything"], "scopes are a list out of"),
        (["--tenant", "acme", "--name", "k", "--routes", "a*b*c"], "allowed routes are a list"),
        (["--tenant", "acme", "--name", "k", "--expires-in", "soon"], "'soon' is no span of time"),
        (["--tenant", "acme", "--name", "k", "--expires-in", "999999w"], "is no span of time"),
        (["--tenant", "acme", "--name", ""], "cannot be blank"),
    ],
)
def test_what_does_not_fit_is_told(arguments: list[str], fault: str) -> None:
    with pytest.raises(CommandError, match=fault.replace("*", r"\*")):
        run(*arguments)
    assert not Key.objects.exists()


def test_a_name_is_taken_once_a_tenant() -> None:
    run("--tenant", "acme", "--name", "ci")
    with pytest.raises(CommandError, match="already exists"):
        run("--tenant", "acme", "--name", "ci")
