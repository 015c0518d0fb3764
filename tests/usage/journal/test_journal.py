"""The journal: what was appended is on the disk once flushed, whatever the disk and the process do in between."""

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers.dialects.canonical import Usage
from tests.services.waiting import eventually
from usage.journal.files import create_locked, lock_file
from usage.journal.inflight import InflightFull, read_left
from usage.journal.journal import Journal
from usage.journal.lines import read_entries
from usage.records import AttemptRecord

Make = Callable[..., AttemptRecord]


def records_in(directory: Path) -> list[AttemptRecord]:
    return [record for path in sorted(directory.glob("*.journal")) for record, _ in read_entries(path, 0)]


def attempt_id_of(record: AttemptRecord) -> str:
    return record.attempt_id


def one_file(directory: Path) -> Path:
    (path,) = directory.glob("*.journal")
    return path


@pytest.fixture
def written(tmp_path: Path, make_record: Make) -> Path:
    """Return a finished journal of three records."""
    journal = Journal(tmp_path, worker="w1")
    for number in range(3):
        journal.append(make_record(number))
    journal.close()
    return one_file(tmp_path)


def test_what_was_appended_can_be_read_after_a_flush(tmp_path: Path, make_record: Make) -> None:
    journal = Journal(tmp_path, worker="w1")
    records = [make_record(number, user_id=7, error_code="ü", cost_nanos=None) for number in range(500)]
    for record in records:
        journal.append(record)
    assert journal.flush(10)
    assert records_in(tmp_path) == records
    assert journal.backlog == 0
    journal.close()


def test_appended_records_reach_the_disk_without_a_flush(tmp_path: Path, make_record: Make) -> None:
    journal = Journal(tmp_path, worker="w1", flush_interval_s=0.001, sync_interval_s=0.001)
    synced = threading.Event()
    journal._writer._sync = _then(journal._writer._sync, synced.set)  # type: ignore[method-assign]
    journal.append(make_record(1))
    assert synced.wait(10)
    assert records_in(tmp_path) == [make_record(1)]
    journal.close()


