"""Prove the books: for operators after an incident or a restore, and for whoever watches regularly."""

from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from usage.ledger.audit import audit

_SHOWN = 20


class Command(BaseCommand):
    """Audits once, and fails on any difference."""

    help = "Proves that ledger, balances, records, hours, journals and counters agree; fails where they differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", type=date.fromisoformat, help="a day (UTC): leave out what is older, where that proves as much"
        )
        parser.add_argument("--show", type=int, default=_SHOWN, help=f"differences shown of each check ({_SHOWN})")
        parser.add_argument("--idle", action="store_true", help="no call is under way: counters must equal the ledger")

    def handle(self, *_args: Any, **options: Any) -> None:
        day = options["since"]
        since = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
        differences = 0
        for check in audit(
            directory=settings.GATEWAY_JOURNAL_DIR, since=since, show=max(0, options["show"]), idle=options["idle"]
        ):
            differences += check.differences
            self.stdout.write(f"{check.name}: {check.looked_at} looked at, {check.differences} differences")
            for text in check.shown:
                self.stdout.write(f"  {text}")
            for text in check.notes:
                self.stdout.write(f"  ({text})")
        if differences:
            raise CommandError(f"the books differ in {differences} places")
