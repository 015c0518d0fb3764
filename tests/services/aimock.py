"""aimock as somebody else's servers: an independent implementation of every vendor's API, in a process of its own.

It comes with the packages of tests/e2e/node and answers from the fixtures in tests/e2e/aimock.
"""

import json
import os
import re
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.services.browsers import NODE_PROJECT
from tests.services.waiting import eventually

FIXTURES = NODE_PROJECT.parent / "aimock"
_PROGRAM = NODE_PROJECT / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
_STARTED_WITHIN_S = 20.0


class Aimock:
    """A running aimock; with an `api_key` it refuses whoever has another one, in whichever header vendors want it."""

    def __init__(self, node: Path, *, api_key: str = "") -> None:
        environment = {**os.environ, **({"AIMOCK_API_KEYS": api_key} if api_key else {})}
        self._headers = {"x-api-key": api_key} if api_key else {}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it is stopped
        self.process = subprocess.Popen(
            [str(node), str(_PROGRAM), "--port", "0", "--fixtures", str(FIXTURES), "--validate-on-load"],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        try:
            self.origin = eventually(self._read_origin, within_s=_STARTED_WITHIN_S)
        except BaseException:
            self.stop()
            raise

    def of(self, request_id: str) -> list[dict[str, Any]]:
        """Return what came in for one request of the gateway, as aimock read it."""
        url = f"{self.origin}/__aimock/journal?requestId={quote(request_id)}"
        request = urllib.request.Request(url, headers=self._headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(10)
        self._log.close()

    def _read_origin(self) -> str | None:
        said = os.pread(self._log.fileno(), 10_000, 0).decode()
        assert self.process.poll() is None, f"aimock ended: {said}"
        found = re.search(r"listening on (http://127\.0\.0\.1:\d+)\n", said)
        return found[1] if found else None
