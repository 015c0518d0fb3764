"""The only writer of money: entries that are added and never changed, and what they sum to for every budget.

Attempts become entries when they are shipped, in the transaction that makes their records, so that there is never one
without the other. Ids come from the attempts, which makes telling it twice an error and not a second payment.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import models, transaction

from kernel import clock
from kernel.ids import new_id
from tenants.configuration import ConfigurationVersion
from tenants.models import Key, Tenant
from usage.counters.base import ADJUSTMENTS
from usage.ledger.bulk import add_to_sums, insert_rows
from usage.ledger.charges import read_counter, write_charges
from usage.models.ledger import BudgetBalance, LedgerEntry
from usage.models.rules import LARGEST_NANOS
from usage.records import AttemptRecord, Charge

__all__ = ["adjust", "write"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEYS = ("budget_id", "slice", "counter", "worker")
_SUMS = ("posted_nanos", "posts", "carried_nanos", "carried_posts")
_POST = LedgerEntry.Kind.POST.value
_RESERVE = LedgerEntry.Kind.RESERVE.value
_VOID = LedgerEntry.Kind.VOID.value
_EXPIRE = LedgerEntry.Kind.EXPIRE.value
_ADJUST = LedgerEntry.Kind.ADJUST.value


class _Entry(NamedTuple):
    """The columns of a ledger entry, in the order in which they are written."""

    entry_id: str
    at: datetime
    kind: str
    attempt_id: str
    request_id: str
    tenant_id: int | None
    key_id: int | None
    amount_nanos: int | None
    estimated: bool
    charges: str
    worker: str
    reason: str = ""
    actor_name: str = ""


class _Posted(NamedTuple):
    """What is added to one balance."""

    nanos: int
    posts: int


def write(records: Sequence[AttemptRecord], *, worker: str) -> None:
    """Post attempts that are not in the ledger yet, and add them to the balances of the worker that made them.

    Call inside the transaction that adds their records. Raises ValueError for what can't be true, IntegrityError for
    an attempt that is posted already.
    """
    insert_rows(LedgerEntry, _Entry._fields, [entry for record in records for entry in _entries_of(record, worker)])
    _add_to_balances(_sum_by_charge(records), worker)


def adjust(
    *,
    tenant: Tenant | None,
    key: Key | None,
    amount_nanos: int,
    charges: Sequence[Charge],
    reason: str,
    actor_name: str,
) -> str:
    """Correct what budgets have spent, up or down, by an operator's word; return the entry's id.

    Workers read the corrections again with the next version of the configuration. Raises ValueError where there is
    no amount, no reason or nothing to correct.
    """
    if not reason.strip() or not charges or not 0 < abs(amount_nanos) <= LARGEST_NANOS:
        raise ValueError("an adjustment has an amount, a reason, and budgets that it corrects")
    entry = _Entry(
        entry_id=new_id("adj"),
        at=clock.now(),
        kind=_ADJUST,
        attempt_id="",
        request_id="",
        tenant_id=tenant.pk if tenant else None,
        key_id=key.pk if key else None,
        amount_nanos=amount_nanos,
        estimated=False,
        charges=write_charges(charges),
        worker=ADJUSTMENTS,
        reason=_fitted("reason", reason),
        actor_name=_fitted("actor_name", actor_name),
    )
    with transaction.atomic():
        insert_rows(LedgerEntry, _Entry._fields, [entry])
        _add_to_balances(dict.fromkeys(charges, _Posted(amount_nanos, 0)), ADJUSTMENTS)
        ConfigurationVersion.advance()
    return entry.entry_id


def _entries_of(record: AttemptRecord, worker: str) -> Iterable[_Entry]:
    """Yield the post of an attempt, and where it ended a call under budgets, what that had reserved and gave back."""
    attempt_id, lost = record.attempt_id, record.ending == "lost"
    at = _EPOCH + timedelta(microseconds=record.started_at_ns // 1_000)
    whose = attempt_id, _fitted("request_id", record.request_id), record.tenant_id, record.key_id
    charges = write_charges(record.charges)
    estimated = record.usage.estimated or lost
    yield _Entry(attempt_id + ".p", at, _POST, *whose, record.cost_nanos, estimated, charges, worker)
    if record.reserved_nanos is not None:
        yield _Entry(attempt_id + ".r", at, _RESERVE, *whose, record.reserved_nanos, False, charges, worker)
        mark, kind = (".e", _EXPIRE) if lost else (".v", _VOID)
        yield _Entry(attempt_id + mark, at, kind, *whose, record.released_nanos, False, charges, worker)


def _sum_by_charge(records: Iterable[AttemptRecord]) -> dict[Charge, _Posted]:
    sums: dict[Charge, _Posted] = {}
    for record in records:
        cost_nanos = record.cost_nanos or 0
        for charge in record.charges:
            nanos, posts = sums.get(charge, (0, 0))
            sums[charge] = _Posted(nanos + cost_nanos, posts + 1)
    return sums


def _add_to_balances(sums: Mapping[Charge, _Posted], worker: str) -> None:
    rows = [
        (read_counter(charge.counter).budget_id, charge.slice, charge.counter, worker, *posted, 0, 0)
        for charge, posted in sums.items()
    ]
    add_to_sums(BudgetBalance, keys=_KEYS, sums=_SUMS, rows=rows)


def _longest(name: str) -> int | None:
    field = LedgerEntry._meta.get_field(name)
    return field.max_length if isinstance(field, models.CharField) else None


_LENGTHS = {name: _longest(name) for name in ("request_id", "reason", "actor_name")}


def _fitted(name: str, text: str) -> str:
    """Cut a text to its column: money counts, however long the name it goes by."""
    return text.replace("\0", "")[: _LENGTHS[name]]