def test_records_of_several_threads_are_all_kept(tmp_path: Path, make_record: Make) -> None:
    journal = Journal(tmp_path, worker="w1", flush_interval_s=0)

    def append(first: int) -> None:
        for number in range(first, first + 500):
            journal.append(make_record(number))

    threads = [threading.Thread(target=append, args=(first,)) for first in (0, 500, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    assert sorted(r.attempt_id for r in records_in(tmp_path)) == [make_record(n).attempt_id for n in range(1500)]


def test_a_killed_process_leaves_what_was_flushed_and_no_lock(tmp_path: Path, make_record: Make) -> None:
    program = (
        "import os, sys, pathlib, msgspec\n"
        "from usage.journal.journal import Journal\n"
        "from usage.records import AttemptRecord\n"
        "journal = Journal(pathlib.Path(sys.argv[1]), worker='w1')\n"
        "journal.append(msgspec.json.decode(sys.argv[2], type=AttemptRecord))\n"
        "journal.flush()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    line = next(iter(_lines_of([make_record(1)], tmp_path / "other"))).split(b" ", 2)[2]
    subprocess.run([sys.executable, "-c", program, str(tmp_path), line.decode()], check=False, timeout=60)
    assert records_in(tmp_path) == [make_record(1)]
    fd = lock_file(one_file(tmp_path))
    assert fd is not None
    os.close(fd)


def test_a_file_is_locked_while_its_writer_lives(tmp_path: Path) -> None:
    journal = Journal(tmp_path, worker="w1")
    assert lock_file(journal.path) is None
    journal.close()
    fd = lock_file(journal.path)
    assert fd is not None
    os.close(fd)


def test_full_files_are_rotated_and_nothing_is_lost_or_torn(tmp_path: Path, make_record: Make) -> None:
    journal = Journal(tmp_path, worker="w1", rotate_bytes=1000)
    for number in range(20):
        journal.append(make_record(number))
        journal.flush()
    journal.close()
    files = sorted(tmp_path.glob("*.journal"))
    assert len(files) > 3
    assert all(path.read_bytes().endswith(b"\n") for path in files if path.stat().st_size)
    assert records_in(tmp_path) == [make_record(number) for number in range(20)]


def test_a_rotated_file_is_no_longer_locked(tmp_path: Path, make_record: Make) -> None:
    journal = Journal(tmp_path, worker="w1", rotate_bytes=1)
    first = journal.path
    journal.append(make_record(1))
    journal.close()
    assert journal.path != first
    fd = lock_file(first)
    assert fd is not None
    os.close(fd)


def test_a_worker_that_comes_back_takes_a_new_name(tmp_path: Path) -> None:
    first, second = Journal(tmp_path, worker="w1"), Journal(tmp_path, worker="w1")
    first.close()
    second.close()
    assert first.path != second.path


@pytest.mark.parametrize("name", ["", "../w1", "a/b", "w 1", "w" * 101])
def test_a_name_that_makes_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="can't name a journal"):
        Journal(tmp_path, worker=name)


def test_a_directory_that_can_not_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        Journal(tmp_path / "file" / "journal", worker="w1")


# A disk that fails


class Disk:
    """Stands before os.write or os.fdatasync and fails while told to."""

    def __init__(self, call: Callable[..., Any], error: int) -> None:
        self.call, self.error = call, error
        self.broken = True
        self.tried = threading.Event()

    def __call__(self, fd: int, *arguments: Any) -> Any:
        if self.broken:
            self.tried.set()
            raise OSError(self.error, os.strerror(self.error))
        return self.call(fd, *arguments)


def test_a_full_disk_keeps_records_in_memory_and_logs_once(
    tmp_path: Path, make_record: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("usage.journal.journal._RETRY_INTERVAL_S", 0.001)
    journal = Journal(tmp_path, worker="w1", max_backlog=5)
    disk = Disk(os.write, errno.ENOSPC)
    monkeypatch.setattr("usage.journal.writer.os.write", disk)
    journal.append(make_record(0))
    assert journal.flush(0.2) is False
    assert journal.failing
    assert journal.accepting
    for number in range(1, 5):
        journal.append(make_record(number))
    assert not journal.accepting
    disk.broken = False
    assert journal.flush(10)
    assert (journal.failing, journal.accepting, journal.backlog, journal.spilled) == (False, True, 0, 0)
    journal.close()
    assert records_in(tmp_path) == [make_record(number) for number in range(5)]
    messages = [record.getMessage() for record in caplog.records]
    assert sum("can't write" in message for message in messages) == 1
    assert sum("writes again" in message for message in messages) == 1


def test_a_line_half_written_before_the_disk_was_full_is_completed(
    tmp_path: Path, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.journal.journal._RETRY_INTERVAL_S", 0.001)
    journal = Journal(tmp_path, worker="w1")
    write, calls = os.write, iter(range(100))

    def write_little(fd: int, data: memoryview) -> int:
        if next(calls) % 2:
            raise OSError(errno.ENOSPC, "full")
        return write(fd, data[:100])

    monkeypatch.setattr("usage.journal.writer.os.write", write_little)
    journal.append(make_record(1))
    assert journal.flush(10)
    journal.close()
    assert records_in(tmp_path) == [make_record(1)]
    assert one_file(tmp_path).read_bytes().count(b"\n") == 1


def test_after_a_failed_sync_the_lines_go_to_a_new_file(
    tmp_path: Path, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.journal.journal._RETRY_INTERVAL_S", 0.001)
    journal = Journal(tmp_path, worker="w1")
    first = journal.path
    disk = Disk(os.fdatasync, errno.EIO)
    monkeypatch.setattr("usage.journal.writer.os.fdatasync", disk)
    journal.append(make_record(1))
    assert disk.tried.wait(10)
    disk.broken = False
    assert journal.flush(10)
    journal.close()
    assert journal.path != first
    assert [record for record, _ in read_entries(journal.path, 0)] == [make_record(1)]


def test_beyond_the_bound_and_after_the_end_a_record_goes_into_the_log(
    tmp_path: Path, make_record: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(tmp_path, worker="w1", max_backlog=2)
    disk = Disk(os.write, errno.ENOSPC)
    monkeypatch.setattr("usage.journal.writer.os.write", disk)
    journal.append(make_record(0))
    assert disk.tried.wait(10)
    for number in range(1, 6):
        journal.append(make_record(number))
    assert journal.spilled == 1
    assert "att_00000005" in caplog.text
    journal.close(timeout_s=0)
    journal.append(make_record(6))
    assert not journal.accepting
    assert journal.spilled == 7
    for number in range(7):
        assert caplog.text.count(f"att_{number:08d}") == 1


# Attempts under way


def left_in(directory: Path) -> list[AttemptRecord]:
    (path,) = directory.glob("*.inflight")
    return read_left(path)


def test_what_has_begun_and_how_far_it_came_is_there_at_once(tmp_path: Path, make_record: Make) -> None:
    journal = Journal(tmp_path, worker="w1")
    slot = journal.begin(make_record(1, ending="lost"))
    assert left_in(tmp_path) == [make_record(1, ending="lost")]
    further = make_record(1, ending="lost", usage=Usage(output_tokens=50))
    journal.revise(slot, further)
    assert left_in(tmp_path) == [further]
    journal.close()
    assert left_in(tmp_path) == [further]
    assert records_in(tmp_path) == []


def test_what_has_ended_is_in_the_journal_and_its_slot_is_free(tmp_path: Path, make_record: Make) -> None:
    journal = Journal(tmp_path, worker="w1")
    for number in range(3):
        journal.end(journal.begin(make_record(number, ending="lost")), make_record(number))
    assert journal.flush(10)
    assert records_in(tmp_path) == [make_record(number) for number in range(3)]
    assert left_in(tmp_path) == []
    assert journal.begin(make_record(4, ending="lost")) in range(256)
    journal.close()


def test_an_end_is_in_its_slot_until_it_is_on_the_disk(
    tmp_path: Path, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.journal.journal._RETRY_INTERVAL_S", 0.001)
    journal = Journal(tmp_path, worker="w1")
    disk = Disk(os.fdatasync, errno.EIO)
    monkeypatch.setattr("usage.journal.writer.os.fdatasync", disk)
    journal.end(journal.begin(make_record(1, ending="lost")), make_record(1))
    assert disk.tried.wait(10)
    assert left_in(tmp_path) == [make_record(1)]
    disk.broken = False
    assert journal.flush(10)
    assert left_in(tmp_path) == []
    journal.close()


def test_what_a_failing_disk_never_took_stays_in_its_slot(
    tmp_path: Path, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.journal.journal._RETRY_INTERVAL_S", 0.001)
    journal = Journal(tmp_path, worker="w1", max_backlog=2)
    slots = [journal.begin(make_record(number, ending="lost")) for number in range(10)]
    disk = Disk(os.write, errno.ENOSPC)
    monkeypatch.setattr("usage.journal.writer.os.write", disk)
    for number in range(9):
        journal.end(slots[number], make_record(number))
    assert not journal.accepting
    assert disk.tried.wait(10)
    journal.close(timeout_s=0)
    ended = [make_record(number) for number in range(9)]
    assert sorted(left_in(tmp_path), key=attempt_id_of) == [*ended, make_record(9, ending="lost")]
    assert journal.spilled == 0


def test_what_ends_after_the_close_goes_into_the_log(
    tmp_path: Path, make_record: Make, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(tmp_path, worker="w1")
    slot = journal.begin(make_record(1, ending="lost"))
    journal.close()
    journal.revise(slot, make_record(1, ending="lost"))
    journal.end(slot, make_record(1))
    assert journal.spilled == 1
    assert "att_00000001" in caplog.text
    with pytest.raises(InflightFull):
        journal.begin(make_record(2, ending="lost"))


def test_without_a_slot_nothing_begins_until_there_is_one(
    tmp_path: Path, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.journal.directory._LOOK_INTERVAL_S", 0.001)
    disk = Disk(os.posix_fallocate, errno.ENOSPC)
    journal = Journal(tmp_path, worker="w1", flush_interval_s=0.001)
    monkeypatch.setattr("usage.journal.inflight.os.posix_fallocate", disk)
    for number in range(256):
        journal.begin(make_record(number, ending="lost"))
    with pytest.raises(InflightFull):
        journal.begin(make_record(300, ending="lost"))
    assert not journal.accepting
    disk.broken = False
    eventually(lambda: journal.accepting)
    journal.begin(make_record(300, ending="lost"))
    journal.close()
    assert len(left_in(tmp_path)) == 257


def test_the_file_of_attempts_under_way_is_the_first_and_the_last_of_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created: list[str] = []
    create = create_locked

    def watch(directory: Path, **arguments: Any) -> tuple[int, Path]:
        created.append(arguments["suffix"])
        return create(directory, **arguments)

    monkeypatch.setattr("usage.journal.writer.create_locked", watch)
    monkeypatch.setattr("usage.journal.inflight.create_locked", watch)
    journal = Journal(tmp_path, worker="w1")
    assert created == [".inflight", ".journal"]
    close = journal._inflight.close

    def close_last() -> None:
        fd = lock_file(journal.path)
        assert fd is not None
        os.close(fd)
        created.append("closed")
        close()

    monkeypatch.setattr(journal._inflight, "close", close_last)
    journal.close()
    assert created[-1] == "closed"


# A directory that nobody ships


def test_a_directory_that_nobody_ships_alarms_and_then_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("usage.journal.directory._LOOK_INTERVAL_S", 0.001)
    journal = Journal(tmp_path, worker="w1", max_directory_bytes=1_000)
    assert (journal.backlog_bytes, journal.alarming, journal.accepting) == (0, False, True)
    other = tmp_path / "w2-0.journal"
    other.write_bytes(b"x" * 800)
    eventually(lambda: journal.alarming)
    assert (journal.backlog_bytes, journal.accepting) == (800, True)
    with other.open("ab") as file:  # grown, not written anew: the journal may look in between
        file.write(b"x" * 200)
    eventually(lambda: not journal.accepting)
    other.unlink()
    eventually(lambda: journal.accepting and not journal.alarming)
    journal.close()
    messages = [record.getMessage() for record in caplog.records]
    assert sum("wait in" in message for message in messages) == 1
    assert sum("are being shipped again" in message for message in messages) == 1


def test_a_full_directory_is_seen_before_the_first_call(tmp_path: Path) -> None:
    (tmp_path / "w2-0.journal").write_bytes(b"x" * 1_000)
    journal = Journal(tmp_path, worker="w1", max_directory_bytes=1_000)
    assert not journal.accepting
    journal.close()


def test_what_is_put_aside_or_under_way_is_no_backlog(tmp_path: Path) -> None:
    (tmp_path / "w2-0.journal.rejected").write_bytes(b"x" * 1_000)
    journal = Journal(tmp_path, worker="w1", max_directory_bytes=1_000)
    assert (journal.backlog_bytes, journal.accepting) == (0, True)
    journal.close()


def test_flushing_a_closed_journal_returns(tmp_path: Path) -> None:
    journal = Journal(tmp_path, worker="w1")
    journal.close()
    journal.close()
    assert journal.flush()


def _then(function: Callable[[], None], after: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        function()
        after()

    return both


def _lines_of(records: list[AttemptRecord], directory: Path) -> list[bytes]:
    journal = Journal(directory, worker="w")
    for record in records:
        journal.append(record)
    journal.close()
    return one_file(directory).read_bytes().splitlines()
