"""`serve`: bring the database up to date, seed or apply the configuration, say what is served, and serve it."""

import logging
import os
import sys
from argparse import ArgumentParser
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection, connections

from gateway_project.configuration.apply import apply
from gateway_project.configuration.document import ConfigurationRefused
from gateway_project.configuration.embedded import Seeded, seed_embedded
from gateway_project.configuration.files import load_config
from gateway_project.configuration.report import render
from gateway_project.serve import CannotServe, Supervisor, open_socket, require_shared_counters, share_metrics
from gateway_project.welcome import write_welcome
from routing.compile import compile_snapshot

logger = logging.getLogger("gateway_project.serve")


class Command(BaseCommand):
    """Ends with status 0 after SIGTERM, 1 where it can't serve."""

    help = "Serve the gateway: workers and the housekeeper."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options of `llmgateway serve`."""
        parser.add_argument("--config", type=Path)
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        try:
            require_shared_counters(workers=options["workers"], redis_url=settings.REDIS_URL)
            listener = open_socket(options["host"], options["port"])
        except CannotServe as error:
            raise CommandError(str(error)) from error
        self._prepare(options["config"], base_url=f"http://{options['host']}:{listener.getsockname()[1]}")
        self._log_summary(workers=options["workers"], address=listener.getsockname()[:2])
        connections.close_all()
        if options["workers"] > 1:
            share_metrics(settings.GATEWAY_DATA_DIR / "metrics")
        sys.exit(Supervisor(listener, workers=options["workers"], drain_s=settings.GATEWAY_DRAIN_S).run())

    def _prepare(self, config: Path | None, *, base_url: str) -> None:
        try:
            call_command("migrate", verbosity=0, interactive=False)
        except OperationalError as error:
            raise CommandError(f"the database can't be used: {error}") from error
        if config is not None:
            self._apply(config)
            return
        seeded: Seeded = seed_embedded()
        write_welcome(self.stdout, seeded, base_url=base_url)

    def _apply(self, config: Path) -> None:
        try:
            declared, report = load_config(config, os.environ)
            if report is not None:
                self.stdout.write(render(report))
            applied = apply(declared, update=True)
        except ConfigurationRefused as error:
            raise CommandError(str(error)) from error
        for key in applied.issued:
            self.stdout.write(f"key {key.tenant}/{key.name}: {key.secret}  (shown once)")

    def _log_summary(self, *, workers: int, address: tuple[str, int]) -> None:
        snapshot = compile_snapshot()
        facts = {
            "version": version("llmgateway"),
            "address": f"{address[0]}:{address[1]}",
            "database": connection.vendor,
            "counters": "redis" if settings.REDIS_URL else "in-process",
            "workers": workers,
            "routes": len(snapshot.shared.exact) + len(snapshot.shared.wildcards),
            "providers": list(snapshot.provider_slugs),
            "data_dir": str(settings.GATEWAY_DATA_DIR),
        }
        logger.info("serving", extra=facts)
