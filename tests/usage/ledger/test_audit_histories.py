"""No history of records leaves the books uneven: calls of several attempts on several workers, with and without
budgets, ended, killed and cut short, journalled twice, shipped in batches of any size."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage.journal.journal import Journal
from usage.ledger.audit import audit
from usage.ledger.shipper import Shipper
from usage.records import AttemptRecord, Charge

Make = Callable[..., AttemptRecord]
WORKERS = ("w1", "w2", "w3")

calls = st.fixed_dictionaries(
    {
        "worker": st.sampled_from(WORKERS),
        "costs": st.lists(st.one_of(st.none(), st.integers(0, 10**9)), min_size=1, max_size=3),
        "budgets": st.sets(st.integers(1, 3)),
        "reserved_nanos": st.one_of(st.none(), st.integers(0, 3 * 10**9)),
        "lost": st.booleans(),
        "started_s": st.integers(0, 3 * 86_400),
        "twice": st.booleans(),
    }
)


def records_of(number: int, call: dict[str, Any], make_record: Make) -> list[AttemptRecord]:
    """Return what the attempts of a call write down; without a reservation its worker died before its last one's."""
    charges = tuple(Charge(f"b{budget}.0.k{number % 2}", number % 3) for budget in sorted(call["budgets"]))
    reserved_nanos = call["reserved_nanos"] if charges else None
    released_nanos = max(0, (reserved_nanos or 0) - sum(cost or 0 for cost in call["costs"]))
    last = len(call["costs"]) - 1
    return [
        make_record(
            call["started_s"] + index,
            attempt_id=f"att_{number}_{index}",
            request_id=f"req_{number}",
            attempt_number=index + 1,
            cost_nanos=cost_nanos,
            charges=charges,
            ending="lost" if index == last and call["lost"] else "completed",
            reserved_nanos=reserved_nanos if index == last else None,
            released_nanos=released_nanos if index == last else 0,
        )
        for index, cost_nanos in enumerate(call["costs"])
    ]


def write_down(directory: Path, made: list[dict[str, Any]], make_record: Make) -> None:
    """Journal calls as their workers do, and let every worker go."""
    journals = {worker: Journal(directory, worker=worker, flush_interval_s=0.0) for worker in WORKERS}
    for number, call in enumerate(made):
        for record in records_of(number, call, make_record):
            if record.ending == "lost":
                journals[call["worker"]].begin(record)
                continue
            journals[call["worker"]].append(record)
            if call["twice"]:
                journals[WORKERS[-1]].append(record)
    for journal in journals.values():
        journal.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(calls, max_size=8), batch_records=st.integers(1, 9))
def test_no_history_leaves_a_difference(
    database: None, make_record: Make, made: list[dict[str, Any]], batch_records: int
) -> None:
    call_command("flush", verbosity=0, interactive=False)
    directory = Path(tempfile.mkdtemp())
    try:
        write_down(directory, made, make_record)
        Shipper(directory, batch_records=batch_records).ship_once()
        assert Shipper(directory).ship_once() == 0
        found = list(audit(directory=directory, since=None, show=20, idle=False))
    finally:
        shutil.rmtree(directory)
    assert [(check.name, check.shown) for check in found if check.differences] == []
