"""Everything periodic, beside the workers: shipping usage, true shared counters, alerts, partitions, old responses.

Each job has a thread of its own, so that a slow mail server holds no shipping up. Jobs may run in several housekeepers
at once: each of them is harmless to repeat, and what must happen once per cluster is claimed in the database.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import close_old_connections

from gateway.responses.rows import expire_responses
from kernel import clock
from monitoring import alerts
from tenants.configuration import ConfigurationVersion
from usage.counters.base import ADJUSTMENTS, Contribution
from usage.counters.upkeep import CounterUpkeep
from usage.ledger.balances import contributions_of, current_contributions, forget_carried
from usage.ledger.partitions import drop_old, ensure_partitions
from usage.ledger.shipper import Shipper

REBUILD_INTERVAL_S = 0.25
ALERTS_INTERVAL_S = 10.0
PARTITIONS_INTERVAL_S = 6 * 3600.0
RESPONSES_INTERVAL_S = 24 * 3600.0
UPKEEP_INTERVAL_S = 60.0
MACHINE_LOST_AFTER_S = 600.0  # far longer than any restart: its reservations are then given back

logger = logging.getLogger("gateway_project.housekeeping")


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done again and again, `interval_s` after it was last done."""

    name: str
    interval_s: float
    work: Callable[[], object]

    def run_until(self, stop: threading.Event) -> None:
        """Work until told to stop; a failure is logged once and tried again the next time."""
        failing = False
        while True:
            close_old_connections()
            try:
                self.work()
            except Exception:
                if not failing:
                    logger.exception("job failed; it is tried again", extra={"job": self.name})
                failing = True
            else:
                failing = False
            if stop.wait(self.interval_s):
                close_old_connections()
                return


def keep_house(stop: threading.Event) -> None:
    """Work until told to stop; what the workers have written by then is shipped before the end."""
    shipper = Shipper(settings.GATEWAY_JOURNAL_DIR, on_finished=_finisher())
    threads = [
        threading.Thread(target=job.run_until, args=(stop,), name=job.name, daemon=True) for job in _jobs(shipper)
    ]
    for thread in threads:
        thread.start()
    shipper.run_forever(stop)
    for thread in threads:
        thread.join(timeout=1.0)
    shipper.ship_once()


def _jobs(shipper: Shipper) -> Iterator[Job]:
    yield Job("alerts", ALERTS_INTERVAL_S, lambda: alerts.run_once(clock.now()))
    yield Job("partitions", PARTITIONS_INTERVAL_S, _keep_partitions)
    yield Job("responses", RESPONSES_INTERVAL_S, lambda: expire_responses(clock.now()))
    if settings.REDIS_URL:
        yield Job("counters", REBUILD_INTERVAL_S, _CounterJob(Shipper(settings.GATEWAY_JOURNAL_DIR)).run)


def _finisher() -> Callable[[str], None]:
    """Return what is done when a worker is gone and everything it used is in the ledger."""
    if not settings.REDIS_URL:
        return lambda worker: logger.info("worker finished", extra={"worker": worker})
    upkeep = CounterUpkeep(settings.REDIS_URL)

    def finish(worker: str) -> None:
        upkeep.finish(worker, contributions_of(worker, _now_s()))
        logger.info("worker finished", extra={"worker": worker})

    return finish


def _keep_partitions() -> None:
    now = clock.now()
    ensure_partitions(now)
    drop_old(keep_months=settings.GATEWAY_RETENTION_MONTHS, now=now)
    forget_carried(now.timestamp())


class _CounterJob:
    """Keeps the counters in Redis true: rebuilt after a loss, corrected after an adjustment, rid of lost machines."""

    def __init__(self, shipper: Shipper) -> None:
        self._shipper = shipper
        self._upkeep = CounterUpkeep(settings.REDIS_URL)
        self._adjusted_at_version = -1
        self._due_at_s = 0.0

    def run(self) -> None:
        """Look after everything once."""
        self._upkeep.rebuild_if_lost(self._balances)
        version = ConfigurationVersion.current()
        due = _now_s() >= self._due_at_s
        if due or version != self._adjusted_at_version:
            self._upkeep.adjust(contributions_of(ADJUSTMENTS, _now_s()))
            self._adjusted_at_version = version
        if due:
            self._upkeep.expire_lost(
                older_than_s=MACHINE_LOST_AFTER_S, contributions_of=lambda worker: contributions_of(worker, _now_s())
            )
            self._due_at_s = _now_s() + UPKEEP_INTERVAL_S

    def _balances(self) -> Iterator[tuple[str, Contribution]]:
        self._shipper.ship_once()  # so that what dead workers of this machine left is among them
        return current_contributions(_now_s())


def _now_s() -> float:
    return clock.now().timestamp()
