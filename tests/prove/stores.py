"""A PostgreSQL and a Redis of the proof's own, because it kills, empties and restarts them.

Each keeps its port and its files from its first start to its end, so that it comes back where it was.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests.services.availability import NotAvailable, find_program
from tests.services.waiting import eventually

STARTED_WITHIN_S = 60.0
ENDED_WITHIN_S = 20.0
POSTGRES_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",  # processes are killed here, the machine isn't
    "max_connections": "200",
    "autovacuum": "on",
}


class Store:
    """A server process that can be taken away and brought back."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), stdout=log, stderr=log, cwd="/", start_new_session=True, **self._identity()
            )
        eventually(self._answers, within_s=STARTED_WITHIN_S)

    def kill(self) -> None:
        """Take it away without a word to anybody."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it; harmless where it isn't running."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(ENDED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _identity(self) -> dict[str, Any]:
        return {}

    def _answers(self) -> bool:
        raise NotImplementedError


class Redis(Store):
    """A Redis that keeps nothing: whenever it comes back it is empty."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._program = find_program("redis-server", package="redis-server")
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def flush(self) -> None:
        """Empty it."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _command(self) -> list[str]:
        place = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.directory)]
        return [str(self._program), *place, "--save", "", "--appendonly", "no"]

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class PostgreSQL(Store):
    """A PostgreSQL with one database for the gateway."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        initdb = find_program("initdb", package="postgresql")
        self._program = initdb.with_name("postgres")
        self._owner = _owner()
        self._data = directory / "data"
        if self._owner is not None:
            os.chown(directory, self._owner.pw_uid, self._owner.pw_gid)
        made = subprocess.run(
            [str(initdb), "-D", str(self._data), "-U", "postgres", "-A", "trust", "--no-sync"],
            capture_output=True, text=True, cwd="/", check=False, **self._identity(),
        )  # fmt: skip
        if made.returncode:
            raise NotAvailable(f"{initdb} failed: {made.stderr.strip()[-300:]}")
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.start()

    def kill(self) -> None:
        """Take it away as a crash would: sessions are cut, and it recovers from its log when it comes back."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        """End it, its sessions with it."""
        self._end(signal.SIGINT)

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with psycopg.connect(self.url) as session:
            cursor = session.execute(sql, values or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def has_table(self, name: str) -> bool:
        """Tell whether the database has a table of that name."""
        return bool(self.query("SELECT to_regclass(%s) IS NOT NULL", name)[0][0])

    def _command(self) -> list[str]:
        settings = {**POSTGRES_SETTINGS, "port": str(self.port)}
        return [str(self._program), "-D", str(self._data), *(f"--{name}={value}" for name, value in settings.items())]

    def _identity(self) -> dict[str, Any]:
        if self._owner is None:
            return {}
        return {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=3).close()
        except psycopg.OperationalError:
            return False
        return True


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def clear_away(directory: Path) -> None:
    """Delete a directory whoever owns what is in it."""
    shutil.rmtree(directory, ignore_errors=True)


def _owner() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError as error:
        raise NotAvailable("PostgreSQL does not run as root, and there is no user postgres") from error
