"""The shipper: every record and every sum once, on both databases, whatever is raised in between."""

import operator
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models import Sum

from providers.dialects.canonical import Usage
from tests.services.waiting import eventually
from usage.journal.files import lock_file, worker_of
from usage.journal.journal import Journal
from usage.ledger import shipper as shipper_module
from usage.ledger.shipper import Shipper
from usage.models import BudgetBalance, Denial, JournalPosition, LedgerEntry, UsageHour, UsageRecord
from usage.records import AttemptRecord, Charge, DenialRecord

Make = Callable[..., AttemptRecord]
Write = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def write_journal(tmp_path: Path) -> Write:
    """Return a writer of finished journals."""

    def write(*records: AttemptRecord, worker: str = "w1") -> Path:
        journal = Journal(tmp_path, worker=worker)
        for record in records:
            journal.append(record)
        journal.close()
        return journal.path

    return write


def attempt_ids() -> list[str]:
    return sorted(UsageRecord.objects.values_list("pk", flat=True))


def sums() -> dict[str, int]:
    totals = UsageHour.objects.aggregate(attempts=Sum("attempts"), cost_nanos=Sum("cost_nanos"))
    return {name: int(value or 0) for name, value in totals.items()}


def rejected_in(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.glob("*.rejected")))


def test_a_record_becomes_its_row(tmp_path: Path, write_journal: Write, make_record: Make) -> None:
    used = Usage(
        input_tokens=100,
        cached_input_tokens=40,
        cache_write_tokens=30,
        output_tokens=20,
        reasoning_tokens=10,
        audio_input_tokens=5,
        audio_output_tokens=4,
        images=3,
        characters=2,
        audio_ms=1_500,
        searches=1,
        estimated=True,
    )
    record = AttemptRecord(
        attempt_id="att_1",
        request_id="req_1",
        started_at_ns=1_767_225_600_123_456_789,
        tenant_id=2,
        key_id=3,
        operation="chat",
        route="smart",
        target="acme/acme-1",
        provider="acme",
        model="acme-1",
        ending="cut",
        user_id=4,
        attempt_number=5,
        chosen_because="weight",
        streamed=True,
        status=200,
        error_code="upstream_cut",
        finish_reason="stop",
        usage=used,
        cost_nanos=123_456_789_012,
        price_id=6,
        latency_us=7,
        first_byte_us=8,
    )
    write_journal(record)
    assert Shipper(tmp_path).ship_once() == 1
    row = UsageRecord.objects.get()
    assert row.started_at.isoformat() == "2026-01-01T00:00:00.123456+00:00"
    assert row.tokens_estimated is True
    of_money = {"charges", "reserved_nanos", "released_nanos"}
    same = set(AttemptRecord.__struct_fields__) - {"usage", "started_at_ns"} - of_money
    assert {name: getattr(row, name) for name in same} == {name: getattr(record, name) for name in same}
    of_usage = set(Usage.__struct_fields__) - {"estimated"}
    assert {name: getattr(row, name) for name in of_usage} == {name: getattr(used, name) for name in of_usage}


def test_hours_hold_the_sums_of_their_records(tmp_path: Path, write_journal: Write, make_record: Make) -> None:
    write_journal(
        make_record(0),
        make_record(1, ending="cancelled", cost_nanos=None),
        make_record(2, ending="failed", usage=Usage(), cost_nanos=0),
        make_record(3_600),
        make_record(3, route="other"),
        make_record(4, key_id=2),
    )
    assert Shipper(tmp_path).ship_once() == 6
    assert UsageHour.objects.count() == 4
    hour = UsageHour.objects.get(hour="2026-01-01T00:00:00Z", route="smart", key_id=1)
    assert (hour.attempts, hour.errors, hour.unpriced_attempts) == (3, 1, 1)
    assert (hour.input_tokens, hour.output_tokens, hour.cost_nanos, hour.latency_us) == (20, 10, 1_000, 750)


