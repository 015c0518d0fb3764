"""Budgets, what was spent of them, entries and refusals, as tests of pages and of the management API need them."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from kernel import clock
from tenants.models import Key
from usage.counters.base import Check
from usage.counters.build import build_counters
from usage.counters.memory import MemoryCounters
from usage.models import Budget, BudgetBalance, Denial, LedgerEntry, Limit
from usage.policy import counter_of_budget
from usage.rules.budget_windows import window_of
from usage.rules.calendars import windows_of
from usage.windows import Window

USD = 10**9
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def add_budget(name: str = "team", **fields: Any) -> Budget:
    """Insert a budget of ten dollars a lifetime, or what the fields say."""
    return Budget.objects.create(name=name, **({"limit_nanos": 10 * USD, "period": "lifetime"} | fields))


def add_limit(name: str = "pace", **fields: Any) -> Limit:
    """Insert a limit of sixty requests a minute, or what the fields say."""
    return Limit.objects.create(name=name, **({"measure": "requests", "span": "minute", "value": 60} | fields))


def spend(budget: Budget, nanos: int, *, subject: str = "", at: datetime | None = None, worker: str = "w1") -> None:
    """Let a worker have posted that much at a moment, usually now."""
    window = windows_of(budget, [subject])[subject]
    BudgetBalance.objects.create(
        budget_id=budget.pk,
        counter=counter_of_budget(budget.pk, budget.generation, subject),
        slice=window.slice_at((at or clock.now()).timestamp()),
        worker=worker,
        posted_nanos=nanos,
        posts=1,
    )


def count(monkeypatch: pytest.MonkeyPatch, **sums: tuple[Window, int]) -> None:
    """Put counters into this process; names are given with `_` for the dots in them."""
    counters = asyncio.run(build_counters(redis_url="", worker="w1", away=""))
    assert isinstance(counters, MemoryCounters)
    checks = [Check(name.replace("_", "."), window, amount, None) for name, (window, amount) in sums.items()]
    counters.reserve_now(checks)
    monkeypatch.setattr("usage.counters.readings.counters_here", lambda: counters)


def reserve(monkeypatch: pytest.MonkeyPatch, budget: Budget, nanos: int, *, subject: str = "") -> None:
    """Let the counters hold so much in a budget, what was spent included."""
    name = counter_of_budget(budget.pk, budget.generation, subject).replace(".", "_")
    count(monkeypatch, **{name: (window_of(budget), nanos)})


def add_entry(key: Key, entry_id: str = "att_1.p", **fields: Any) -> LedgerEntry:
    """Insert an entry; what the test doesn't say is ordinary."""
    usual: dict[str, Any] = {
        "entry_id": entry_id,
        "attempt_id": entry_id.partition(".")[0],
        "at": NOON,
        "kind": "post",
        "request_id": "req_1",
        "tenant_id": key.tenant_id,
        "key_id": key.pk,
        "amount_nanos": 1_500,
    }
    return LedgerEntry.objects.create(**(usual | fields))


def add_denial(key: Key, denial_id: str = "den_1", **fields: Any) -> Denial:
    """Insert a refusal; what the test doesn't say is ordinary."""
    usual: dict[str, Any] = {
        "denial_id": denial_id,
        "at": NOON,
        "request_id": "req_1",
        "tenant_id": key.tenant_id,
        "key_id": key.pk,
        "route": "smart",
        "code": "budget_exceeded",
        "rule": "team",
        "remaining": 5,
    }
    return Denial.objects.create(**(usual | fields))
