"""The housekeeper process: everything periodic, beside the workers."""

import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from gateway_project.housekeeping import keep_house


class Command(BaseCommand):
    """Works until SIGTERM; what the workers have written by then is shipped before the end."""

    help = "Ship usage into the database, keep shared counters true, send alerts, keep partitions, until SIGTERM."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        stop = threading.Event()

        def note_signal(number: int, frame: FrameType | None) -> None:
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, note_signal)
        keep_house(stop)