def test_a_second_batch_adds_to_the_same_hour(tmp_path: Path, write_journal: Write, make_record: Make) -> None:
    write_journal(*map(make_record, range(10)))
    assert Shipper(tmp_path, batch_records=3).ship_once() == 10
    assert UsageHour.objects.count() == 1
    assert sums() == {"attempts": 10, "cost_nanos": 10_000}


def test_shipping_again_ships_nothing(tmp_path: Path, write_journal: Write, make_record: Make) -> None:
    write_journal(make_record(1))
    write_journal(make_record(1), make_record(2), make_record(2), worker="w2")
    shipper = Shipper(tmp_path)
    assert shipper.ship_once() == 2
    assert shipper.ship_once() == 0
    assert sums() == {"attempts": 2, "cost_nanos": 2_000}


def test_a_lost_position_counts_nothing_twice(tmp_path: Path, make_record: Make) -> None:
    journal = Journal(tmp_path, worker="w1")
    journal.append(make_record(1))
    journal.flush()
    assert Shipper(tmp_path).ship_once() == 1
    JournalPosition.objects.all().delete()
    assert Shipper(tmp_path).ship_once() == 0
    journal.close()
    assert sums() == {"attempts": 1, "cost_nanos": 1_000}


@pytest.mark.parametrize("step", ["insert_attempts", "_move_position"])
def test_a_crash_inside_a_batch_loses_and_repeats_nothing(
    tmp_path: Path, write_journal: Write, make_record: Make, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    write_journal(*map(make_record, range(5)))

    def crash(*_arguments: object) -> None:
        raise OperationalError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(shipper_module, step, crash)
        with pytest.raises(OperationalError):
            Shipper(tmp_path).ship_once()
    assert attempt_ids() == []
    assert Shipper(tmp_path).ship_once() == 5
    assert sums() == {"attempts": 5, "cost_nanos": 5_000}


def test_a_crash_after_the_commit_repeats_nothing(
    tmp_path: Path, write_journal: Write, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_journal(make_record(1))

    def crash(*_arguments: object) -> None:
        raise OperationalError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(Shipper, "_finish_file", crash)
        with pytest.raises(OperationalError):
            Shipper(tmp_path).ship_once()
    assert path.exists()
    assert Shipper(tmp_path).ship_once() == 0
    assert not path.exists()
    assert sums() == {"attempts": 1, "cost_nanos": 1_000}


def test_two_shippers_at_once_count_everything_once(tmp_path: Path, write_journal: Write, make_record: Make) -> None:
    for worker in range(3):
        write_journal(*map(make_record, range(worker * 100, worker * 100 + 150)), worker=f"w{worker}")
    start = threading.Barrier(2)

    def ship() -> None:
        start.wait(30)
        shipper = Shipper(tmp_path, batch_records=20)
        while list(tmp_path.glob("*.journal")):
            try:
                shipper.ship_once()
            except OperationalError:
                continue
        connection.close()

    threads = [threading.Thread(target=ship, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert attempt_ids() == [make_record(number).attempt_id for number in range(350)]
    assert sums() == {"attempts": 350, "cost_nanos": 350_000}
    assert rejected_in(tmp_path) == b""


def test_a_stretch_that_another_shipper_took_is_left_alone(
    tmp_path: Path, write_journal: Write, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_journal(*map(make_record, range(4)))
    ours = Shipper(tmp_path)
    ship = shipper_module._ship_entries

    def let_another_go_first(*arguments: Any) -> int:
        monkeypatch.setattr(shipper_module, "_ship_entries", ship)
        half = list(shipper_module.scan_entries(path, 0))[:2]
        assert ship(path, 0, half) == 2
        return ship(*arguments)

    monkeypatch.setattr(shipper_module, "_ship_entries", let_another_go_first)
    assert ours.ship_once() == 2
    assert sums() == {"attempts": 4, "cost_nanos": 4_000}


@pytest.mark.parametrize("moment", ["_ship_entries", "_lock_position"])
def test_a_file_that_another_shipper_finished_meanwhile_is_left_alone(
    tmp_path: Path, write_journal: Write, make_record: Make, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    write_journal(*map(make_record, range(4)))
    go_on = getattr(shipper_module, moment)

    def let_another_finish(*arguments: Any) -> int:
        monkeypatch.setattr(shipper_module, moment, go_on)
        assert Shipper(tmp_path).ship_once() == 4
        return int(go_on(*arguments))

    monkeypatch.setattr(shipper_module, moment, let_another_finish)
    assert Shipper(tmp_path).ship_once() == 0
    assert sums() == {"attempts": 4, "cost_nanos": 4_000}
    assert not JournalPosition.objects.exists()
    assert not list(tmp_path.glob("*.journal"))


def test_a_position_that_goes_while_it_is_waited_for_belonged_to_a_finished_file(
    tmp_path: Path, write_journal: Write, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_journal(make_record(1))
    with monkeypatch.context() as patch:
        patch.setattr(JournalPosition.objects, "get_or_create", lambda pk: patch.undo())
        assert Shipper(tmp_path).ship_once() == 1
    assert sums() == {"attempts": 1, "cost_nanos": 1_000}


# Files


def test_a_finished_file_goes_and_its_position_with_it(tmp_path: Path, write_journal: Write, make_record: Make) -> None:
    path = write_journal(make_record(1))
    empty = write_journal(worker="w2")
    Shipper(tmp_path).ship_once()
    assert not path.exists()
    assert not empty.exists()
    assert not JournalPosition.objects.exists()


def test_the_file_of_a_living_writer_stays_and_is_followed(tmp_path: Path, make_record: Make) -> None:
    journal = Journal(tmp_path, worker="w1")
    shipper = Shipper(tmp_path)
    for number in range(3):
        journal.append(make_record(number))
        journal.flush()
        assert shipper.ship_once() == 1
        assert shipper.ship_once() == 0
    assert journal.path.exists()
    assert JournalPosition.objects.get().offset_bytes == journal.path.stat().st_size
    journal.close()
    assert shipper.ship_once() == 0
    assert not journal.path.exists()


def test_following_an_idle_file_asks_the_database_nothing(
    tmp_path: Path, make_record: Make, django_assert_num_queries: Any
) -> None:
    journal = Journal(tmp_path, worker="w1")
    journal.append(make_record(1))
    journal.flush()
    shipper = Shipper(tmp_path)
    shipper.ship_once()
    with django_assert_num_queries(0, connection=connection):
        shipper.ship_once()
    journal.close()


def test_the_torn_end_of_a_dead_writer_is_kept_aside(tmp_path: Path, write_journal: Write, make_record: Make) -> None:
    path = write_journal(make_record(1), make_record(2))
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    assert Shipper(tmp_path).ship_once() == 1
    assert not path.exists()
    assert rejected_in(tmp_path) == whole[:-5].splitlines(keepends=True)[1]


def test_the_torn_end_of_a_living_writer_waits(tmp_path: Path, make_record: Make) -> None:
    journal = Journal(tmp_path, worker="w1")
    journal.append(make_record(1))
    journal.flush()
    with journal.path.open("ab") as file:
        file.write(b"0000")
    assert Shipper(tmp_path).ship_once() == 1
    assert journal.path.exists()
    assert rejected_in(tmp_path) == b""
    journal.close()


def test_a_damaged_line_is_kept_aside_and_the_rest_shipped(
    tmp_path: Path, write_journal: Write, make_record: Make
) -> None:
    path = write_journal(*map(make_record, range(3)))
    damaged = path.read_bytes().replace(b"att_00000001", b"att_0000000X")
    path.write_bytes(damaged)
    assert Shipper(tmp_path).ship_once() == 2
    assert rejected_in(tmp_path) == damaged.splitlines(keepends=True)[1]


def test_a_file_that_can_not_be_read_does_not_hold_up_the_others(
    tmp_path: Path, write_journal: Write, make_record: Make
) -> None:
    (tmp_path / "w0-1.journal").mkdir()
    write_journal(make_record(1))
    with pytest.raises(IsADirectoryError):
        Shipper(tmp_path).ship_once()
    assert attempt_ids() == ["att_00000001"]


# Poison


@pytest.mark.parametrize(
    "poison",
    [
        {"usage": Usage(input_tokens=1, cached_input_tokens=2)},
        {"cost_nanos": 10**16},
        {"cost_nanos": -1},
        {"usage": Usage(output_tokens=-1)},
        {"tenant_id": 2**63},
    ],
)
def test_poison_is_put_aside_and_nothing_else_is_lost(
    tmp_path: Path, write_journal: Write, make_record: Make, poison: dict[str, Any]
) -> None:
    path = write_journal(*[make_record(n, **(poison if n == 4 else {})) for n in range(9)])
    line = path.read_bytes().splitlines(keepends=True)[4]
    assert Shipper(tmp_path).ship_once() == 8
    assert attempt_ids() == [f"att_{n:08d}" for n in range(9) if n != 4]
    assert sums() == {"attempts": 8, "cost_nanos": 8_000}
    assert rejected_in(tmp_path) == line
    assert not path.exists()


def test_what_was_used_counts_however_long_its_names(tmp_path: Path, write_journal: Write, make_record: Make) -> None:
    write_journal(make_record(1, route="r" * 5_000, model="m\0m", request_id="q" * 500))
    assert Shipper(tmp_path).ship_once() == 1
    row = UsageRecord.objects.get()
    assert (row.route, row.model, row.request_id) == ("r" * 200, "mm", "q" * 128)


# Money and denials


def test_the_ledger_hears_of_new_attempts_and_of_their_worker(
    tmp_path: Path, write_journal: Write, make_record: Make
) -> None:
    charge = Charge("b1.0.", 24_312)
    write_journal(make_record(1, charges=(charge,), reserved_nanos=1_500, released_nanos=500), worker="w1")
    write_journal(make_record(1, charges=(charge,)), make_record(2, charges=(charge,)), worker="w2")
    assert Shipper(tmp_path).ship_once() == 2
    kinds = LedgerEntry.objects.order_by("attempt_id", "kind").values_list("attempt_id", "kind", "worker")
    assert list(kinds) == [
        ("att_00000001", "post", "w1"),
        ("att_00000001", "reserve", "w1"),
        ("att_00000001", "void", "w1"),
        ("att_00000002", "post", "w2"),
    ]
    balances = BudgetBalance.objects.order_by("worker").values_list("worker", "posted_nanos", "posts")
    assert list(balances) == [("w1", 1_000, 1), ("w2", 1_000, 1)]


def test_denials_are_shipped_beside_attempts_and_once(tmp_path: Path, make_record: Make) -> None:
    denial = DenialRecord(
        denial_id="den_1",
        request_id="req_1",
        at_ns=1_767_225_600_000_000_000,
        tenant_id=1,
        key_id=1,
        route="smart",
        code="rate_limit_exceeded",
        rule="per minute",
    )
    journal = Journal(tmp_path, worker="w1")
    journal.append(denial)
    journal.append(make_record(1))
    journal.append(denial)
    journal.close()
    assert Shipper(tmp_path).ship_once() == 1
    assert Denial.objects.get().rule == "per minute"
    assert attempt_ids() == ["att_00000001"]


# Workers that are gone


class Told(list[str]):
    """Hears which workers are finished; raises so many times first."""

    def __init__(self, directory: Path, failures: int = 0) -> None:
        super().__init__()
        self.directory = directory
        self.failures = failures

    def __call__(self, worker: str) -> None:
        assert worker not in {worker_of(path) for path in self.directory.glob("*.journal")}
        self.append(worker)
        if len(self) <= self.failures:
            raise RuntimeError("nobody hears")


def files_in(directory: Path) -> set[str]:
    return {path.suffix for path in directory.iterdir()}


def lost(make_record: Make, number: int, **changes: Any) -> AttemptRecord:
    return make_record(number, ending="lost", **changes)


def test_what_a_dead_worker_had_under_way_is_shipped_as_it_was_known(tmp_path: Path, make_record: Make) -> None:
    charge = Charge("b1.0.", 24_312)
    journal = Journal(tmp_path, worker="w1")
    journal.end(journal.begin(lost(make_record, 1)), make_record(1))
    journal.begin(lost(make_record, 2, charges=(charge,), cost_nanos=300, reserved_nanos=1_000, released_nanos=700))
    revised = journal.begin(lost(make_record, 3))
    journal.revise(revised, lost(make_record, 3, usage=Usage(output_tokens=70, estimated=True), cost_nanos=7))
    shipper = Shipper(tmp_path, on_finished=Told(tmp_path))
    journal.flush()
    assert shipper.ship_once() == 1  # the living keep what they have under way
    journal.close()
    assert shipper.ship_once() == 2
    assert shipper.ship_once() == 0
    rows = UsageRecord.objects.order_by("pk").values_list("ending", "output_tokens", "cost_nanos")
    assert list(rows) == [("completed", 5, 1_000), ("lost", 5, 300), ("lost", 70, 7)]
    assert sums() == {"attempts": 3, "cost_nanos": 1_307}
    assert BudgetBalance.objects.get().worker == "w1"
    assert LedgerEntry.objects.get(kind="expire").amount_nanos == 700


def test_what_ended_on_a_failing_disk_is_shipped_from_its_slot(
    tmp_path: Path, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, worker="w1")
    with monkeypatch.context() as patch:
        patch.setattr("usage.journal.writer.os.write", _raise(OSError(28, "full")))
        for number in range(5):
            journal.end(journal.begin(lost(make_record, number)), make_record(number))
        journal.close(timeout_s=0)
    assert Shipper(tmp_path, batch_records=2).ship_once() == 5
    assert set(UsageRecord.objects.values_list("ending", flat=True)) == {"completed"}


def test_what_is_in_the_journal_and_in_a_slot_counts_once(tmp_path: Path, make_record: Make) -> None:
    journal = Journal(tmp_path, worker="w1")
    journal.begin(make_record(1))  # as if killed between the write and the freeing of the slot
    journal.append(make_record(1))
    journal.close()
    assert Shipper(tmp_path, on_finished=Told(tmp_path)).ship_once() == 1
    assert sums() == {"attempts": 1, "cost_nanos": 1_000}


def test_a_worker_is_finished_once_all_of_it_is_shipped(tmp_path: Path, make_record: Make) -> None:
    told = Told(tmp_path)
    shipper = Shipper(tmp_path, on_finished=told)
    living, gone = Journal(tmp_path, worker="living"), Journal(tmp_path, worker="gone")
    gone.begin(lost(make_record, 1))
    gone.append(make_record(2))
    gone.path.with_name("gone-0123456789abcdef01234567.journal.opening").touch()  # killed while it opened another
    shipper.ship_once()
    assert told == []
    gone.close()
    shipper.ship_once()
    shipper.ship_once()
    assert told == ["gone"]
    assert not list(tmp_path.glob("gone-*"))
    assert len(list(tmp_path.glob("living-*"))) == 2
    assert set(JournalPosition.objects.values_list("pk", flat=True)) <= {living.path.name}
    living.close()


def test_that_a_worker_is_finished_is_told_until_it_is_heard(
    tmp_path: Path, make_record: Make, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told(tmp_path, failures=2)
    journal = Journal(tmp_path, worker="w1")
    journal.begin(lost(make_record, 1))
    journal.close()
    shipper = Shipper(tmp_path, on_finished=told)
    assert [shipper.ship_once() for _ in range(2)] == [1, 0]
    assert files_in(tmp_path) == {".inflight"}
    assert Shipper(tmp_path, on_finished=told).ship_once() == 0  # and by another, after a crash of this one
    assert Shipper(tmp_path, on_finished=told).ship_once() == 0
    assert told == ["w1"] * 3
    assert files_in(tmp_path) == set()
    assert caplog.text.count("could not be told") == 1


def test_without_somebody_to_tell_the_last_file_stays(tmp_path: Path, make_record: Make) -> None:
    journal = Journal(tmp_path, worker="w1")
    journal.begin(lost(make_record, 1))
    journal.close()
    shipper = Shipper(tmp_path)
    assert [shipper.ship_once() for _ in range(2)] == [1, 0]
    assert files_in(tmp_path) == {".inflight"}
    told = Told(tmp_path)
    assert Shipper(tmp_path, on_finished=told).ship_once() == 0
    assert told == ["w1"]
    assert sums() == {"attempts": 1, "cost_nanos": 1_000}


def test_a_journal_that_can_not_be_read_holds_its_worker_open(tmp_path: Path) -> None:
    journal = Journal(tmp_path, worker="w1")
    journal.close()
    (tmp_path / ("w1-" + "0" * 24 + ".journal")).mkdir()
    told = Told(tmp_path)
    with pytest.raises(IsADirectoryError):
        Shipper(tmp_path, on_finished=told).ship_once()
    assert told == []
    assert ".inflight" in files_in(tmp_path)


def test_what_a_worker_wrote_between_the_looks_at_its_files_is_shipped(
    tmp_path: Path, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, worker="w1")
    journal.append(make_record(1))
    journal.flush()
    told = Told(tmp_path)
    shipper = Shipper(tmp_path, on_finished=told)
    ship_dead_worker = shipper._ship_dead_worker

    def die_first(path: Path, stop: threading.Event) -> int:
        journal.append(make_record(2))
        journal.close()
        return ship_dead_worker(path, stop)

    monkeypatch.setattr(shipper, "_ship_dead_worker", die_first)
    assert shipper.ship_once() == 2
    assert told == ["w1"]


def test_a_worker_is_not_finished_while_one_of_its_journals_is_there(tmp_path: Path, make_record: Make) -> None:
    journal = Journal(tmp_path, worker="w1")
    journal.append(make_record(1))
    journal.close()
    told = Told(tmp_path)
    shipper = Shipper(tmp_path, on_finished=told)
    held = lock_file(journal.path)
    assert held is not None
    assert shipper.ship_once() == 1
    assert told == []
    os.close(held)
    assert shipper.ship_once() == 0
    assert told == ["w1"]


def test_one_workers_name_may_begin_like_anothers(tmp_path: Path, make_record: Make) -> None:
    living = Journal(tmp_path, worker="w-1")
    living.append(make_record(1))
    living.flush()
    Journal(tmp_path, worker="w").close()
    told = Told(tmp_path)
    Shipper(tmp_path, on_finished=told).ship_once()
    assert told == ["w"]
    living.close()


def test_poison_that_was_under_way_is_put_aside(tmp_path: Path, make_record: Make) -> None:
    journal = Journal(tmp_path, worker="w1")
    for number in range(5):
        journal.begin(lost(make_record, number, cost_nanos=-1 if number == 3 else 1))
    journal.close()
    told = Told(tmp_path)
    assert Shipper(tmp_path, on_finished=told).ship_once() == 4
    assert b"att_00000003" in rejected_in(tmp_path)
    assert told == ["w1"]


def test_two_shippers_at_once_finish_the_dead_once(tmp_path: Path, make_record: Make) -> None:
    for worker in range(4):
        journal = Journal(tmp_path, worker=f"w{worker}")
        for number in range(worker * 100, worker * 100 + 60):
            slot = journal.begin(lost(make_record, number))
            if number % 2:
                journal.end(slot, make_record(number))
        journal.close()
    start = threading.Barrier(2)
    told: list[str] = []
    shipped: list[int] = []

    def ship() -> None:
        start.wait(30)
        shipper = Shipper(tmp_path, batch_records=7, on_finished=told.append)
        while list(tmp_path.glob("*.inflight")):
            try:
                shipped.append(shipper.ship_once())
            except OperationalError:
                continue
        connection.close()

    threads = [threading.Thread(target=ship, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sums() == {"attempts": 240, "cost_nanos": 240_000}
    assert UsageRecord.objects.filter(ending="completed").count() == 120
    assert set(told) == {f"w{worker}" for worker in range(4)}
    assert rejected_in(tmp_path) == b""


def test_beside_another_shipper_everything_is_there_when_it_returns(
    tmp_path: Path, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that starts reads the balances next: it must not take another shipper's lock for a living worker."""
    journal = Journal(tmp_path, worker="w1")
    journal.begin(lost(make_record, 1))
    journal.append(make_record(2))
    journal.close()
    (inflight,) = tmp_path.glob("*.inflight")
    held = [lock_file(journal.path, shared=True), lock_file(inflight, shared=True)]
    assert Shipper(tmp_path).ship_once() == 2
    assert attempt_ids() == ["att_00000001", "att_00000002"]
    for fd in held:
        assert fd is not None
        os.close(fd)


# Collisions

STEPS = ("insert_attempts", "posting.write", "_move_position")


class Colliding:
    """Stands before a step of a batch and fails so many times, as the database would."""

    def __init__(self, step: Callable[..., Any], sqlstate: str, times: int) -> None:
        self.step, self.sqlstate, self.times = step, sqlstate, times
        self.tries = 0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.tries += 1
        if self.tries <= self.times:
            cause = psycopg.errors.lookup(self.sqlstate)("collided")
            raise OperationalError("collided") from cause
        return self.step(*arguments, **named)


@pytest.fixture
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipper_module, "_PAUSES_S", (0.0,) * 5)


@pytest.mark.usefixtures("_no_pauses")
@pytest.mark.parametrize("fault", [(step, state) for step in STEPS for state in ("40P01", "40001")])
def test_a_batch_that_collides_is_tried_again_whole(
    tmp_path: Path, write_journal: Write, make_record: Make, monkeypatch: pytest.MonkeyPatch, fault: tuple[str, str]
) -> None:
    step, sqlstate = fault
    write_journal(*map(make_record, range(5)))
    colliding = Colliding(operator.attrgetter(step)(shipper_module), sqlstate, times=2)
    monkeypatch.setattr(f"usage.ledger.shipper.{step}", colliding)
    assert Shipper(tmp_path).ship_once() == 5
    assert colliding.tries == 3
    assert sums() == {"attempts": 5, "cost_nanos": 5_000}
    assert LedgerEntry.objects.count() == 5


@pytest.mark.usefixtures("_no_pauses")
def test_what_collides_for_ever_is_told_and_stays(
    tmp_path: Path, write_journal: Write, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_journal(make_record(1))
    with monkeypatch.context() as patch:
        patch.setattr("usage.ledger.shipper.insert_attempts", Colliding(shipper_module.insert_attempts, "40P01", 100))
        with pytest.raises(OperationalError):
            Shipper(tmp_path).ship_once()
    assert attempt_ids() == []
    assert Shipper(tmp_path).ship_once() == 1


def _only_on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time, and no connection to lose")


@pytest.mark.usefixtures("_no_pauses")
@pytest.mark.parametrize("step", ["insert_attempts", "_move_position"])
def test_a_lost_connection_is_made_again(
    tmp_path: Path, write_journal: Write, make_record: Make, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    _only_on_postgresql()
    write_journal(*map(make_record, range(5)))
    going_on = getattr(shipper_module, step)
    lost_once = threading.Event()

    def lose(*arguments: Any) -> Any:
        done = going_on(*arguments)
        if not lost_once.is_set():
            lost_once.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (pid,) = cursor.fetchone()
            with another_connection() as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        return done

    monkeypatch.setattr(shipper_module, step, lose)
    assert Shipper(tmp_path).ship_once() == 5
    assert lost_once.is_set()
    assert sums() == {"attempts": 5, "cost_nanos": 5_000}


def test_a_real_deadlock_costs_a_try_and_nothing_else(
    tmp_path: Path, write_journal: Write, make_record: Make, caplog: pytest.LogCaptureFixture
) -> None:
    _only_on_postgresql()
    write_journal(make_record(0), make_record(3_600))
    Shipper(tmp_path).ship_once()
    first, second = UsageHour.objects.order_by("hour").values_list("pk", flat=True)
    write_journal(make_record(1), make_record(3_601))
    touch = "UPDATE usage_usagehour SET attempts = attempts WHERE id = %s"
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    with another_connection() as other:
        other.execute("SET deadlock_timeout = '60s'")  # so that the shipper finds it and is the one to give way
        other.execute("BEGIN")
        other.execute(touch, [second])
        shipping = threading.Thread(target=_ship_and_leave, args=(tmp_path,), daemon=True)
        shipping.start()
        eventually(lambda: other.execute(waiting).fetchone())
        other.execute(touch, [first])
        other.execute("COMMIT")
        shipping.join(30)
    assert caplog.text.count("deadlock detected") == 1
    assert sums() == {"attempts": 4, "cost_nanos": 4_000}
    assert rejected_in(tmp_path) == b""


def _ship_and_leave(directory: Path) -> None:
    Shipper(directory).ship_once()
    connection.close()


@contextmanager
def another_connection() -> Iterator["psycopg.Connection[Any]"]:
    """Yield a second connection to the database of the test."""
    named = connection.settings_dict
    with psycopg.connect(
        dbname=named["NAME"],
        user=named["USER"],
        password=named["PASSWORD"],
        host=named["HOST"],
        port=named["PORT"],
        autocommit=True,
    ) as other:
        yield other


def _raise(error: Exception) -> Callable[..., Any]:
    def fail(*_arguments: Any) -> Any:
        raise error

    return fail


# Running


class StopAfter(threading.Event):
    """Is set after it was waited for so many times; remembers the pauses."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds
        self.pauses_s: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses_s.append(timeout)
        if len(self.pauses_s) > self.rounds:
            self.set()
        return self.is_set()


def test_it_asks_more_slowly_while_the_database_is_away(
    tmp_path: Path,
    write_journal: Write,
    make_record: Make,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    write_journal(make_record(1))
    stop = StopAfter(rounds=4)
    shipper = Shipper(tmp_path)
    ship, failures = shipper.ship_once, iter([True, True])

    def fail_twice(stop: threading.Event) -> int:
        if next(failures, False):
            raise OperationalError("away")
        return ship(stop)

    monkeypatch.setattr(shipper, "ship_once", fail_twice)
    shipper.run_forever(stop, interval_s=0.25)
    assert stop.pauses_s == [0.25, 0.5, 1.0, 0.25, 0.25]
    assert attempt_ids() == ["att_00000001"]
    assert caplog.text.count("can't be shipped now") == 1


def test_it_stops_between_batches(tmp_path: Path, write_journal: Write, make_record: Make) -> None:
    path = write_journal(make_record(1))
    stop = threading.Event()
    stop.set()
    assert Shipper(tmp_path).ship_once(stop) == 0
    assert path.exists()


def test_the_command_ships_and_says_how_many(
    tmp_path: Path, write_journal: Write, make_record: Make, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.GATEWAY_JOURNAL_DIR = tmp_path
    write_journal(make_record(1), make_record(2))
    call_command("ship_usage")
    assert capsys.readouterr().out == "2 records shipped\n"


def test_no_journal_directory_is_nothing_to_ship(tmp_path: Path) -> None:
    assert Shipper(tmp_path / "none").ship_once() == 0
