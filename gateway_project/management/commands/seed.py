"""Put a declared configuration in place: `manage.py seed [FILE] [--update]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gateway_project.configuration.apply import Applied, apply, describe
from gateway_project.configuration.document import ConfigurationRefused
from gateway_project.configuration.embedded import seed_embedded
from gateway_project.configuration.files import load_config
from gateway_project.configuration.report import render


class Command(BaseCommand):
    """Seeds from a file, or, without one, what a newcomer needs."""

    help = "Create what a configuration file declares; without a file, a tenant, an admin, a demo key and a mock route."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="gateway.yaml, or LiteLLM's config.yaml")
        parser.add_argument("--update", action="store_true", help="also change what exists to what the file says")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["file"]:
            self._seed_file(options["file"], update=options["update"])
        else:
            self._seed_embedded()

    def _seed_file(self, file: str, *, update: bool) -> None:
        try:
            declared, report = load_config(file)
            if report is not None:
                self.stdout.write(render(report))
            applied = apply(declared, update=update)
        except ConfigurationRefused as refusal:
            raise CommandError(f"Nothing was applied.\n{refusal}") from refusal
        self.stdout.write(describe(applied))

    def _seed_embedded(self) -> None:
        seeded = seed_embedded()
        self.stdout.write(describe(Applied(created=seeded.created)))
        if seeded.admin_password:
            self.stdout.write(f"sign in as {seeded.admin_username} with {seeded.admin_password} (shown once)")
        if seeded.demo_key:
            self.stdout.write(f"demo key: {seeded.demo_key} (shown once)")
