"""A PostgreSQL for the tests: the one that is named, else one that runs here, else a private one in a temp directory.

Each session gets a scratch database of its own, which is dropped at the end.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.services.availability import NotAvailable, find_program

USUAL_PORT = 5432
USUAL_USERS = ("postgres", "root")
STARTED_WITHIN_S = 60


@contextmanager
def scratch_database() -> Iterator[str]:
    """Yield the URL of an empty database of its own. Raises NotAvailable."""
    with _server() as server:
        name = f"llmgateway_test_{uuid4().hex[:12]}"
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            with psycopg.connect(server, autocommit=True) as admin:
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _server() -> Iterator[str]:
    named = os.environ.get("TEST_DATABASE_URL")
    if named:
        complaint = _complaint_of(named)
        if complaint:
            raise NotAvailable(f"TEST_DATABASE_URL names no PostgreSQL that answers: {complaint}")
        yield named
        return
    for user in USUAL_USERS:
        usual = f"postgres://{user}@127.0.0.1:{USUAL_PORT}/postgres"
        if _complaint_of(usual) is None:
            yield usual
            return
    with _private_server() as private:
        yield private


def _complaint_of(url: str) -> str | None:
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        return str(error).strip()
    return None


@contextmanager
def _private_server() -> Iterator[str]:
    initdb = find_program("initdb", package="postgresql")
    postgres = initdb.with_name("postgres")
    owner = _owner()
    # Not pytest's temp directory: that is root's alone, and the server must not run as root.
    directory = Path(tempfile.mkdtemp(prefix="llmgateway-postgres-"))
    try:
        if owner is not None:
            os.chown(directory, owner.pw_uid, owner.pw_gid)
        data = directory / "data"
        _run([str(initdb), "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync"], owner)
        port = _free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": 100,
        }
        command = [str(postgres), "-D", str(data), *(f"--{name}={value}" for name, value in settings.items())]
        with (directory / "log").open("wb") as log:
            process = _start(command, owner, log.fileno())
        try:
            yield _wait_until_up(process, port, directory / "log")
        finally:
            process.terminate()  # smart would wait for clients that forgot to leave; these are killed with it
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _wait_until_up(process: "subprocess.Popen[bytes]", port: int, log: Path) -> str:
    url = f"postgres://postgres@127.0.0.1:{port}/postgres"
    for _ in range(STARTED_WITHIN_S * 10):
        if _complaint_of(url) is None:
            return url
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        raise NotAvailable(f"a private PostgreSQL did not start: {log.read_text()[-500:]}")
    raise NotAvailable("a private PostgreSQL did not start in time")


def _owner() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError as error:
        raise NotAvailable("PostgreSQL does not run as root, and there is no user postgres") from error


def _start(command: list[str], owner: pwd.struct_passwd | None, log: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, stdout=log, stderr=log, cwd="/", start_new_session=True, **_as_user(owner))


def _run(command: list[str], owner: pwd.struct_passwd | None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **_as_user(owner))
    if done.returncode:
        raise NotAvailable(f"{command[0]} failed: {done.stderr.strip()[-300:]}")


def _as_user(owner: pwd.struct_passwd | None) -> dict[str, object]:
    if owner is None:
        return {}
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
