"""Make the months ahead and drop those that are no longer kept, without waiting for the housekeeper."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from kernel import clock
from usage.ledger.partitions import drop_old, ensure_partitions


class Command(BaseCommand):
    """Applies retention once."""

    help = "Makes the partitions of the months ahead, and drops usage and ledger older than the retention."

    def add_arguments(self, parser: CommandParser) -> None:
        usual = settings.GATEWAY_RETENTION_MONTHS
        parser.add_argument("--months", type=int, default=usual, help=f"whole months to keep, 0 for all (now {usual})")

    def handle(self, *_args: Any, **options: Any) -> None:
        now = clock.now()
        for name in ensure_partitions(now):
            self.stdout.write(f"made {name}")
        dropped = drop_old(keep_months=options["months"], now=now)
        for name in dropped.partitions:
            self.stdout.write(f"dropped {name}")
        self.stdout.write(f"{dropped.rows} rows deleted")
