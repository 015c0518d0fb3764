"""The one rule for what a test needs and this machine may not have: use it, start it, install it, or skip and say why.

In CI a skip would hide that nothing was tested, so there it is a failure.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

INSTALL_WITHIN_S = 600


class NotAvailable(Exception):
    """Something a test needs can't be had here; the message says what and why."""


def skip_or_fail(error: NotAvailable) -> NoReturn:
    """Skip with the reason; fail with it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(error), pytrace=False)
    pytest.skip(str(error))


def find_program(name: str, *, package: str) -> Path:
    """Return a program's path, its Debian package installed first where that may be done. Raises NotAvailable."""
    found = _which(name)
    if found is None and _may_install():
        _install(package)
        found = _which(name)
    if found is None:
        raise NotAvailable(f"{name} is not installed (Debian's package {package}; or set LLMGATEWAY_TEST_INSTALL=1)")
    return found


def _which(name: str) -> Path | None:
    found = shutil.which(name)
    if found:
        return Path(found)
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: path.parts[4].zfill(4))
    return versions[-1] if versions else None


def _may_install() -> bool:
    wanted = os.environ.get("CI") == "true" or os.environ.get("LLMGATEWAY_TEST_INSTALL") == "1"
    return wanted and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install(package: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", package]):
        command = ["apt-get", *words]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, env=environment, timeout=INSTALL_WITHIN_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise NotAvailable(f"{' '.join(command)} takes too long") from error
        if done.returncode:
            raise NotAvailable(f"{' '.join(command)} failed: {done.stderr.strip()[-300:]}")
