"""The files of a worker: a name used once, a lock that tells the living from the dead."""

import fcntl
import os
from pathlib import Path

import pytest

from usage.journal.files import (
    JOURNAL_SUFFIX,
    create_locked,
    lock_file,
    remove_unnamed,
    require_worker_name,
    worker_of,
)


def create(directory: Path, worker: str = "w1") -> tuple[int, Path]:
    return create_locked(directory, worker=worker, suffix=JOURNAL_SUFFIX, flags=os.O_WRONLY)


def test_a_file_has_its_lock_before_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named_at_lock: list[list[Path]] = []
    lock = fcntl.flock

    def watch(fd: int, operation: int) -> None:
        named_at_lock.append(list(tmp_path.glob("*.journal")))
        lock(fd, operation)

    monkeypatch.setattr("usage.journal.files.fcntl.flock", watch)
    fd, path = create(tmp_path)
    os.close(fd)
    assert named_at_lock == [[]]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_can_not_be_locked_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fd: int, operation: int) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr("usage.journal.files.fcntl.flock", refuse)
    with pytest.raises(OSError, match="no locks here"):
        create(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_worker_had_not_named_is_removed_and_nothing_else(tmp_path: Path) -> None:
    named = {}
    for worker in ("w1", "w1-2"):
        fd, path = create(tmp_path, worker)
        os.close(fd)
        named[worker] = path
        path.with_name(f"{path.name}.opening").touch()
    remove_unnamed(tmp_path, worker="w1")
    left = {named["w1"], named["w1-2"], named["w1-2"].with_name(f"{named['w1-2'].name}.opening")}
    assert set(tmp_path.iterdir()) == left


def test_a_name_is_never_used_twice(tmp_path: Path) -> None:
    (first, one), (second, other) = create(tmp_path), create(tmp_path)
    os.close(first)
    os.close(second)
    assert one != other


def test_the_lock_is_free_once_the_writer_is_gone(tmp_path: Path) -> None:
    fd, path = create(tmp_path)
    assert lock_file(path) is None
    assert lock_file(path, shared=True) is None
    os.close(fd)
    taken = lock_file(path)
    assert taken is not None
    assert lock_file(path, shared=True) is None
    os.close(taken)


def test_readers_may_share_the_lock(tmp_path: Path) -> None:
    fd, path = create(tmp_path)
    os.close(fd)
    one, other = lock_file(path, shared=True), lock_file(path, shared=True)
    assert one is not None
    assert other is not None
    assert lock_file(path) is None
    os.close(one)
    os.close(other)


def test_a_file_that_is_gone_has_no_lock(tmp_path: Path) -> None:
    assert lock_file(tmp_path / "w1-0.journal") is None


@pytest.mark.parametrize("worker", ["w1", "host-12-ab", "w-" + "a" * 24])
def test_the_name_of_a_file_tells_the_worker(tmp_path: Path, worker: str) -> None:
    fd, path = create(tmp_path, worker)
    os.close(fd)
    assert worker_of(path) == worker


@pytest.mark.parametrize("name", ["", "../w1", "a/b", "w 1", "w" * 101])
def test_a_name_that_makes_no_file_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="can't name a journal"):
        require_worker_name(name)
