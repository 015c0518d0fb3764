"""Take over a LiteLLM configuration: `manage.py import_litellm FILE [--dry-run]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gateway_project.configuration.apply import apply, describe
from gateway_project.configuration.document import ConfigurationRefused
from gateway_project.configuration.files import load_config
from gateway_project.configuration.report import render


class Command(BaseCommand):
    """Prints what becomes of every key, then applies the file."""

    help = "Report on every key of a LiteLLM config.yaml and apply it: existing rows are changed to what it says."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="LiteLLM's config.yaml")
        parser.add_argument("--dry-run", action="store_true", help="check and report, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            declared, report = load_config(options["file"])
            if report is None:
                raise CommandError(f"{options['file']} is no LiteLLM configuration; seed reads gateway.yaml")
            self.stdout.write(render(report))
            applied = apply(declared, update=True, dry_run=options["dry_run"])
        except ConfigurationRefused as refusal:
            raise CommandError(f"Nothing was applied.\n{refusal}") from refusal
        if options["dry_run"]:
            self.stdout.write("a dry run; without --dry-run:")
        self.stdout.write(describe(applied))
