"""What the tests of alerts share: receivers, and a PostgreSQL that several threads use at once."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import dj_database_url
import pytest
from django.core.management import call_command
from django.db import connections

from tests.monitoring.receivers import MailServer, Webhook, running
from tests.services import postgresql
from tests.services.availability import NotAvailable, skip_or_fail


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A receiver of requests."""
    server = Webhook()
    with running(server):
        yield server


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A receiver of mail."""
    server = MailServer()
    with running(server):
        yield server


@pytest.fixture
def shared_database(django_db_blocker: Any) -> Iterator[None]:
    """Make an empty PostgreSQL the default database of every thread."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgresql.scratch_database())
        except NotAvailable as error:
            skip_or_fail(error)
        stack.enter_context(django_db_blocker.unblock())
        usual_configuration, usual = connections.settings["default"], connections["default"]
        configuration = dict(dj_database_url.parse(url))
        connections.settings["default"] = connections.configure_settings({"default": configuration})["default"]
        del connections["default"]
        try:
            call_command("migrate", verbosity=0)
            yield
        finally:
            connections["default"].close()
            connections.settings["default"] = usual_configuration
            connections["default"] = usual
