"""What the tests of usage share: records to journal, and databases that several threads can use at once."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dj_database_url
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from providers.dialects.canonical import Usage
from tenants.models import Key
from tests.databases import take_guards_off
from tests.services import postgresql
from tests.services.availability import NotAvailable, skip_or_fail
from tests.usage_rows import add_tenant
from usage.records import AttemptRecord

STARTED_AT_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z

Make = Callable[..., AttemptRecord]


@pytest.fixture
def key(db: None) -> Key:
    """A tenant's key."""
    return add_tenant()


@pytest.fixture
def make_record() -> Make:
    """Return a maker of plausible records, told apart by their number."""

    def make(number: int, **changes: Any) -> AttemptRecord:
        values: dict[str, Any] = {
            "attempt_id": f"att_{number:08d}",
            "request_id": f"req_{number:08d}",
            "started_at_ns": STARTED_AT_NS + number * 1_000_000_000,
            "tenant_id": 1,
            "key_id": 1,
            "operation": "chat",
            "route": "smart",
            "target": "acme/acme-1",
            "provider": "acme",
            "model": "acme-1",
            "ending": "completed",
            "usage": Usage(input_tokens=10, output_tokens=5),
            "cost_nanos": 1_000,
            "latency_us": 250,
        }
        return AttemptRecord(**(values | changes))

    return make


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def scratch_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[dict[str, Any]]:
    """Make and migrate a database of each kind and drop it afterwards; yield its settings."""
    make = _sqlite_file(tmp_path_factory.mktemp("database")) if request.param == "sqlite" else _postgresql()
    with make as configuration, django_db_blocker.unblock():
        with _as_default(configuration):
            call_command("migrate", verbosity=0)
            take_guards_off()
        yield configuration


@pytest.fixture(params=["sqlite", "postgresql"])
def guarded_database(request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: Any) -> Iterator[None]:
    """Make a fresh database of each kind the default one, with everything that keeps its ledger from being changed."""
    make = _sqlite_file(tmp_path) if request.param == "sqlite" else _postgresql()
    with make as configuration, django_db_blocker.unblock(), _as_default(configuration):
        call_command("migrate", verbosity=0)
        yield


@pytest.fixture
def database(scratch_database: dict[str, Any], django_db_blocker: Any) -> Iterator[None]:
    """Make an empty scratch database the default one, for every thread."""
    with django_db_blocker.unblock(), _as_default(scratch_database):
        call_command("flush", verbosity=0, interactive=False)
        yield


@contextmanager
def _as_default(configuration: dict[str, Any]) -> Iterator[None]:
    usual_configuration, usual = connections.settings["default"], connections["default"]
    connections.settings["default"] = connections.configure_settings({"default": configuration})["default"]
    del connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = usual_configuration
        connections["default"] = usual


@contextmanager
def _sqlite_file(directory: Path) -> Iterator[dict[str, Any]]:
    yield dj_database_url.parse(f"sqlite:///{directory / 'scratch.sqlite3'}") | {
        "OPTIONS": settings.DATABASES["default"]["OPTIONS"]
    }


@contextmanager
def _postgresql() -> Iterator[dict[str, Any]]:
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgresql.scratch_database())
        except NotAvailable as error:
            skip_or_fail(error)
        yield dict(dj_database_url.parse(url))
