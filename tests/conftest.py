"""What every test may ask for: services and programs outside of Python, each under the one rule of availability."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tenants.models import User
from tests.databases import take_guards_off
from tests.services import browsers, postgresql, redis_server
from tests.services.availability import NotAvailable, skip_or_fail


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Make the test database one that can be emptied."""
    with django_db_blocker.unblock():
        take_guards_off()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this session's own."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgresql.scratch_database())
        except NotAvailable as error:
            skip_or_fail(error)
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of an empty Redis database of this session's own."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(redis_server.scratch_database())
        except NotAvailable as error:
            skip_or_fail(error)
        yield url


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """A Chromium."""
    try:
        return browsers.find_chromium()
    except NotAvailable as error:
        skip_or_fail(error)


@pytest.fixture(scope="session")
def node() -> Path:
    """A Node with the packages of tests/e2e/node installed."""
    try:
        return browsers.find_node()
    except NotAvailable as error:
        skip_or_fail(error)


@pytest.fixture
def admin(db: None) -> Client:
    """A browser in which a superuser is signed in."""
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.org", "pw"))
    return client
