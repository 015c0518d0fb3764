"""The gateway without admission, journal and settlement: what the metering costs is the difference to this.

    python -m benchmarks.unmetered --config gateway.yaml --port 8000

Nothing else is left out: keys, routes, retries, prices and headers are those of the gateway itself. It exists for the
comparison only; the gateway has no such switch, because a call that nobody writes down is never served.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connections

from gateway import lifecycle
from gateway_project.configuration.apply import apply
from gateway_project.configuration.files import load_config
from gateway_project.serve import open_socket
from usage.records import AttemptRecord, DenialRecord


class NoJournal:
    """Takes every record and keeps none."""

    accepting = True
    alarming = False
    backlog = 0
    backlog_bytes = 0

    def __init__(self, directory: Path, *, worker: str, **bounds: int) -> None:
        self.worker = worker

    def append(self, record: AttemptRecord | DenialRecord) -> None:
        """Forget it."""

    def begin(self, record: AttemptRecord) -> int:
        """Forget it."""
        return 0

    def revise(self, slot: int, record: AttemptRecord) -> None:
        """Forget it."""

    def end(self, slot: int, record: AttemptRecord) -> None:
        """Forget it."""

    def close(self) -> None:
        """Have nothing to close."""


def main() -> None:
    """Put the configuration into a fresh database and serve it in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    declared, _ = load_config(options.config, os.environ)
    apply(declared, update=True)
    connections.close_all()
    vars(lifecycle)["Journal"] = NoJournal  # the point of this module
    from gateway_project import worker

    worker.serve(open_socket("127.0.0.1", options.port))


if __name__ == "__main__":
    main()
