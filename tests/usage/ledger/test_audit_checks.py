"""What the tables must agree on: a sound ledger passes, and each thing broken by hand is named."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from usage.ledger import posting
from usage.ledger.audit_checks import Check, check_balances, check_hours, check_records, check_reservations
from usage.ledger.partitions import drop_old, ensure_partitions
from usage.ledger.record_rows import insert_attempts
from usage.models import BudgetBalance, RetentionHorizon
from usage.records import AttemptRecord, Charge

Make = Callable[..., AttemptRecord]
MONTH, DAY = Charge("b1.0.", 24_312), Charge("b2.3.t7", 20_454)
SHOW = 20
BALANCES, RESERVATIONS, RECORDS, HOURS = (
    "entries and balances",
    "reservations",
    "records and posts",
    "hours and records",
)

pytestmark = pytest.mark.usefixtures("database", "unguarded")


def ship(*records: AttemptRecord, worker: str = "w1") -> None:
    with transaction.atomic():
        posting.write(insert_attempts(records), worker=worker)


def break_by(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount, "nothing was broken"


def every_check(since: datetime | None = None) -> list[Check]:
    return [
        check_balances(SHOW),
        check_reservations(SHOW, since),
        check_records(SHOW, since),
        check_hours(SHOW, since),
    ]


def differing(since: datetime | None = None) -> dict[str, int]:
    return {check.name: check.differences for check in every_check(since) if check.differences}


@pytest.fixture
def unguarded(database: None) -> Iterator[None]:
    """Let the test change ledger entries, which triggers refuse, and put the triggers back afterwards."""
    with connection.cursor() as cursor:
        put_back = _drop_guards()
        yield
        for statement in put_back:
            cursor.execute(statement)


def _drop_guards() -> list[str]:
    """Drop the triggers; return the statements that make them again."""
    if connection.vendor == "postgresql":
        found = (
            "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger "
            "WHERE tgrelid = 'usage_ledgerentry'::regclass AND NOT tgisinternal"
        )
        drop = "DROP TRIGGER {} ON usage_ledgerentry"
    else:
        found = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'usage_ledgerentry'"
        drop = "DROP TRIGGER {}"
    with connection.cursor() as cursor:
        cursor.execute(found)
        guards = cursor.fetchall()
        for name, _ in guards:
            cursor.execute(drop.format(name))
    return [definition for _, definition in guards]


@pytest.fixture
def books(unguarded: None, make_record: Make) -> None:
    """Ship calls of every kind: two attempts, no budget, lost, unpriced, dearer than reserved; a correction."""
    ship(
        make_record(1, request_id="r", cost_nanos=300, charges=(MONTH, DAY)),
        make_record(
            2, request_id="r", attempt_number=2, charges=(MONTH, DAY), reserved_nanos=5_000, released_nanos=3_700
        ),
        make_record(3),
        make_record(4, ending="lost", charges=(MONTH,), reserved_nanos=4_000, released_nanos=3_000),
        make_record(5, cost_nanos=None, charges=(MONTH,), reserved_nanos=70, released_nanos=70),
    )
    ship(make_record(6, charges=(DAY,), reserved_nanos=400, ending="failed"), worker="w2")
    posting.adjust(tenant=None, key=None, amount_nanos=-50, charges=(DAY,), reason="refund", actor_name="ada")


@pytest.mark.usefixtures("books")
def test_sound_books_agree() -> None:
    balances, reservations, records, hours = every_check()
    assert differing() == {}
    assert (balances.looked_at, reservations.looked_at, records.looked_at, hours.looked_at) == (4, 4, 12, 1)
    assert reservations.notes == ["1 calls cost more than they had reserved"]
    assert differing(datetime(2026, 1, 1, tzinfo=UTC)) == {}


def test_nothing_agrees_with_nothing() -> None:
    assert differing() == {}


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize(
    ("broken", "names"),
    [
        ("UPDATE usage_budgetbalance SET posted_nanos = posted_nanos + 1 WHERE worker = 'w2'", [BALANCES]),
        ("UPDATE usage_budgetbalance SET posts = posts + 1 WHERE worker = 'w2'", [BALANCES]),
        ("UPDATE usage_budgetbalance SET budget_id = 9 WHERE worker = 'w2'", [BALANCES]),
        ("DELETE FROM usage_budgetbalance WHERE worker = 'adjustments'", [BALANCES]),
        ("DELETE FROM usage_ledgerentry WHERE kind = 'adjust'", [BALANCES]),
        ("UPDATE usage_ledgerentry SET charges = 'what' WHERE kind = 'adjust'", [BALANCES]),
        ("DELETE FROM usage_ledgerentry WHERE kind = 'expire'", [RESERVATIONS]),
        ("DELETE FROM usage_ledgerentry WHERE entry_id = 'att_00000002.r'", [RESERVATIONS]),
        ("UPDATE usage_ledgerentry SET amount_nanos = 3699 WHERE entry_id = 'att_00000002.v'", [RESERVATIONS]),
        ("UPDATE usage_ledgerentry SET amount_nanos = 1 WHERE entry_id = 'att_00000006.v'", [RESERVATIONS]),
        ("UPDATE usage_ledgerentry SET amount_nanos = 9 WHERE entry_id = 'att_00000003.p'", [RECORDS]),
        ("UPDATE usage_ledgerentry SET amount_nanos = NULL WHERE entry_id = 'att_00000003.p'", [RECORDS]),
        ("DELETE FROM usage_ledgerentry WHERE entry_id = 'att_00000003.p'", [RECORDS]),
        ("UPDATE usage_usagerecord SET key_id = 2 WHERE attempt_id = 'att_00000003'", [HOURS, RECORDS]),
        ("DELETE FROM usage_usagerecord WHERE attempt_id = 'att_00000003'", [HOURS, RECORDS]),
        ("UPDATE usage_usagehour SET errors = errors + 1", [HOURS]),
        ("DELETE FROM usage_usagehour", [HOURS]),
    ],
)
def test_what_is_broken_is_named(broken: str, names: list[str]) -> None:
    break_by(broken)
    assert sorted(differing()) == names
    assert all(check.shown for check in every_check() if check.differences)


@pytest.mark.usefixtures("books")
def test_a_post_that_is_there_twice_is_named() -> None:
    columns = (
        "at, kind, attempt_id, request_id, tenant_id, key_id, amount_nanos, estimated, charges, worker, reason, "
        "actor_name"
    )
    break_by(
        f"INSERT INTO usage_ledgerentry (entry_id, {columns}) "
        f"SELECT 'again', {columns} FROM usage_ledgerentry WHERE entry_id = 'att_00000004.p'"
    )
    assert sorted(differing()) == ["entries and balances", "records and posts", "reservations"]
    assert check_records(SHOW, None).shown == ["again: 1000 posted, no record of its own"]


@pytest.mark.usefixtures("books")
def test_only_the_first_differences_are_told_and_all_are_counted() -> None:
    break_by("UPDATE usage_ledgerentry SET amount_nanos = 9 WHERE kind = 'post'")
    for show in (2, 0):
        check = check_records(show, None)
        assert (check.differences, len(check.shown)) == (6, show)


def test_calls_with_the_same_request_id_are_not_taken_for_one(make_record: Make) -> None:
    ship(
        make_record(1, request_id="r", charges=(MONTH,)),
        make_record(2, request_id="r", charges=(MONTH,), reserved_nanos=5_000, released_nanos=4_000),
    )
    check = check_reservations(SHOW, None)
    assert check.differences == 0
    assert check.notes == ["1 calls can't be told from others by their request's id, or began too early"]


@pytest.mark.usefixtures("books")
def test_what_is_older_than_asked_for_is_left_out() -> None:
    for broken in ("DELETE FROM usage_ledgerentry WHERE kind = 'expire'", "DELETE FROM usage_usagehour"):
        break_by(broken)
    assert sorted(differing()) == ["hours and records", "reservations"]
    assert differing(datetime(2026, 1, 2, tzinfo=UTC)) == {}


@pytest.mark.usefixtures("books")
def test_what_retention_has_dropped_is_not_missed() -> None:
    break_by("DELETE FROM usage_usagerecord")
    RetentionHorizon.objects.create(pk=1, kept_since=datetime(2026, 2, 1, tzinfo=UTC))
    assert differing() == {}


def test_books_agree_after_retention(make_record: Make) -> None:
    for number, month in ((1, 1), (2, 2), (3, 3)):
        at_ns = int(datetime(2038, month, 9, tzinfo=UTC).timestamp()) * 10**9
        ship(make_record(number, started_at_ns=at_ns, charges=(MONTH,), reserved_nanos=1_500, released_nanos=500))
    ensure_partitions(datetime(2038, 3, 9, tzinfo=UTC))
    drop_old(keep_months=1, now=datetime(2038, 3, 9, tzinfo=UTC))
    assert differing() == {}
    BudgetBalance.objects.update(carried_nanos=7)
    assert differing() == ({"entries and balances": 1} if BudgetBalance.objects.exists() else {})
