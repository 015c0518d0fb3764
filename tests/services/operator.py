"""An operator's Python beside a running gateway: one process with the ORM that does what a test tells it to.

Each change is committed by another process than the gateway's, as in life; keeping that process saves its start.
"""

import json
import subprocess
import sys
from pathlib import Path

_LOOP = """
import contextlib, io, json, sys, traceback
import django
django.setup()
for line in sys.stdin:
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            exec(json.loads(line), {})
        error = None
    except BaseException:
        error = traceback.format_exc()
    sys.stdout.write(json.dumps([said.getvalue(), error]) + chr(10))
    sys.stdout.flush()
"""


class Operator:
    """Runs Python with the ORM of a gateway's deployment."""

    def __init__(self, *, environment: dict[str, str], directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LOOP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment | {"DJANGO_SETTINGS_MODULE": "gateway_project.settings"},
            cwd=directory,
        )

    def run(self, code: str) -> str:
        """Run code and return what it printed. Raises AssertionError with its traceback where it fails."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the operator's process ended"
        said, error = json.loads(answer)
        assert error is None, error
        return str(said)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)
