"""A database that aborts transactions: deadlocks that come about, and aborts that are thrown in."""

import asyncio
import random
from contextlib import closing

import psycopg

from tests.prove.bed import Bed
from tests.prove.budgets import another_crowd
from tests.prove.callers import any_plan, run, under_load
from tests.prove.report import Finding
from tests.prove.stores import PostgreSQL
from tests.services.waiting import eventually

BLOCKED_WITHIN_S = 10.0
# Once a statement: of two transactions that write entries, one is aborted. A sequence counts on through rollbacks.
_ABORTS = """
    CREATE SEQUENCE prove_statements;
    CREATE SEQUENCE prove_aborts;
    CREATE FUNCTION prove_abort() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('prove_statements') % 2 = 0 THEN
            PERFORM nextval('prove_aborts');
            IF random() < 0.5 THEN
                RAISE EXCEPTION 'thrown in' USING ERRCODE = 'deadlock_detected';
            END IF;
            RAISE EXCEPTION 'thrown in' USING ERRCODE = 'serialization_failure';
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER prove_abort AFTER INSERT ON usage_ledgerentry FOR EACH STATEMENT EXECUTE FUNCTION prove_abort();
"""
_NO_MORE_ABORTS = """
    DROP TRIGGER prove_abort ON usage_ledgerentry;
    DROP FUNCTION prove_abort;
    DROP SEQUENCE prove_statements;
    DROP SEQUENCE prove_aborts;
"""
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
_DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def deadlocks(bed: Bed, *, short: bool) -> Finding:
    """Transactions are aborted by deadlocks and serialisation failures while usage is posted."""
    finding = Finding("deadlocks")
    callers, chance = bed.callers("deadlocks"), random.Random(35)
    bed.set_budget("deadlocks", 10**12, key="deadlocks")
    before = bed.postgres.query(_DEADLOCKS)[0][0]
    thrown = 0

    async def disturb() -> None:
        nonlocal thrown
        await asyncio.sleep(1.0)
        for _ in range(2 if short else 5):
            await asyncio.to_thread(_cross, bed.postgres)
        await asyncio.to_thread(bed.postgres.query, _ABORTS)
        await asyncio.sleep(3 if short else 10)
        thrown = (await asyncio.to_thread(bed.postgres.query, "SELECT last_value FROM prove_aborts"))[0][0]
        await asyncio.to_thread(bed.postgres.query, _NO_MORE_ABORTS)

    async def work() -> None:
        async with callers:
            await under_load(callers, disturb, plan=lambda: any_plan(chance), callers_count=12, pause_s=0.02)

    run(work)
    real = eventually(lambda: bed.postgres.query(_DEADLOCKS)[0][0] - before or None)
    finding.remarks.append(f"{real} real deadlocks, {thrown} aborts thrown in")
    finding.expect(thrown > 0, "nothing was thrown in")
    unserved = len(callers.answers) - callers.count("whole")
    finding.expect(not unserved, f"{unserved} calls were not served: {callers.troubles()}")
    another_crowd(bed, finding, callers, budget="deadlocks")
    return finding


def _cross(postgres: PostgreSQL) -> None:
    """Lock rows in the opposite order of whoever posts usage, and be the one that is patient."""
    with closing(psycopg.connect(postgres.url)) as session:
        session.execute("SET deadlock_timeout = '60s'")
        session.execute("SELECT 1 FROM usage_usagehour FOR UPDATE")
        eventually(lambda: postgres.query(_WAITING)[0][0], within_s=BLOCKED_WITHIN_S)
        session.execute("SELECT 1 FROM usage_journalposition FOR UPDATE")
        session.rollback()
