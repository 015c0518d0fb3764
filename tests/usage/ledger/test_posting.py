"""The ledger: what attempts and corrections become, once, and what they sum to."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from providers.dialects.canonical import Usage
from tenants.models import ConfigurationVersion, Tenant
from usage.counters.base import ADJUSTMENTS
from usage.ledger import posting
from usage.ledger.charges import read_charges
from usage.models import BudgetBalance, LedgerEntry
from usage.records import AttemptRecord, Charge

Make = Callable[..., AttemptRecord]
MONTH, DAY = Charge("b1.0.", 24_312), Charge("b2.3.t7", 20_454)

pytestmark = pytest.mark.usefixtures("database")


def write(*records: AttemptRecord, worker: str = "w1") -> None:
    with transaction.atomic():
        posting.write(records, worker=worker)


def entries(**wanted: Any) -> dict[str, int | None]:
    return dict(LedgerEntry.objects.filter(**wanted).values_list("entry_id", "amount_nanos"))


def balances() -> dict[tuple[str, int, str], tuple[int, int]]:
    rows = BudgetBalance.objects.values_list("counter", "slice", "worker", "posted_nanos", "posts")
    return {(counter, number, worker): (nanos, posts) for counter, number, worker, nanos, posts in rows}


def test_an_attempt_without_budgets_is_a_post_alone(make_record: Make) -> None:
    write(make_record(1))
    entry = LedgerEntry.objects.get()
    assert (entry.entry_id, entry.kind, entry.attempt_id, entry.request_id) == (
        "att_00000001.p",
        "post",
        "att_00000001",
        "req_00000001",
    )
    assert (entry.tenant_id, entry.key_id, entry.amount_nanos, entry.worker) == (1, 1, 1_000, "w1")
    assert entry.at == datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert (entry.charges, entry.estimated, entry.reason, entry.actor_name) == ("", False, "", "")
    assert balances() == {}


def test_the_last_attempt_of_a_call_says_what_was_reserved_and_given_back(make_record: Make) -> None:
    write(
        make_record(1, request_id="r", cost_nanos=300, charges=(MONTH, DAY)),
        make_record(2, request_id="r", charges=(MONTH, DAY), reserved_nanos=5_000, released_nanos=3_700),
    )
    assert entries() == {
        "att_00000001.p": 300,
        "att_00000002.p": 1_000,
        "att_00000002.r": 5_000,
        "att_00000002.v": 3_700,
    }
    assert balances() == {(*charge_of(MONTH), "w1"): (1_300, 2), (*charge_of(DAY), "w1"): (1_300, 2)}
    assert set(LedgerEntry.objects.values_list("charges", flat=True)) == {"b1.0.@24312 b2.3.t7@20454"}


def charge_of(charge: Charge) -> tuple[str, int]:
    return charge.counter, charge.slice


def test_what_a_dead_worker_left_is_an_estimate_and_its_rest_expires(make_record: Make) -> None:
    write(make_record(1, ending="lost", charges=(MONTH,), reserved_nanos=5_000, released_nanos=4_000))
    assert entries(kind="expire") == {"att_00000001.e": 4_000}
    assert entries(kind="void") == {}
    assert entries(estimated=True) == {"att_00000001.p": 1_000}


def test_estimated_usage_is_an_estimated_post(make_record: Make) -> None:
    write(make_record(1, usage=Usage(input_tokens=1, estimated=True)))
    assert LedgerEntry.objects.get().estimated


def test_what_has_no_price_is_posted_as_unknown_and_counts_nothing(make_record: Make) -> None:
    write(make_record(1, cost_nanos=None, charges=(MONTH,)))
    assert entries() == {"att_00000001.p": None}
    assert balances() == {(*charge_of(MONTH), "w1"): (0, 1)}


def test_balances_add_up_and_keep_workers_apart(make_record: Make) -> None:
    write(make_record(1, charges=(MONTH,)), make_record(2, charges=(MONTH,)))
    write(make_record(3, charges=(MONTH,)))
    write(make_record(4, charges=(MONTH,)), worker="w2")
    assert balances() == {(*charge_of(MONTH), "w1"): (3_000, 3), (*charge_of(MONTH), "w2"): (1_000, 1)}
    assert set(BudgetBalance.objects.values_list("budget_id", flat=True)) == {1}


def test_an_attempt_is_posted_once(make_record: Make) -> None:
    write(make_record(1, charges=(MONTH,)))
    with pytest.raises(IntegrityError):
        write(make_record(1, charges=(MONTH,)))
    assert balances() == {(*charge_of(MONTH), "w1"): (1_000, 1)}


def test_a_charge_that_names_no_budget_is_refused(make_record: Make) -> None:
    with pytest.raises(ValueError, match="no budget's counter"):
        write(make_record(1, charges=(Charge("l1.0.", 1),)))
    assert entries() == {}


def test_nothing_to_write_is_nothing_written() -> None:
    write()
    assert entries() == {}


def adjust(amount_nanos: int, *charges: Charge, reason: str = "credit note") -> str:
    tenant = Tenant.objects.get_or_create(slug="acme", name="Acme")[0]
    return posting.adjust(
        tenant=tenant, key=None, amount_nanos=amount_nanos, charges=charges, reason=reason, actor_name="ada"
    )


def test_a_correction_is_an_entry_and_moves_the_version() -> None:
    Tenant.objects.create(slug="acme", name="Acme")
    before = ConfigurationVersion.current()
    entry = LedgerEntry.objects.get(pk=adjust(-500, MONTH, DAY))
    assert (entry.kind, entry.amount_nanos, entry.reason, entry.actor_name) == ("adjust", -500, "credit note", "ada")
    assert read_charges(entry.charges) == [MONTH, DAY]
    assert balances() == {
        (*charge_of(MONTH), ADJUSTMENTS): (-500, 0),
        (*charge_of(DAY), ADJUSTMENTS): (-500, 0),
    }
    assert ConfigurationVersion.current() > before


def test_corrections_add_up() -> None:
    adjust(-500, MONTH)
    adjust(200, MONTH)
    assert balances() == {(*charge_of(MONTH), ADJUSTMENTS): (-300, 0)}


@pytest.mark.parametrize(("amount", "reason"), [(0, "why"), (10**19, "why"), (5, " ")])
def test_a_correction_needs_an_amount_and_a_reason(amount: int, reason: str) -> None:
    with pytest.raises(ValueError, match="adjustment"):
        adjust(amount, MONTH, reason=reason)
    assert entries() == {}


def test_a_correction_corrects_something() -> None:
    with pytest.raises(ValueError, match="adjustment"):
        adjust(5)
