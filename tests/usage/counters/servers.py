"""A Redis of the test's own, to be emptied, stopped, killed and brought back."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import redis

from tests.services.availability import find_program
from tests.services.waiting import eventually


class PrivateRedis:
    """One server process with a directory of its own. Raises NotAvailable where there is no Redis."""

    def __init__(self, directory: Path, *options: str) -> None:
        self._program = find_program("redis-server", package="redis-server")
        self._directory = directory
        self._options = options
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> "redis.Redis":
        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        command = [str(self._program), "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._directory)]
        command += ["--save", "", *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            eventually(self._answers)
        except AssertionError:
            self.kill()
            raise

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        client = self.client
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
