"""Whatever happens in whatever order: every attempt that was begun is in the database once, as it was last known."""

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from providers.dialects.canonical import Usage
from usage.journal.inflight import Inflight
from usage.journal.journal import Journal
from usage.ledger.shipper import Shipper
from usage.models import BudgetBalance, LedgerEntry, UsageHour, UsageRecord
from usage.records import AttemptRecord, Charge

Make = Callable[..., AttemptRecord]
Numbers = count(1)  # never the same twice in a session: the database outlives an example

pytestmark = pytest.mark.usefixtures("database")


class Workers(RuleBasedStateMachine):
    """One worker after the other, each killed at some moment, on one directory at a time.

    A kill is the copy of the directory: what the page cache holds at that moment, without the locks.
    """

    make_record: Make
    directory: Path

    def __init__(self) -> None:
        super().__init__()
        self.generation = next(Numbers)
        self.prefix = f"g{self.generation}-"
        self.place = self.directory / str(self.generation)
        self.known: dict[str, AttemptRecord] = {}
        self.under_way: list[tuple[int, AttemptRecord]] = []
        self.workers: list[str] = []
        self.finished: list[str] = []
        self.start()

    def start(self) -> None:
        self.workers.append(f"{self.prefix}{len(self.workers)}")
        self.journal = Journal(self.place, worker=self.workers[-1], rotate_bytes=3_000, flush_interval_s=0.0)

    def shipper(self) -> Shipper:
        return Shipper(self.place, batch_records=3, on_finished=self.finished.append)

    @rule(texts=st.text(max_size=300))
    def begin(self, texts: str) -> None:
        number = next(Numbers)
        record = self.make_record(
            number,
            ending="lost",
            route=f"r{self.generation}",
            target=texts,
            cost_nanos=number,
            usage=Usage(input_tokens=1, estimated=True),
            charges=(Charge(f"b{self.generation}.0.", 1),),
        )
        self.under_way.append((self.journal.begin(record), record))
        self.known[record.attempt_id] = record

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 1_000), tokens=st.integers(1, 50))
    def revise(self, which: int, tokens: int) -> None:
        at = which % len(self.under_way)
        slot, before = self.under_way[at]
        used = Usage(output_tokens=before.usage.output_tokens + tokens, estimated=True)
        record = _changed(before, usage=used, cost_nanos=(before.cost_nanos or 0) + tokens)
        self.journal.revise(slot, record)
        self.under_way[at] = (slot, record)
        self.known[record.attempt_id] = record

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 1_000), cost_nanos=st.integers(0, 10**6))
    def end(self, which: int, cost_nanos: int) -> None:
        slot, before = self.under_way.pop(which % len(self.under_way))
        record = _changed(before, ending="completed", usage=Usage(output_tokens=3), cost_nanos=cost_nanos)
        self.journal.end(slot, record)
        self.known[record.attempt_id] = record

    @rule()
    def flush(self) -> None:
        assert self.journal.flush(10)

    @rule()
    def ship(self) -> None:
        self.shipper().ship_once()

    @rule()
    def kill(self) -> None:
        """Go on in a copy; the other directory counts no more. What is under way is copied first, as it goes last."""
        before, self.place = self.place, self.directory / str(next(Numbers))
        self.place.mkdir()
        for pattern in ("*.inflight", "*.journal", "*.rejected"):
            for path in before.glob(pattern):
                shutil.copyfile(path, self.place / path.name)
        self.journal.close()
        shutil.rmtree(before)
        self.under_way.clear()
        self.start()

    @rule()
    def stop_in_order(self) -> None:
        self.journal.close()
        self.under_way.clear()
        self.start()

    def teardown(self) -> None:
        self.journal.close()
        self.shipper().ship_once()
        rows = UsageRecord.objects.filter(pk__in=self.known).values_list("pk", "ending", "output_tokens", "cost_nanos")
        assert sorted(rows) == sorted(
            (name, record.ending, record.usage.output_tokens, record.cost_nanos) for name, record in self.known.items()
        )
        cost_nanos = sum(record.cost_nanos or 0 for record in self.known.values())
        hours = UsageHour.objects.filter(route=f"r{self.generation}").values_list("attempts", "cost_nanos")
        assert [sum(column) for column in zip(*hours, strict=True)] == ([len(rows), cost_nanos] if rows else [])
        assert LedgerEntry.objects.filter(attempt_id__in=self.known, kind="post").count() == len(rows)
        balances = BudgetBalance.objects.filter(budget_id=self.generation).values_list("posted_nanos", flat=True)
        assert sum(balances) == cost_nanos
        assert sorted(self.finished) == sorted(self.workers)
        assert list(self.place.iterdir()) == []


def _changed(record: AttemptRecord, **changes: object) -> AttemptRecord:
    values = {name: getattr(record, name) for name in record.__struct_fields__}
    return AttemptRecord(**(values | changes))


def test_every_attempt_is_there_once_whatever_happens(
    tmp_path: Path, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Inflight.__init__.__kwdefaults__
    monkeypatch.setitem(first, "slots", 2)  # so that it grows, too
    machine = type("Here", (Workers,), {"make_record": staticmethod(make_record), "directory": tmp_path})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
