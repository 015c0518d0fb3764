"""Jobs go on whatever fails, end when told to, and leave the ledger complete."""

import logging
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.call import Attempt
from gateway.responses.rows import find_turn, insert_turns
from gateway_project import housekeeping
from gateway_project.housekeeping import Job, keep_house
from kernel import clock
from tests.builders import call, target
from tests.gateway.responses.turns import turn
from usage.counters.upkeep import CounterUpkeep
from usage.journal.journal import Journal
from usage.ledger.shipper import Shipper
from usage.models import UsageRecord


@pytest.mark.django_db
def test_a_failing_job_is_logged_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    stop, done = threading.Event(), []

    def work() -> None:
        done.append(1)
        if len(done) == 4:
            stop.set()
        if len(done) < 4:
            raise RuntimeError("not now")

    with caplog.at_level(logging.ERROR):
        Job("a job", 0.001, work).run_until(stop)
    assert len(done) == 4
    assert [record.getMessage() for record in caplog.records] == ["job failed; it is tried again"]


@pytest.mark.django_db(transaction=True)
def test_what_was_written_is_shipped_before_the_end(settings: Any, tmp_path: Path) -> None:
    settings.GATEWAY_JOURNAL_DIR, settings.REDIS_URL = tmp_path, ""
    journal = Journal(tmp_path, worker="w")
    journal.append(Attempt(number=1, target=target(), because="", ending="completed").record(call()))
    journal.close()
    stop = threading.Event()
    stop.set()
    keep_house(stop)
    assert UsageRecord.objects.count() == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.django_db(transaction=True)
def test_with_redis_the_counters_are_rebuilt(
    settings: Any, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.GATEWAY_JOURNAL_DIR, settings.REDIS_URL = tmp_path, redis_url
    monkeypatch.setattr(housekeeping, "REBUILD_INTERVAL_S", 0.05)
    monkeypatch.setattr(housekeeping, "CounterUpkeep", lambda url: CounterUpkeep(url, grace_s=0.0))
    stop = threading.Event()
    keeper = threading.Thread(target=keep_house, args=(stop,))
    keeper.start()
    reader = CounterUpkeep(redis_url)
    try:
        for _ in range(200):
            if reader.read([]) is not None:
                break
            stop.wait(0.05)
        assert reader.read([]) == []
    finally:
        stop.set()
        keeper.join(timeout=20)
        reader.close()
    assert not keeper.is_alive()


@pytest.mark.django_db
def test_responses_whose_time_is_over_are_forgotten(settings: Any, tmp_path: Path) -> None:
    settings.REDIS_URL = ""
    now = clock.now()
    insert_turns([turn("old", expires_at=now), turn("new", expires_at=now + timedelta(days=1))])
    [job] = [job for job in housekeeping._jobs(Shipper(tmp_path)) if job.name == "responses"]
    job.work()
    assert find_turn(1, "old", now - timedelta(days=1)) is None
    assert find_turn(1, "new", now) is not None
