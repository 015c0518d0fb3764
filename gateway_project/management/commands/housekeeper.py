"""The housekeeper process: ships the journals of every worker, living or dead."""

import signal
import threading
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from usage.shipper import Shipper


class Command(BaseCommand):
    """Works until SIGTERM; what the workers have written by then is shipped before the end."""

    help = "Ship usage from the journals into the database until SIGTERM."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        stop = threading.Event()

        def note_signal(number: int, frame: FrameType | None) -> None:
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, note_signal)
        shipper = Shipper(settings.GATEWAY_JOURNAL_DIR)
        shipper.run_forever(stop)
        shipper.ship_once()
