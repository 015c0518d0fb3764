"""A database that several threads can use at once: the usual one of the tests lives in the memory of one connection."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import dj_database_url
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

T = TypeVar("T")


@contextmanager
def sqlite_file(path: Path, blocker: Any) -> Iterator[None]:
    """Make a migrated SQLite file the default database of every thread."""
    configuration = dj_database_url.parse(f"sqlite:///{path}") | {"OPTIONS": settings.DATABASES["default"]["OPTIONS"]}
    usual_configuration, usual = connections.settings["default"], connections["default"]
    with blocker.unblock():
        connections.settings["default"] = connections.configure_settings({"default": configuration})["default"]
        del connections["default"]
        try:
            if not path.exists():
                call_command("migrate", verbosity=0)
            yield
        finally:
            connections["default"].close()
            connections.settings["default"] = usual_configuration
            connections["default"] = usual


async def in_thread(work: Callable[[], T]) -> T:
    """Run a write where the event loop is not, and leave no connection behind."""

    def run() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds; fail when it does not soon."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - it becomes true on a thread
            await asyncio.sleep(0.005)


def take_guards_off() -> None:
    """Let SQLite empty the ledger: the tests' databases are flushed row by row, which the ledger's triggers refuse."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for event in ("update", "delete"):
                cursor.execute(f"DROP TRIGGER IF EXISTS usage_ledgerentry_guard_{event}")
