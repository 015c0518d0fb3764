"""`llmgateway serve`: workers on one listening socket, the housekeeper beside them, and an orderly end.

This process only supervises: it restarts a worker that died, and on SIGTERM or SIGINT lets the workers drain, then
lets the housekeeper ship what they wrote.
"""

import ctypes
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

logger = logging.getLogger("gateway_project.serve")

HOUSEKEEPER = "housekeeper"
PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
RESTART_PAUSE_S = 1.0
POLL_INTERVAL_S = 0.2
DRAIN_MARGIN_S = 5.0
ORDERLY = (0, -signal.SIGTERM)  # a child that was still starting had nothing to drain, and no handler yet


class CannotServe(Exception):
    """The deployment asked for can't work; the message says why and what to do."""


def open_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket that child processes may share. Raises CannotServe where the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:  # OverflowError: a port beyond 65535
        listener.close()
        raise CannotServe(f"can't listen on {host}:{port}: {getattr(error, 'strerror', None) or error}") from error
    listener.listen(2048)
    listener.set_inheritable(True)
    return listener


def require_shared_counters(*, workers: int, redis_url: str) -> None:
    """Raise CannotServe for several workers without Redis: limits would be counted once a worker."""
    if workers < 1:
        raise CannotServe("--workers must be at least 1")
    if workers > 1 and not redis_url:
        raise CannotServe(
            f"{workers} workers need Redis, so that limits and budgets hold across them: set REDIS_URL, "
            "or serve with --workers 1"
        )


@dataclass(slots=True)
class Supervisor:
    """Keeps `workers` worker processes and one housekeeper alive until told to stop."""

    listener: socket.socket
    workers: int
    drain_s: float
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; return the exit status: 0 after an orderly end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note_signal)
        names = [HOUSEKEEPER, *(f"worker-{number}" for number in range(1, self.workers + 1))]
        for name in names:
            self._start(name)
        while not self._stop.wait(POLL_INTERVAL_S):
            for name in names:
                self._restart_if_dead(name)
        return self._end()

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    def _start(self, name: str) -> None:
        shared: tuple[int, ...] = ()
        command = [sys.executable, "-m", "django", HOUSEKEEPER]
        if name != HOUSEKEEPER:
            shared = (self.listener.fileno(),)
            command = [sys.executable, "-m", "gateway_project.worker", "--fd", str(self.listener.fileno())]
        self._children[name] = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
            command,
            pass_fds=shared,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has one thread
        )

    def _restart_if_dead(self, name: str) -> None:
        status = self._children[name].poll()
        if status is not None and not self._stop.is_set():
            logger.error("process died; starting it again", extra={"child": name, "status": status})
            time.sleep(RESTART_PAUSE_S)
            self._start(name)

    def _end(self) -> int:
        self.listener.close()
        logger.info("stopping: running calls are drained", extra={"drain_s": self.drain_s})
        housekeeper = self._children.pop(HOUSEKEEPER)
        statuses = [_end_process(child, self.drain_s + DRAIN_MARGIN_S) for child in _told_to_stop(self._children)]
        statuses += [_end_process(child, DRAIN_MARGIN_S * 4) for child in _told_to_stop({"": housekeeper})]
        logger.info("stopped")
        return 0 if all(status in ORDERLY for status in statuses) else 1


def share_metrics(directory: Path) -> None:
    """Let workers to come count into files of one directory, so that any of them can answer for all."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)


def _die_with_parent() -> None:
    """Ask the kernel to end this child when the supervisor is killed: nobody would drain or restart it any more."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _told_to_stop(children: dict[str, subprocess.Popen[bytes]]) -> list[subprocess.Popen[bytes]]:
    for child in children.values():
        child.send_signal(signal.SIGTERM)
    return list(children.values())


def _end_process(child: subprocess.Popen[bytes], wait_s: float) -> int:
    try:
        return child.wait(wait_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return 1
