"""Start, pin, watch and end the processes under test.

CPU and memory are read from /proc over the whole tree, because a candidate may fork workers and a housekeeper, and
what those use is part of its price.
"""

import contextlib
import http.client
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_END_WITHIN_S = 15
_UNWANTED = ("DATABASE_URL", "REDIS_", "GATEWAY_", "DJANGO_", "LITELLM_", "OPENAI_")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class CandidateError(Exception):
    """A candidate that cannot be installed, started or measured; the message says why."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: arguments, extra environment and the path that answers once it is up ("": it only listens)."""

    argv: Sequence[str]
    env: Mapping[str, str]
    ready_path: str
    ready_within_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Tree:
    """A started process and everything below it."""

    pid: int

    def pids(self) -> list[int]:
        """Return the members: descendants, and whoever shares the session after losing its parent."""
        stats = list(_stats())
        members = {self.pid}
        while grown := {s.pid for s in stats if s.parent in members or s.session == self.pid} - members:
            members |= grown
        return sorted(members)

    def cpu_s(self, pids: Sequence[int] | None = None) -> float:
        """Return the user and system seconds used so far, ended children included."""
        members = set(pids or self.pids())
        return sum(s.ticks for s in _stats_of(members)) / _TICKS_PER_S

    def serving(self) -> list[int]:
        """Return the members that answer calls: all but the housekeeper, which ships usage afterwards."""
        return [pid for pid in self.pids() if b"housekeeper" not in _command_line(pid)]

    def pss_kib(self) -> int:
        """Return the proportional set size, shared pages split between their users."""
        return sum(_pss_kib(pid) for pid in self.pids())


@contextlib.contextmanager
def running(command: Command, *, core: int, port: int, log: Path) -> Iterator[Tree]:
    """Run a command pinned to one core until the block ends, and leave nothing of it behind."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *command.argv],
            env={**_clean_environment(), **command.env},
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    tree = Tree(process.pid)
    try:
        _wait_ready(process, command, port, log)
        yield tree
    finally:
        _end(process, tree)


def ask(
    port: int,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout_s: float = 2.0,
) -> tuple[int, bytes]:
    """Return status and body of one request on loopback."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def raise_file_limit() -> None:
    """Allow as many open sockets as the system lets us have; children inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def wait_quiet(tree: Tree, *, at_most_s: float = 3.0) -> None:
    """Wait until the tree uses under 3 % of a core, so that work put off still counts for the calls that caused it."""
    until = time.monotonic() + at_most_s
    before = tree.cpu_s()
    while time.monotonic() < until:
        time.sleep(0.35)
        now = tree.cpu_s()
        if now - before <= 0.01:
            return
        before = now


class Machine:
    """Watches how much of the machine others use, since their noise is in every figure."""

    def __init__(self) -> None:
        self._busy_s, self._idle_s, self._own_s = self._read()

    def foreign_share(self) -> float:
        """Return the share of all cores that went to processes other than ours and their ended children."""
        busy_s, idle_s, own_s = self._read()
        foreign_s = (busy_s - self._busy_s) - (own_s - self._own_s)
        whole_s = (busy_s - self._busy_s) + (idle_s - self._idle_s)
        return max(0.0, foreign_s / whole_s) if whole_s else 0.0

    @staticmethod
    def _read() -> tuple[float, float, float]:
        ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        idle = ticks[3] + ticks[4]
        return (sum(ticks) - idle) / _TICKS_PER_S, idle / _TICKS_PER_S, sum(os.times()[:4])


@dataclass(frozen=True, slots=True)
class _Stat:
    pid: int
    parent: int
    session: int
    ticks: int
    started: int  # tells a process from a later one with the same number


def _stats() -> Iterator[_Stat]:
    yield from _stats_of(int(entry) for entry in os.listdir("/proc") if entry.isdigit())


def _stats_of(pids: Iterable[int]) -> Iterator[_Stat]:
    for pid in pids:
        with contextlib.suppress(OSError):
            yield parse_stat(Path(f"/proc/{pid}/stat").read_text())


def parse_stat(line: str) -> _Stat:
    """Read one /proc/PID/stat line; the name in brackets may hold blanks and brackets itself."""
    pid = int(line.split(" ", 1)[0])
    rest = line.rsplit(")", 1)[1].split()
    ticks = sum(int(word) for word in rest[11:15])
    return _Stat(pid, parent=int(rest[1]), session=int(rest[3]), ticks=ticks, started=int(rest[19]))


def _clean_environment() -> dict[str, str]:
    """Return our environment without what would point a candidate at somebody's database or settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_UNWANTED)}


def _command_line(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _pss_kib(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def _wait_ready(process: subprocess.Popen[bytes], command: Command, port: int, log: Path) -> None:
    until = time.monotonic() + command.ready_within_s
    if not command.ready_path:
        _wait_listening(process, command, port, log)
        return
    while time.monotonic() < until:
        if process.poll() is not None:
            raise CandidateError(f"ended with status {process.returncode}: {_last_line(log)}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            if ask(port, command.ready_path)[0] < 500:
                return
        time.sleep(0.1)
    raise CandidateError(f"not ready within {command.ready_within_s:.0f} s: {_last_line(log)}")


def _wait_listening(process: subprocess.Popen[bytes], command: Command, port: int, log: Path) -> None:
    """Wait for a server that doesn't speak HTTP."""
    until = time.monotonic() + command.ready_within_s
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise CandidateError(f"doesn't listen: {_last_line(log)}")


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].replace(f"{Path.cwd()}/", "")[:200] if lines else "it printed nothing"


def _end(process: subprocess.Popen[bytes], tree: Tree) -> None:
    """Ask the root to end, as an operator would; whoever of its tree is left after that is killed."""
    members = [stat for stat in _stats_of(tree.pids()) if stat.pid != process.pid]
    process.terminate()
    try:
        process.wait(timeout=_END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stat in _stats_of(member.pid for member in members):
        if any(stat.pid == member.pid and stat.started == member.started for member in members):
            with contextlib.suppress(ProcessLookupError):
                os.kill(stat.pid, signal.SIGKILL)
