"""The shipper: every record and every sum once, on both databases, whatever is raised in between."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models import Sum

from providers.dialects.canonical import Usage
from usage import shipper as shipper_module
from usage.journal import Journal
from usage.models import JournalPosition, UsageHour, UsageRecord
from usage.records import AttemptRecord
from usage.shipper import Shipper

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
    same = set(AttemptRecord.__struct_fields__) - {"usage", "started_at_ns"}
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


@pytest.mark.parametrize("step", ["_add_to_hours", "_move_position"])
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
