#!/usr/bin/env python
"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run the named command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
