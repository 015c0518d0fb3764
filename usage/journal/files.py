"""The files of a worker: `{worker}-{24 hex}.journal` and `.inflight`, locked for as long as the worker lives.

The lock tells the living from the dead, also after a kill; a name is never used twice.
"""

import fcntl
import os
import re
import time
from pathlib import Path

__all__ = [
    "INFLIGHT_SUFFIX",
    "JOURNAL_SUFFIX",
    "create_locked",
    "lock_file",
    "remove_unnamed",
    "require_worker_name",
    "worker_of",
]

JOURNAL_SUFFIX = ".journal"
INFLIGHT_SUFFIX = ".inflight"
_OPENING_SUFFIX = ".opening"
_WORKER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_UNIQUE_PART = re.compile(r"-[0-9a-f]{24}\Z")


def require_worker_name(worker: str) -> str:
    """Return a worker's name. Raises ValueError where it can't be part of a file's."""
    if not _WORKER_NAME.match(worker):
        raise ValueError(f"{worker!r} can't name a journal: use letters, digits, dots, dashes")
    return worker


def worker_of(path: Path) -> str:
    """Return the name of the worker whose file this is."""
    return _UNIQUE_PART.sub("", path.stem)


def create_locked(directory: Path, *, worker: str, suffix: str, flags: int) -> tuple[int, Path]:
    """Create, lock and name a new file; return its descriptor and path. Raises OSError.

    It gets its name after its lock, so that a shipper never sees a file without its living writer.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{worker}-{time.time_ns():016x}{os.urandom(4).hex()}{suffix}"
    opening = path.with_name(path.name + _OPENING_SUFFIX)
    fd = os.open(opening, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        opening.rename(path)
        _sync_directory(directory)
    except OSError:
        os.close(fd)
        opening.unlink(missing_ok=True)
        raise
    return fd, path


def lock_file(path: Path, *, shared: bool = False) -> int | None:
    """Take the lock that the writer of a file holds while it lives; `shared` lets several readers take it at once.

    Returns the open descriptor, to be closed by the caller; None while the writer lives or where the file is gone.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def remove_unnamed(directory: Path, *, worker: str) -> None:
    """Remove the file that a worker that is gone had not come to name; it holds nothing yet."""
    for opening in directory.glob(f"{worker}-*{_OPENING_SUFFIX}"):
        if worker_of(opening.with_suffix("")) == worker:
            opening.unlink(missing_ok=True)


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
