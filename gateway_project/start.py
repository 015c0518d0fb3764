"""From the command line into Django: settings are chosen by the environment, then the `serve` command runs."""

import os
import sys
from pathlib import Path

import django
from django.core.management import CommandError, call_command


def serve(*, config: Path | None, host: str, port: int, workers: int) -> int:
    """Run the serve command and return an exit status; what can't be served is said in one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")
    try:
        django.setup()
        call_command("serve", config=config, host=host, port=port, workers=workers)
    except (CommandError, OSError, ValueError) as error:
        print(f"llmgateway: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0
