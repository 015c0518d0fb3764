"""A database of each kind with nothing in it but the table of responses."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import dj_database_url
import pytest
from django.conf import settings
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from gateway.models import StoredResponse
from tests.services import postgresql
from tests.services.availability import NotAvailable, skip_or_fail


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def table_settings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('responses') / 'test.sqlite3'}"
            yield dj_database_url.parse(url) | {"OPTIONS": settings.DATABASES["default"]["OPTIONS"]}
            return
        try:
            url = stack.enter_context(postgresql.scratch_database())
        except NotAvailable as error:
            skip_or_fail(error)
        yield dict(dj_database_url.parse(url))


@pytest.fixture
def table(table_settings: dict[str, Any], django_db_blocker: Any) -> Iterator[None]:
    """The default database, for every thread: the table of responses, empty."""
    usual_configuration, usual = connections.settings["default"], connections["default"]
    with django_db_blocker.unblock():
        connections.settings["default"] = connections.configure_settings({"default": table_settings})["default"]
        del connections["default"]
        try:
            MigrationExecutor(connection).migrate([("gateway", "0001_initial")])
            StoredResponse.objects.all().delete()
            yield
        finally:
            connections["default"].close()
            connections.settings["default"] = usual_configuration
            connections["default"] = usual
