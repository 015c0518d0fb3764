"""A Redis for the tests: the one that is named, else one that runs here, else a private one.

Each session claims one numbered database by a lock in it, finds it empty, and leaves it empty.
"""

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import redis

from tests.services.availability import NotAvailable, find_program

USUAL_URL = "redis://127.0.0.1:6379"
DATABASES = range(15, 0, -1)  # never 0: that is where somebody's own data would be
CLAIM = "llmgateway-test-claim"
CLAIM_S = 3600
STARTED_WITHIN_S = 20


@contextmanager
def scratch_database() -> Iterator[str]:
    """Yield the URL of a database of its own. Raises NotAvailable."""
    with _server() as server:
        url, client, owner = _claim(server)
        try:
            yield url
        finally:
            if client.get(CLAIM) == owner:
                client.flushdb()
            client.close()


def _claim(server: str) -> tuple[str, "redis.Redis", bytes]:
    owner = uuid4().hex.encode()
    for number in DATABASES:
        url = urlsplit(server)._replace(path=f"/{number}").geturl()
        client = redis.Redis.from_url(url)
        if client.dbsize() == 0 and client.set(CLAIM, owner, nx=True, ex=CLAIM_S):
            return url, client, owner
        client.close()
    raise NotAvailable(f"every Redis database from {DATABASES[-1]} to {DATABASES[0]} is in use")


@contextmanager
def _server() -> Iterator[str]:
    named = os.environ.get("TEST_REDIS_URL")
    if named:
        complaint = _complaint_of(named)
        if complaint:
            raise NotAvailable(f"TEST_REDIS_URL names no Redis that answers: {complaint}")
        yield named
    elif _complaint_of(USUAL_URL) is None:
        yield USUAL_URL
    else:
        with _private_server() as private:
            yield private


def _complaint_of(url: str) -> str | None:
    client = redis.Redis.from_url(url, socket_connect_timeout=3)
    try:
        client.ping()
    except redis.RedisError as error:
        return str(error)
    finally:
        client.close()
    return None


@contextmanager
def _private_server() -> Iterator[str]:
    program = find_program("redis-server", package="redis-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="llmgateway-redis-") as directory:
        command = [str(program), "--bind", "127.0.0.1", "--port", str(port), "--dir", directory, "--save", ""]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield _wait_until_up(process, f"redis://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait(20)


def _wait_until_up(process: "subprocess.Popen[bytes]", url: str) -> str:
    for _ in range(STARTED_WITHIN_S * 10):
        if _complaint_of(url) is None:
            return url
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        raise NotAvailable("a private Redis did not start")
    raise NotAvailable("a private Redis did not start in time")
