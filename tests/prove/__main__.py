"""Prove it: `python -m tests.prove [--short] [scenario ...]`. Ends with status 1 where anything differs."""

import argparse
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from tests.prove import budgets, classes, databases, disks, gateways, kills, outages
from tests.prove.bed import Bed
from tests.prove.report import Finding, remarks, table
from tests.services.availability import NotAvailable

Scenario = Callable[..., Finding]
SCENARIOS: Mapping[str, Scenario] = {
    "crowd": budgets.crowd,
    "classes": classes.classes,
    "kills": kills.kills,
    "redis-flushed": outages.redis_flushed,
    "redis-restarted": outages.redis_restarted,
    "redis-away": outages.redis_away,
    "redis-away-otherwise": outages.redis_away_otherwise,
    "postgres-restarted": outages.postgres_restarted,
    "postgres-away": outages.postgres_away,
    "deadlocks": databases.deadlocks,
    "disk-full": disks.disk_full,
    "backlog-full": disks.backlog_full,
    "two-gateways": gateways.two_gateways,
}
SHORT = ("crowd", "classes", "kills", "redis-flushed", "postgres-restarted", "two-gateways")
NOT_AVAILABLE = 77  # the exit status for "can't be tried here"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios, print the table, return the exit status."""
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, _stop)  # so that what was started ends with us
    began = time.monotonic()
    try:
        with Bed(workers=2 if options.short else 3) as bed:
            findings = [_run(bed, name, short=options.short) for name in options.scenarios]
    except NotAvailable as error:
        _say(str(error))
        return NOT_AVAILABLE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    _say(f"\n{table(findings)}\n\n{time.monotonic() - began:.0f} s")
    return 0 if all(finding.proven for finding in findings) else 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument(
        "--short", action="store_true", help=f"fewer calls, shorter outages; by itself: {', '.join(SHORT)}"
    )
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=f"some of: {', '.join(SCENARIOS)}")
    options = parser.parse_args(arguments)
    if unknown := set(options.scenarios) - set(SCENARIOS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    options.scenarios = options.scenarios or list(SHORT if options.short else SCENARIOS)
    return options


def _run(bed: Bed, name: str, *, short: bool) -> Finding:
    began = time.monotonic()
    _say(f"{name}: {(SCENARIOS[name].__doc__ or '').strip()}")
    try:
        finding = SCENARIOS[name](bed, short=short)
    except Exception:  # noqa: BLE001 - the others are still to be tried
        finding = Finding(name, faults=[traceback.format_exc()])
    finding.expect(not (complaint := bed.audit()), f"the gateway's own audit: {complaint}")
    _say(remarks(finding))
    _say(f"  {finding.verdict} after {time.monotonic() - began:.0f} s")
    return finding


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
