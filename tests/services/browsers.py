"""A Chromium and a Node with the clients of tests/e2e/node, for tests that drive the gateway from outside of Python."""

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.services.availability import NotAvailable, find_program

NODE_VERSION_MIN = 20
NODE_PROJECT = Path(__file__).resolve().parent.parent / "e2e" / "node"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL_WITHIN_S = 300


def find_chromium() -> Path:
    """Return a Chromium's path: $CHROMIUM_PATH, an installed one. Raises NotAvailable."""
    named = os.environ.get("CHROMIUM_PATH")
    if named:
        if not Path(named).is_file():
            raise NotAvailable(f"CHROMIUM_PATH names no file: {named}")
        return Path(named)
    for name in CHROMIUM_NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    return find_program("chromium", package="chromium")


def find_node() -> Path:
    """Return a Node that runs the scripts of tests/e2e/node, with their packages installed. Raises NotAvailable."""
    node = find_program("node", package="nodejs")
    told = subprocess.run([str(node), "--version"], capture_output=True, text=True, check=False).stdout.strip()
    version = re.match(r"v(\d+)\.", told)
    if version is None or int(version[1]) < NODE_VERSION_MIN:
        raise NotAvailable(f"Node {NODE_VERSION_MIN} or later is needed; {node} says {told!r}")
    _install_packages()
    return node


def _install_packages() -> None:
    """Run `npm ci` once, whatever number of test processes ask for it."""
    installed = NODE_PROJECT / "node_modules" / ".package-lock.json"
    lock = NODE_PROJECT / "package-lock.json"
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime:
            return
        npm = find_program("npm", package="npm")
        command = [str(npm), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        try:
            done = subprocess.run(
                command, cwd=NODE_PROJECT, capture_output=True, text=True, timeout=INSTALL_WITHIN_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise NotAvailable("npm ci takes too long") from error
        if done.returncode:
            raise NotAvailable(f"npm ci failed: {done.stderr.strip()[-300:]}")
