"""Ship the journals into the database now, without waiting for the housekeeper: before a report, after a restore."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from usage.ledger.shipper import Shipper


class Command(BaseCommand):
    """Ships everything once."""

    help = "Ships the usage that waits in the journals into the database."

    def handle(self, *_args: Any, **_options: Any) -> None:
        shipped = Shipper(settings.GATEWAY_JOURNAL_DIR).ship_once()
        self.stdout.write(f"{shipped} records shipped")
