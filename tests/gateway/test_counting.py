"""Counters of the process begin with what the ledger has, and hear of what others post meanwhile."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.db import connections

from gateway.counting import open_counters, take_news, tell_finished
from tenants.models import Tenant
from usage.counters.base import Counters
from usage.counters.memory import MemoryCounters
from usage.ledger import budgets
from usage.models import Budget, BudgetBalance
from usage.windows import LIFETIME

T = TypeVar("T")


@pytest.fixture
def budget(transactional_db: None, settings: Any, tmp_path: Path) -> Budget:
    settings.GATEWAY_JOURNAL_DIR = tmp_path / "journal"
    settings.GATEWAY_JOURNAL_DIR.mkdir()
    settings.REDIS_URL = ""
    tenant = Tenant.objects.create(slug="t", name="T")
    return Budget.objects.create(name="b", limit_nanos=1_000, period="lifetime", tenant=tenant)


async def on_a_thread(work: Callable[[], T]) -> T:
    def closing() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    return await asyncio.to_thread(closing)


def spend(budget: Budget, nanos: int, *, worker: str) -> None:
    BudgetBalance.objects.create(
        budget_id=budget.pk, counter=f"b{budget.pk}.0.", slice=0, worker=worker, posted_nanos=nanos, posts=1
    )


def opened() -> Counters:
    return asyncio.run(open_counters(worker="now", in_database=on_a_thread))


def held(counters: Counters, budget: Budget) -> int | None:
    assert isinstance(counters, MemoryCounters)
    return counters.sums([(f"b{budget.pk}.0.", LIFETIME)])[0]


def test_they_begin_with_what_others_have_spent(budget: Budget) -> None:
    spend(budget, 300, worker="before")
    spend(budget, 40, worker="earlier")
    assert held(opened(), budget) == 340


def test_corrections_and_late_posts_are_heard_of_once(budget: Budget) -> None:
    counters = opened()
    budgets.adjust(budget, subject="", amount_nanos=25, reason="a correction", actor=None)
    spend(budget, 300, worker="late")
    spend(budget, 7, worker="now")
    for _ in range(2):
        asyncio.run(take_news(counters, in_database=on_a_thread))
    assert held(counters, budget) == 325


def test_a_shipper_in_the_process_tells_of_a_worker_that_is_gone(budget: Budget) -> None:
    counters = opened()
    spend(budget, 300, worker="gone")

    async def hear() -> None:
        tell = tell_finished(counters, asyncio.get_running_loop())
        await on_a_thread(lambda: tell("gone"))
        await asyncio.sleep(0)

    asyncio.run(hear())
    assert held(counters, budget) == 300
