"""The audit as operators run it: files and counters against the tables, and the command's word for it."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections
from django.test import override_settings

from kernel import clock
from usage.journal.inflight import Inflight
from usage.journal.journal import Journal
from usage.ledger import audit as audit_module
from usage.ledger.audit import check_attempts, check_counters
from usage.ledger.shipper import Shipper
from usage.models import Budget, BudgetBalance, UsageHour
from usage.records import AttemptRecord, Charge

Make = Callable[..., AttemptRecord]
SHOW = 20

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def directory(tmp_path: Path) -> Iterator[Path]:
    """Make an empty directory the journals' one."""
    with override_settings(GATEWAY_JOURNAL_DIR=tmp_path, REDIS_URL=""):
        yield tmp_path


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """Return what makes every counter hold the same."""

    def set_sums(nanos: int | None) -> None:
        monkeypatch.setattr(audit_module, "read_sums", lambda counters: [nanos for _ in counters])

    return set_sums


def write_journal(directory: Path, *records: AttemptRecord, worker: str = "w1") -> Journal:
    journal = Journal(directory, worker=worker)
    for record in records:
        journal.append(record)
    assert journal.flush(10)
    return journal


def test_what_was_shipped_agrees(directory: Path, make_record: Make, capsys: pytest.CaptureFixture[str]) -> None:
    charge = Charge("b1.0.", 0)
    journal = write_journal(directory, make_record(1, charges=(charge,), reserved_nanos=1_500, released_nanos=500))
    Shipper(directory).ship_once()
    call_command("audit_ledger", "--since", "2026-01-01", "--show", "3")
    assert capsys.readouterr().out.splitlines() == [
        "entries and balances: 1 looked at, 0 differences",
        "reservations: 1 looked at, 0 differences",
        "records and posts: 2 looked at, 0 differences",
        "hours and records: 1 looked at, 0 differences",
        "attempts begun and ended: 2 looked at, 0 differences",
        "  (2 files are of living workers)",
        "counters and ledger: 0 looked at, 0 differences",
    ]
    journal.close()


def test_the_command_fails_where_the_books_differ(
    directory: Path, make_record: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    write_journal(directory, make_record(1, charges=(Charge("b1.0.", 0),))).close()
    Shipper(directory).ship_once()
    UsageHour.objects.all().delete()
    BudgetBalance.objects.update(posted_nanos=1)
    with pytest.raises(CommandError, match="the books differ in 2 places"):
        call_command("audit_ledger")
    told = capsys.readouterr().out
    assert "  b1.0.@0 by w1: 1 nanos of 1 posts in the balance, 1000 nanos of 1 posts in entries\n" in told
    assert "acme acme-1: the hour is beyond its records by attempts -1, input_tokens -10" in told


def test_writers_need_not_wait_and_are_not_seen_halfway(directory: Path, make_record: Make) -> None:
    write_journal(directory, make_record(1, charges=(Charge("b1.0.", 0),))).close()

    def ship() -> int:
        try:
            return Shipper(directory).ship_once()
        finally:
            connections.close_all()

    checks = audit_module.audit(directory=directory, since=None, show=SHOW, idle=False)
    seen = [next(checks)]
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(ship).result() == 1
    seen += checks
    assert [check.looked_at for check in seen[:4]] == [0, 0, 0, 0]
    assert [check.differences for check in seen] == [0] * 6
    UsageHour.objects.all().delete()  # this connection can write again


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="since"):
        call_command("audit_ledger", "--since", "yesterday")


def test_lines_of_a_dead_worker_that_wait_are_a_difference(directory: Path, make_record: Make) -> None:
    journal = write_journal(directory, make_record(1), make_record(2))
    assert check_attempts(directory, SHOW).differences == 0
    journal.close()
    check = check_attempts(directory, SHOW)
    assert check.shown == [f"{journal.path.name}: 2 lines are not shipped"]
    assert (check.looked_at, check.notes) == (2, [])
    Shipper(directory).ship_once()
    assert check_attempts(directory, SHOW).differences == 0


def test_an_attempt_that_a_dead_worker_left_is_a_difference_until_it_is_shipped(
    directory: Path, make_record: Make
) -> None:
    inflight = Inflight(directory, worker="w1")
    inflight.begin(make_record(1, ending="lost"))
    assert check_attempts(directory, SHOW).notes == ["1 files are of living workers"]
    inflight.close()
    check = check_attempts(directory, SHOW)
    assert check.shown == [f"{inflight.path.name}: att_00000001 of req_00000001 is not in the database"]
    Shipper(directory).ship_once()
    assert (check_attempts(directory, SHOW).looked_at, check_attempts(directory, SHOW).differences) == (1, 0)


def test_rotated_journals_of_a_living_worker_are_its_own(directory: Path, make_record: Make) -> None:
    journal = Journal(directory, worker="w1", rotate_bytes=1)
    for number in (1, 2):
        journal.append(make_record(number))
        assert journal.flush(10)
    check = check_attempts(directory, SHOW)
    assert check.differences == 0
    assert check.notes == [f"{check.looked_at} files are of living workers"]
    journal.close()


def test_a_file_that_a_shipper_finishes_meanwhile_is_no_difference(
    directory: Path, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = write_journal(directory, make_record(1))
    journal.close()
    usual = audit_module.scan_entries

    def scan_while_it_is_shipped(path: Path, offset: int) -> Iterator[Any]:
        yield from usual(path, offset)
        if path.exists():
            Shipper(directory).ship_once()

    monkeypatch.setattr(audit_module, "scan_entries", scan_while_it_is_shipped)
    assert check_attempts(directory, SHOW).differences == 0


def test_rejected_lines_are_told(directory: Path) -> None:
    (directory / "w1-0.journal.rejected").write_bytes(os.urandom(8))
    assert check_attempts(directory, SHOW).notes == ["1 files hold lines that no table could take"]


@pytest.mark.parametrize(
    ("held", "idle", "differences", "notes"),
    [
        (1_000, False, 0, []),
        (1_000, True, 0, []),
        (1_500, False, 0, ["1 counters are ahead of the ledger by what is under way or not shipped yet"]),
        (1_500, True, 1, []),
        (999, False, 1, []),
        (None, True, 0, ["1 counters are not known here"]),
    ],
)
def test_counters_hold_no_less_than_the_ledger(
    held: int | None, idle: bool, differences: int, notes: list[str], hold: Callable[[int | None], None]
) -> None:
    budget = Budget.objects.create(name="all", limit_nanos=10**9, period="lifetime")
    BudgetBalance.objects.create(
        budget_id=budget.pk, counter=f"b{budget.pk}.0.", slice=0, worker="w", posted_nanos=1_000
    )
    hold(held)
    check = check_counters(SHOW, idle=idle)
    assert (check.looked_at, check.differences, check.notes) == (1, differences, notes)
    assert len(check.shown) == differences


def test_a_window_that_goes_on_meanwhile_proves_nothing(
    hold: Callable[[int | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    budget = Budget.objects.create(name="all", limit_nanos=10**9, period="day", time_zone="UTC")
    BudgetBalance.objects.create(
        budget_id=budget.pk,
        counter=f"b{budget.pk}.0.",
        slice=int(now.timestamp() // 86_400),
        worker="w",
        posted_nanos=5,
    )
    hold(0)
    moments = iter([now, now + timedelta(days=1)])
    monkeypatch.setattr(audit_module.clock, "now", lambda: next(moments))
    check = check_counters(SHOW, idle=True)
    assert (check.differences, check.notes) == (0, ["1 counters' windows went on meanwhile"])
